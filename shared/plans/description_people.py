"""Whom a plan tells and who decides, as tables."""

from collections.abc import Iterable

from shared.plans.description_voice import Table, Voice
from shared.plans.description_words import (
    CHANNELS,
    NOTHING,
    PURPOSES,
    SILENCES,
    Said,
    before,
    joined,
    plain,
    words,
)
from shared.plans.people_spec import TierSpec


def telling(voice: Voice) -> Iterable[Table]:
    plan = voice.plan
    source, where, roles = Said("出处", "Source"), Said("适用", "Where"), Said("角色", "Roles")
    yield (
        "tiers",
        Said("上报层级", "Tiers"),
        (
            Said("层级", "Tier"),
            roles,
            Said("非工作时间", "Off hours"),
            Said("渠道", "Channels"),
            Said("等候", "Waits"),
            Said("确认时限", "Acknowledge within"),
            Said("重复", "Repeats"),
            where,
            source,
        ),
        [
            (
                Said(one.zh, one.en),
                voice.roles(one.roles),
                voice.roles(one.off_hours),
                voice.channels(one.channels, together=one.all_channels),
                _waits(voice, one),
                voice.value(one.acknowledge_within),
                joined(
                    [
                        voice.value(one.repeat) if one.repeat else NOTHING,
                        before("之后回到 ", "then again from ", plain(one.repeat_from or "")),
                    ]
                ),
                voice.where(one.levels, one.when),
                voice.source(one),
            )
            for one in plan.tiers
        ],
    )
    yield (
        "inform",
        Said("知会", "Informed"),
        (Said("事由", "What"), Said("节点", "At"), roles, Said("渠道", "Channels"), where, source),
        [
            (
                words(one.words) if one.words else plain(one.id),
                voice.milestone(one.on),
                voice.roles(one.roles),
                voice.channels(one.channels, together=one.all_channels),
                voice.where(one.levels, one.when),
                voice.source(one),
            )
            for one in plan.inform
        ],
    )
    yield (
        "messages",
        Said("消息文字", "Words of messages"),
        (Said("渠道", "Channel"), Said("用意", "For"), Said("文字", "Text"), where, source),
        [
            (
                CHANNELS[one.channel],
                PURPOSES[one.purpose] if one.purpose else NOTHING,
                words(one.text),
                voice.where(one.levels, None),
                plain(one.source or ""),
            )
            for one in plan.messages
        ],
    )
    yield (
        "bypass",
        Said("越级通道", "Ways past the ladder"),
        (Said("通道", "Way"), roles, Said("拨打", "Dial"), where, source),
        [
            (
                words(one.words),
                voice.roles(one.roles),
                plain(one.dial or ""),
                voice.where(one.levels, one.when),
                voice.source(one),
            )
            for one in plan.bypass
        ],
    )
    decided = (Said("事项", "What"), Said("由谁", "By"), Said("时限", "Within"), Said("无人决定时", "On silence"))
    yield (
        "activation",
        Said("启动决定", "Activation"),
        (*decided, where, source),
        [
            (
                words(one.words),
                voice.roles(one.roles),
                voice.value(one.within),
                SILENCES[one.on_silence],
                voice.where(one.levels, one.when),
                voice.source(one),
            )
            for one in plan.activation
        ],
    )
    yield (
        "approvals",
        Said("审批", "Approvals"),
        (*decided, where, source),
        [
            (
                joined([words(one.words), voice.milestone(one.of) if one.of else NOTHING], " · ", " · "),
                joined([voice.roles(step) for step in one.by], " → ", " → "),
                voice.value(one.within) if one.within else NOTHING,
                SILENCES[one.on_silence],
                voice.where(one.levels, one.when),
                voice.source(one),
            )
            for one in plan.approvals
        ],
    )
    yield (
        "recusal",
        Said("回避", "Recusal"),
        (Said("规则", "Rule"), Said("谁", "Who"), Said("代替", "Instead"), where, source),
        [
            (
                words(one.words),
                plain(one.who),
                voice.roles(one.instead),
                voice.where(one.levels, one.when),
                voice.source(one),
            )
            for one in plan.recusal
        ],
    )


def _waits(voice: Voice, tier: TierSpec) -> Said:
    hours = Said("待工作时间", "for working hours") if tier.hours == "working" else NOTHING
    return joined([voice.value(tier.wait) if tier.wait else NOTHING, hours])
