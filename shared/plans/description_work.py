"""What else a plan asks for, as tables."""

from collections.abc import Iterable

from shared.plans.description_voice import Row, Table, Voice
from shared.plans.description_words import (
    CONSEQUENCES,
    NOTHING,
    REASONS,
    Said,
    joined,
    plain,
    words,
)
from shared.plans.time_spec import Duty


def working(voice: Voice) -> Iterable[Table]:
    plan = voice.plan
    what, by_when, where = Said("内容", "What"), Said("之前", "Before"), Said("适用", "Where")
    source, roles = Said("出处", "Source"), Said("角色", "Roles")
    yield (
        "record",
        Said("登记内容", "Record"),
        (
            what,
            Said("事实", "Fact"),
            Said("表单", "Form"),
            by_when,
            Said("可暂缺至", "May stay blank until"),
            where,
            source,
        ),
        [
            (
                words(one.words),
                plain(one.fact or one.field or ""),
                words(one.form),
                voice.milestone(one.before),
                voice.milestone(one.may_stay_blank_until) if one.may_stay_blank_until else NOTHING,
                voice.where(one.levels, one.when),
                voice.source(one),
            )
            for one in plan.record
        ],
    )
    yield (
        "checklist",
        Said("检查单", "Checklist"),
        (what, roles, by_when, where, source),
        [
            (
                words(one.words),
                voice.roles(one.by),
                voice.milestone(one.before),
                voice.where(one.levels, one.when),
                voice.source(one),
            )
            for one in plan.checklist
        ],
    )
    yield (
        "notices",
        Said("告知投诉人", "Told to the complainant"),
        (what, Said("节点", "At"), Said("时限", "Within"), Said("附", "With"), where, source),
        [
            (
                words(one.words),
                voice.milestone(one.on),
                voice.value(one.within) if one.within else NOTHING,
                Said("处理结果", "the outcome") if one.outcome else NOTHING,
                voice.where(one.levels, one.when),
                voice.source(one),
            )
            for one in plan.notices
        ],
    )
    yield (
        "duties",
        Said("例行职责", "Duties"),
        (what, Said("周期", "Every"), Said("时间", "When"), roles, Said("时限", "Within"), where, source),
        [_duty(voice, one) for one in plan.duties],
    )
    yield (
        "drills",
        Said("演练", "Drills"),
        (what, Said("用例", "Case"), Said("周期", "Every"), roles, source),
        [
            (
                words(one.words),
                Said(one.case, one.case, code=True),
                voice.value(one.every) if one.every else NOTHING,
                voice.roles(one.roles),
                voice.source(one),
            )
            for one in plan.drills
        ],
    )


def _duty(voice: Voice, one: Duty) -> Row:
    each = NOTHING
    if one.start is not None and one.until is not None:
        begin, end = voice.milestone(one.start), voice.milestone(one.until)
        each = Said(f"每件，自{begin.zh}至{end.zh}", f"each case, from {begin.en} until {end.en}")
    return (
        words(one.words),
        voice.value(one.every),
        plain(" ".join([*one.on, *one.at])),
        voice.roles(one.roles),
        voice.value(one.within) if one.within else NOTHING,
        joined([each, voice.where(one.levels, one.when)]),
        voice.source(one),
    )


def following(voice: Voice) -> Iterable[Table]:
    plan = voice.plan
    what, where, source = Said("内容", "What"), Said("适用", "Where"), Said("出处", "Source")
    yield (
        "opens",
        Said("同时启动的预案", "Plans that begin as well"),
        (what, Said("预案", "Plan"), Said("带去的事实", "Facts it is given"), where, source),
        [
            (
                words(one.words),
                plain(one.plan),
                plain(", ".join(one.carry)),
                voice.where(one.levels, one.when),
                voice.source(one),
            )
            for one in plan.opens
        ],
    )
    yield (
        "consequences",
        Said("后果（建议，由人决定）", "Consequences (proposals; a person decides)"),
        (what, Said("种类", "Kind"), Said("数额", "Amount"), Said("由谁", "By"), where, source),
        [
            (
                words(one.words),
                CONSEQUENCES[one.kind],
                plain(" ".join(part for part in (" – ".join(filter(None, (one.amount, one.up_to))), one.unit) if part)),
                voice.roles(one.by),
                voice.where(one.levels, one.when),
                voice.source(one),
            )
            for one in plan.consequences
        ],
    )
    yield (
        "duplicates",
        Said("同一事件", "One event"),
        (Said("相同的", "Equal"), Said("时间内", "Within"), Said("则", "Then")),
        [
            (
                plain(", ".join(one.same)),
                voice.value(one.within),
                Said("合并", "merged") if one.then == "merge" else Said("请人决定", "a person is asked"),
            )
            for one in plan.duplicates
        ],
    )
    yield (
        "parameters",
        Said("参数", "Parameters"),
        (Said("名称", "Name"), Said("取值", "Value"), Said("", ""), Said("说明", "Note"), source),
        [
            (
                Said(name, name, code=True),
                plain("、".join(one.value) if isinstance(one.value, tuple) else one.value),
                Said("假定", "assumed") if one.assumed else NOTHING,
                words(one.note),
                plain(one.source or ""),
            )
            for name, one in plan.parameters.items()
        ],
    )
    yield (
        "not-automated",
        Said("未自动化的内容", "What is not automated"),
        (what, Said("原因", "Reason"), source),
        [(words(one.words), REASONS[one.reason], voice.source(one)) for one in plan.not_automated],
    )
