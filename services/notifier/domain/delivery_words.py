"""Why a message did not go out, in words: the last word on each way that was tried, and what bars the others. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from services.notifier.domain.attempts import NEGATIVE, Attempt, Route
from services.notifier.domain.reasons import CHANNELS_ZH, in_chinese
from shared.contracts.values import Bilingual

_ZH: Final = {
    "accepted": "已受理",
    "transient": "暂时失败",
    "unavailable": "服务商不可用",
    "permanent": "被拒绝",
    "unknown": "没有答复",
    "not confirmed": "未确认送达",
    "undelivered": "未送达",
    "rejected": "被短信中心拒绝",
}


def why_not(attempts: Sequence[Attempt], bars: Mapping[Route, str], skipped: Iterable[str]) -> Bilingual:
    """All reasons. `bars` says why ways were not even tried, `skipped` why channels have none. Empty: no reason."""
    last = _last_words(attempts)
    en = [f"{_way(route)}: {said} {why}".strip() for route, (said, why) in last.items()]
    zh = [f"{_way_zh(route)}{_ZH.get(said, said)} {in_chinese(why)}".strip() for route, (said, why) in last.items()]
    en += [f"{_way(route)}: {why}" for route, why in bars.items()]
    zh += [f"{_way_zh(route)}{in_chinese(why)}" for route, why in bars.items()]
    left = list(skipped)
    return Bilingual(zh="；".join((*zh, *map(in_chinese, left))), en="; ".join((*en, *left)))


def _last_words(attempts: Sequence[Attempt]) -> dict[Route, tuple[str, str]]:
    last: dict[Route, tuple[str, str]] = {}
    for attempt in attempts:
        negative = next((receipt for receipt in attempt.receipts if receipt.status in NEGATIVE), None)
        if negative is not None:
            last[attempt.route] = negative.status.value, negative.why
        elif attempt.unconfirmed is not None:
            last[attempt.route] = "not confirmed", f"within {attempt.unconfirmed.total_seconds():g} s"
        elif attempt.outcome is not None:
            last[attempt.route] = attempt.outcome.answer.value, attempt.outcome.why
    return last


def _way(route: Route) -> str:
    return f"{route.channel.value} via {route.provider} ({route.contact})"


def _way_zh(route: Route) -> str:
    return f"{CHANNELS_ZH[route.channel.value]}经 {route.provider}（{route.contact}）"
