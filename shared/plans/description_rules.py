"""How a plan judges and what runs against time, as tables."""

from collections.abc import Iterable

from shared.plans.description_voice import Row, Table, Voice
from shared.plans.description_words import (
    BREACHES,
    EVERY,
    KINDS,
    NOTHING,
    Said,
    before,
    joined,
    length,
    plain,
    words,
)
from shared.plans.time_spec import ClockSpec
from shared.plans.written import FactLimit


def head(voice: Voice) -> Iterable[tuple[Said, Said]]:
    plan, applies = voice.plan, voice.plan.applies
    yield Said("适用", "Applies to"), joined([KINDS[kind] for kind in applies.kinds])
    for zh, en, names in (
        ("主题", "Topics", applies.topics),
        ("类别", "Categories", applies.categories),
        ("不含类别", "Never these categories", applies.not_categories),
        ("渠道", "Channels", applies.channels),
        ("单位", "Organisations", applies.organisations),
    ):
        yield Said(zh, en), joined([plain(name) for name in names])
    if applies.default:
        yield Said("缺省", "By default"), Said("其他预案都不适用时", "when no other plan applies")
    yield Said("依据文件", "Documents"), joined([plain(source) for source in plan.sources])
    yield Said("时区与日历", "Zone and calendar"), joined([plain(plan.timezone), plain(plan.calendar or "")])
    secret = plan.confidentiality
    if secret is not None:
        seen = before("；仅可见：", "; seen only by ", voice.roles(secret.visible_to))
        narrative = Said("经过不公布", "the narrative is withheld") if secret.narrative == "withheld" else NOTHING
        yield Said("保密", "Confidential"), joined([narrative, seen], "", "")
    if plan.owner is not None:
        who = {
            "first-responder": Said("首问负责", "whoever took the report"),
            "first-to-acknowledge": Said("首先确认者", "whoever acknowledges first"),
            "role": NOTHING,
        }[plan.owner.who]
        yield (
            Said("责任人", "Owner"),
            joined([who, voice.roles(plan.owner.roles), before("至", "until ", voice.milestone(plan.owner.until))]),
        )


def judging(voice: Voice) -> Iterable[Table]:
    plan = voice.plan
    yield (
        "levels",
        Said("级别", "Levels"),
        (Said("级别", "Level"), Said("知会", "Informed"), Said("要求", "What is expected")),
        [
            (voice.level(one.id), voice.roles(plan.notify.get(one.id, ())), words(plan.expected.get(one.id)))
            for one in reversed(plan.levels)
        ],
    )
    yield (
        "criteria",
        Said("判据（满足任何一条即为该级，取最高）", "Decision table (any one is enough; the highest wins)"),
        (Said("级别", "Level"), Said("判据", "Criterion"), Said("条件", "Condition"), Said("出处", "Source")),
        [
            (voice.level(one.level), words(one.label), voice.condition(one.when), voice.source(one))
            for level in reversed(plan.levels)
            for one in plan.criteria
            if one.level == level.id
        ],
    )
    yield (
        "windows",
        Said("统计窗口", "Counts over time"),
        (
            Said("名称", "Name"),
            Said("统计", "Counts"),
            Said("周期", "Per"),
            Said("分组", "By"),
            Said("条件", "Where"),
        ),
        [
            (
                Said(one.zh or name, one.en or name),
                KINDS[one.count] if one.count else before("不同的", "different ", plain(one.distinct or "")),
                EVERY.get(one.per, length(one.per.removesuffix(" sliding"))),
                joined([plain(by) for by in one.by]),
                voice.condition(one.where),
            )
            for name, one in plan.windows.items()
        ],
    )
    yield (
        "baselines",
        Said("平常水平", "What is usual"),
        (Said("名称", "Name"), Said("窗口", "Count"), Said("周期数", "Periods")),
        [
            (Said(one.zh or name, one.en or name), plain(one.of), plain(one.over))
            for name, one in plan.baselines.items()
        ],
    )
    end = plan.warnings
    yield (
        "warnings",
        Said("预警解除", "When a warning ends"),
        (Said("静默", "Quiet for"), Said("条件", "Condition")),
        [(voice.value(end.ends_after) if end.ends_after else NOTHING, voice.condition(end.ends_when))] if end else [],
    )
    waits = plan.waits
    yield (
        "waits",
        Said("等待（各时限停计）", "Waiting (its clocks stand still)"),
        (Said("次数上限", "At most so often"), Said("每次最长", "Each at most"), Said("原因", "Reasons")),
        [
            (
                plain(waits.count) if waits.count is not None else NOTHING,
                voice.value(waits.longest) if waits.longest else NOTHING,
                plain("、".join(waits.reasons)) if waits.reasons else NOTHING,
            )
        ]
        if waits
        else [],
    )
    yield (
        "signals",
        Said("文字信号（只作建议）", "Signals in the text (proposals only)"),
        (Said("信号", "Signal"), Said("建议事实", "Proposes"), Said("词语", "Words")),
        [
            (
                words(one.words) if one.words else plain(name),
                joined([plain(f"{fact} = {value}") for fact, value in one.proposes.items()]),
                plain("、".join([*one.zh, *one.en])),
            )
            for name, one in plan.signals.items()
        ],
    )
    yield (
        "facts",
        Said("事实", "Facts"),
        (Said("名称", "Name"), Said("含义", "Meaning"), Said("类型", "Type")),
        [
            (
                Said(name, name, code=True),
                Said(one.zh or "", one.en or ""),
                plain(", ".join(one.enum or one.set_ or (one.type.value,))),
            )
            for name, one in plan.facts.items()
        ],
    )


def timing(voice: Voice) -> Iterable[Table]:
    yield (
        "clocks",
        Said("时限", "Clocks"),
        (
            Said("时限", "Clock"),
            Said("自", "From"),
            Said("至", "Until"),
            Said("限", "Limit"),
            Said("提醒", "Warns"),
            Said("超时", "When it runs out"),
            Said("延期", "Extension"),
            Said("适用", "Where"),
            Said("出处", "Source"),
        ),
        [_clock(voice, one) for one in voice.plan.clocks],
    )


def _clock(voice: Voice, one: ClockSpec) -> Row:
    limit = one.limit
    if isinstance(limit, FactLimit):
        said = joined([plain(limit.fact), before("缺则", "else ", voice.value(limit.otherwise))])
    else:
        said = voice.value(limit)
    if one.before is not None:
        said = before(f"{one.before} 之前", f"before {one.before}: ", said)
    breach = joined(
        [
            BREACHES[one.breach],
            before("→", "→ ", voice.level(one.raises)) if one.raises else NOTHING,
            voice.roles(one.notify_roles),
            before("，每", ", again every ", voice.value(one.overrun.every)) if one.overrun else NOTHING,
        ],
        " ",
        " ",
    )
    extension = NOTHING
    if one.extension is not None:
        by = one.extension
        agreed = Said("与投诉人商定", "agreed with the complainant") if by.with_complainant else NOTHING
        extension = joined([before("最长", "up to ", voice.value(by.to)), agreed, voice.roles(by.approve_by)])
    warned = joined([plain(text) if text.endswith("%") else length(text) for text in one.warn], " ", " ")
    return (
        words(one.label),
        voice.milestone(one.start),
        voice.milestone(one.until),
        said,
        warned,
        breach,
        extension,
        voice.where(one.levels, one.when),
        voice.source(one),
    )
