"""The fixed words of a plan's description, Chinese first: milestones, lengths of time, what a breach does."""

import re
from dataclasses import dataclass
from typing import Final

from shared.plans.words import Words


@dataclass(frozen=True, slots=True)
class Said:
    """One text in both languages. `code`: as it stands in the file. `rank`: of a level, 1 the mildest."""

    zh: str
    en: str
    code: bool = False
    rank: int | None = None


NOTHING: Final = Said("", "")

MILESTONES: Final = {
    "occurred": Said("发生", "occurred"),
    "received": Said("受理", "received"),
    "classified": Said("定级", "classified"),
    "acknowledged": Said("确认", "acknowledged"),
    "resolved": Said("解决", "resolved"),
    "closed": Said("办结", "closed"),
    "breached": Said("超时", "a limit ran out"),
    "extended": Said("延期", "extended"),
    "level-changed": Said("级别变化", "level changed"),
    "withdrawn": Said("撤回", "withdrawn"),
    "invalidated": Said("判为无效", "found invalid"),
    "merged": Said("合并", "merged"),
}
CHANNELS: Final = {
    "sms": Said("短信", "SMS"),
    "voice": Said("语音", "voice"),
    "email": Said("邮件", "e-mail"),
    "im": Said("即时消息", "chat"),
    "subject": Said("标题", "headline"),
}
PURPOSES: Final = {
    "page": Said("呼叫", "page"),
    "inform": Said("知会", "information"),
    "warn": Said("时限将到", "a limit is near"),
    "breach": Said("已超时限", "a limit ran out"),
    "stand-down": Said("已解除", "stood down"),
}
KINDS: Final = {
    "complaint": Said("投诉", "complaint"),
    "incident": Said("事件", "incident"),
    "warning": Said("预警", "early warning"),
    "any": Said("投诉或事件", "complaint or incident"),
}
BREACHES: Final = {
    "next-tier": Said("呼叫上一层级", "the next tier is paged"),
    "notify": Said("通报", "told"),
    "record": Said("仅记录", "recorded"),
    "raise-level": Said("升级", "the level rises"),
}
SILENCES: Final = {
    "activate": Said("自动启动", "starts anyway"),
    "next-tier": Said("上报上一层级", "goes up a tier"),
    "notify": Said("通报", "told"),
    "record": Said("仅记录", "recorded"),
}
REASONS: Final = {
    "gap": Said("原文残缺", "the text is cut or blank"),
    "unlawful": Said("做法不合法，不采用", "unlawful, left out"),
    "misprint": Said("原文有误，按文意执行", "a misprint, read as meant"),
    "judgement": Said("由人判断", "a person judges"),
    "outside": Said("不属预案", "not the business of a plan"),
}
EVERY: Final = {
    "once": Said("一次", "once"),
    "day": Said("每天", "every day"),
    "working-day": Said("每个工作日", "every working day"),
    "week": Said("每周", "every week"),
    "month": Said("每月", "every month"),
    "quarter": Said("每季度", "every quarter"),
    "half-year": Said("每半年", "every half-year"),
    "year": Said("每年", "every year"),
    "hour": Said("每小时", "hour"),
}
CONSEQUENCES: Final = {
    "sanction": Said("处分", "sanction"),
    "reward": Said("奖励", "reward"),
    "accountability": Said("问责", "accountability"),
    "compensation": Said("补偿", "compensation"),
}
_UNITS: Final = {
    "w": ("周", "week"),
    "d": ("天", "day"),
    "h": ("小时", "hour"),
    "m": ("分钟", "minute"),
    "s": ("秒", "second"),
    "wh": ("个工作小时", "working hour"),
    "wd": ("个工作日", "working day"),
    "cd": ("个自然日", "calendar day"),
    "mo": ("个月", "month"),
}
_PARTS: Final = re.compile(r"([0-9]+)(wh|wd|cd|mo|[wdhms])")


def plain(text: object) -> Said:
    """The same in both languages."""
    return Said(str(text), str(text))


def words(text: Words | None) -> Said:
    return Said(text.zh, text.en) if text is not None else NOTHING


def length(text: str) -> Said:
    """`1h30m` as `1小时30分钟` and `1 hour 30 minutes`; a text that is no length stays as it is."""
    if text == "same-day":
        return Said("当日内", "the same day")
    parts = _PARTS.findall(text)
    if not parts:
        return plain(text)
    zh = "".join(f"{int(count)}{_UNITS[unit][0]}" for count, unit in parts)
    en = " ".join(f"{int(count)} {_UNITS[unit][1]}{'' if int(count) == 1 else 's'}" for count, unit in parts)
    return Said(zh, en)


def joined(texts: list[Said], zh: str = "、", en: str = ", ") -> Said:
    """Those that say something, one after the other."""
    said = [text for text in texts if text.zh or text.en]
    return Said(zh.join(text.zh for text in said), en.join(text.en for text in said))


def before(zh: str, en: str, text: Said) -> Said:
    """The text after these words; nothing where the text is nothing."""
    return Said(zh + text.zh, en + text.en) if text.zh or text.en else NOTHING
