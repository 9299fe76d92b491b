"""Why a message did not go, in Chinese: our own phrases are translated, a provider's own words stay as they are."""

import re
from typing import Final

from shared.contracts.values import ChannelKind

CHANNELS_ZH: Final = {
    ChannelKind.SMS.value: "短信",
    ChannelKind.EMAIL.value: "邮件",
    ChannelKind.VOICE.value: "电话",
    ChannelKind.IM.value: "即时消息",
}
_PHRASES: Final = (
    (r"no answer was recorded in time", "未在时限内记下答复"),
    (r"within ([\d.]+) s", r"（\1 秒内）"),
    (r"the call took too long", "调用超时"),
    (r"the provider is not configured", "该服务商未配置"),
    (r"no provider is configured", "没有配置服务商"),
    (r"no provider serves the prefix of \S+", "没有服务商受理该号段"),
    (r"\S+ has no contact point", "没有联系方式"),
    (r"\S+ has no verified contact point", "联系方式均未经验证，值班表规定不使用"),
    (r"\S+ is no longer in the roster", "值班表中已无此人"),
    (r"not called after (\d+) failures in a row", r"连续失败 \1 次，暂停调用"),
    (r"a probe of this provider is on its way", "正在试探该服务商"),
    (r"the money for the day is spent", "当日费用已用完"),
    (r"the adapter failed: ", "适配器出错："),
    (r"cannot connect: ", "连接不上："),
    (r"unusable answer: ", "答复不可用："),
    (r"no answer in time: ", "未按时答复："),
    (r"connection broke: ", "连接中断："),
    (r"the text is longer than (\d+) characters", r"文本超过 \1 字"),
    (r"no short message can be made of this: ", "无法组成短信："),
    (r"the centre throttles us", "短信中心限流"),
    (r"not bound to the message centre", "未连上短信中心"),
    (r"no answer from the centre: ", "短信中心没有答复："),
    (r"only some parts were taken: ", "只受理了部分分段："),
    (r"no mail can be made of this: ", "无法组成邮件："),
    (r"no answer to the mail's text: ", "正文发出后没有答复："),
    (r"the server refuses our credentials", "服务器拒绝我方凭据"),
    (r"the contact is not a member's id, a phone number or @all", "联系方式不是成员编号、手机号或 @all"),
    (r"the answer has no code", "答复没有代码"),
)
_KNOWN: Final = tuple((re.compile(pattern), zh) for pattern, zh in _PHRASES)
_CHANNEL: Final = re.compile(rf"({'|'.join(CHANNELS_ZH)}): ")


def in_chinese(why: str) -> str:
    """A reason as a Chinese reader can read it."""
    channel = _CHANNEL.match(why)
    if channel is not None:
        return f"{CHANNELS_ZH[channel[1]]}：{in_chinese(why[channel.end() :])}"
    for pattern, zh in _KNOWN:
        found = pattern.match(why)
        if found is not None:
            return found.expand(zh) + why[found.end() :]
    return why
