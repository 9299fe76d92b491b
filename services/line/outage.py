"""An outage played on the running line: gateways that refuse, hang and stay silent, and processes that are killed.

Who was told of every case, how, when and how late is read from the ledger over HTTP and printed as a table.
"""

import asyncio
import os
import secrets
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import httpx
from rich.console import Console
from rich.table import Table
from rich.text import Text

from services.console.cli.wording import say
from services.line.children import Overrides
from services.line.expectations import Watcher
from services.line.layout import Layout
from services.line.whole_line import RunningLine
from shared.embedded.processes import free_port
from shared.runtime.clock import SystemClock

OUTAGE_OVERRIDES: Final[Overrides] = {
    "bancassurance-incident": {"acknowledge_within": "7s", "page_repeats": 0},
    "telecom-service-quality": {"acknowledge_within": "10m", "page_repeats": 0},
}
_DEAD_GATEWAY: Final = "dead-gateway"
_DOWN_S: Final = 5.0
_BACKLOG: Final = 6
_REACHED: Final = frozenset({"sent", "delivered"})
_MARKS: Final = {"accepted": "✓", None: "…"}
_WIDTHS: Final = (14, 16, 22, 10, 7)
_SETTLED: Final = {
    "delivered": ("送达", "delivered"),
    "sent": ("已发出", "sent"),
    "failed": ("未送达", "failed"),
    "suppressed": ("未发", "suppressed"),
    "nobody": ("无人", "nobody"),
}


@dataclass
class Played:
    """A case that must reach somebody. `told` is what the ledger says about it in the end."""

    story: str
    case_id: str
    number: str
    posted_at: datetime
    told: list[dict[str, Any]] = field(default_factory=list)

    @property
    def reached(self) -> bool:
        return any(one["settlement"] in _REACHED for one in self.told)


def outage_environment(layout: Layout) -> dict[str, dict[str, str]]:
    """What the notifier runs with: a first gateway that nobody listens at, and short limits."""
    layout.home.mkdir(parents=True, exist_ok=True)
    providers = Path(layout.home).absolute() / "outage-providers.yaml"
    providers.write_text(
        f"providers:\n  - name: {_DEAD_GATEWAY}\n    type: sms-http\n"
        f'    url: http://127.0.0.1:{free_port()}/cgi-bin/sendsms\n    sender: "10690000"\n',
        encoding="utf-8",
    )
    return {
        "notifier": {
            "FENGHUO_PROVIDERS": str(providers),
            "FENGHUO_PROVIDER_TIMEOUT_S": "1.5",
            "FENGHUO_RECEIPT_WITHIN_S": "2.5",
            "FENGHUO_LATE_AFTER_S": "2",
            "FENGHUO_THROTTLE_MESSAGES": "3",
            "FENGHUO_THROTTLE_WINDOW_S": "4",
            "FENGHUO_TRIES_A_ROUTE": "1",
        }
    }


async def play_outage(line: RunningLine, out: Console) -> int:
    """0 when every case reached somebody and everything expected came true, else 1."""
    watcher = Watcher.of(line)
    run = secrets.token_hex(3)
    try:
        await watcher.skip_old_messages()
        (await watcher.sink.delete("/behaviour")).raise_for_status()
        played = await _silent_phones(watcher, run, out.print)
        played += await _a_hanging_gateway(watcher, run, out.print)
        played += await _dead_processes(watcher, run, out.print)
        await watcher.expect(say("每件事项都有人收到", "every case reached somebody"), _all_reached(watcher, played))
        (await watcher.sink.delete("/behaviour")).raise_for_status()
        show_outcome(played, out)
        for outcome in watcher.outcomes:
            mark = "[green]✓[/green]" if outcome.met else "[red]✗[/red]"
            out.print(f"  {mark} {outcome.what}  [dim]{outcome.seconds:.1f} s[/dim]")
        return 0 if all(one.reached for one in played) and all(one.met for one in watcher.outcomes) else 1
    except httpx.HTTPError as error:
        out.print(say("演练中断：", "the outage broke off: ") + repr(error), style="red", markup=False)
        return 1
    finally:
        await watcher.close()


async def _silent_phones(watcher: Watcher, run: str, tell: Callable[[str], None]) -> list[Played]:
    """The first gateway refuses; the second takes the messages, but no receipt ever comes, and nobody acknowledges."""
    contacts = await watcher.on_duty("bank-emergency-contact")
    for phone in (one for one in contacts if one.isdigit()):
        await _behave(watcher, to=phone, do="no-receipt", kind="sms")
    one = await _post(
        watcher, say("短信无回执", "no receipts"), f"silent-{run}", "bancassurance", topic=f"集体退保 {run}",
        title="多名客户在网点集体投诉", facts={"people": 5},
    )  # fmt: skip
    tell(
        "  " + say("首选网关拒绝连接，备用网关受理但没有回执", "the first gateway refuses; no receipts from the second")
    )

    async def second_provider() -> bool:
        return {_DEAD_GATEWAY, "sms-http"} <= {made["provider"] for made in _attempts(await _ledger(watcher, one))}

    async def next_person() -> bool:
        addresses = await watcher.on_duty("bank-responsible-person")
        return any(m["to"] in addresses for m in await watcher.messages(one.number))

    await watcher.expect(say("换用下一家服务商", "the next provider was used"), second_provider)
    told = say("没有回执，也无人确认，上报下一级", "no receipt and nobody acknowledged: the next tier")
    await watcher.expect(told, next_person, within=30.0)
    return [one]


async def _a_hanging_gateway(watcher: Watcher, run: str, tell: Callable[[str], None]) -> list[Played]:
    """Every SMS hangs: those on duty are reached by mail."""
    await _behave(watcher, to="*", do="hang", kind="sms", seconds=3)
    one = await _network(watcher, say("短信网关挂起", "SMS gateway hangs"), f"hang-{run}", 52_000)
    tell("  " + say("所有短信网关都不应答 → 邮件", "no gateway answers any SMS → mail"))

    async def by_mail() -> bool:
        return any(m["kind"] == "mail" for m in await watcher.messages(one.number))

    await watcher.expect(say("红色事项由邮件送达", "the red case was told by mail"), by_mail)
    (await watcher.sink.delete("/behaviour")).raise_for_status()
    return [one]


async def _dead_processes(watcher: Watcher, run: str, tell: Callable[[str], None]) -> list[Played]:
    """Notifier and broker are gone while reports keep coming; back again they drain what gathered, and say how late."""
    supervisor = watcher.line.supervisor
    pids = {status.name: status.pid for status in supervisor.status() if status.pid is not None}
    os.kill(pids["notifier"], signal.SIGSTOP)
    played = [
        await _network(watcher, say("进程中断", "processes down"), f"down-{run}-{place}", 6_000)
        for place in range(_BACKLOG)
    ]
    red = await _network(watcher, say("进程中断", "processes down"), f"down-{run}-red", 60_000)
    if "broker" in pids:
        os.kill(pids["broker"], signal.SIGKILL)
    tell("  " + say("杀死消息代理与通知服务；登记照常受理", "broker and notifier are killed; intake goes on accepting"))
    await asyncio.sleep(_DOWN_S)
    os.kill(pids["notifier"], signal.SIGKILL)
    numbers = [one.number for one in played]

    async def red_late() -> bool:
        return any("迟到" in m["text"] for m in await watcher.messages(red.number))

    async def drained() -> bool:
        told = [m["text"] for m in await watcher.messages()]
        return all(any(number in text for text in told) for number in numbers)

    async def bundled() -> bool:
        return any("合并告知" in f"{m['subject']}{m['text']}" for m in await watcher.messages())

    await watcher.expect(say("红色事项补发并注明迟到", "the red case came, and says how late"), red_late, within=40.0)
    await watcher.expect(say("积压全部送出", "the whole backlog went out"), drained, within=40.0)
    await watcher.expect(say("同一人的积压合并为一条", "the backlog of one person came in one message"), bundled)
    phone = next(m["to"] for m in await watcher.messages(red.number) if m["kind"] == "sms")
    reply = {"from": phone, "to": "10690000", "text": "全部签收"}
    (await watcher.sink.post("/replies", json=reply)).raise_for_status()

    async def all_acknowledged() -> bool:
        cases = [await watcher.case(number) for number in (*numbers, red.number)]
        return all(case is not None and case["state"] == "acknowledged" for case in cases)

    await watcher.expect(say("一条“全部签收”短信签收全部", "one SMS acknowledged them all"), all_acknowledged)
    return [*played, red]


def _all_reached(watcher: Watcher, played: list[Played]) -> Callable[[], Any]:
    async def condition() -> bool:
        for one in played:
            one.told = [intent for request in await _ledger(watcher, one) for intent in request["intents"]]
        return all(one.reached for one in played)

    return condition


async def _ledger(watcher: Watcher, one: Played) -> list[dict[str, Any]]:
    answer = await watcher.notifier.get(f"/v1/cases/{one.case_id}/deliveries")
    if answer.is_error:
        return []
    found: list[dict[str, Any]] = answer.json()["requests"]
    return found


def _attempts(requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [made for request in requests for intent in request["intents"] for made in intent["attempts"]]


async def _behave(watcher: Watcher, **rule: Any) -> None:
    (await watcher.sink.post("/behaviour", json=rule)).raise_for_status()


async def _network(watcher: Watcher, story: str, reference: str, customers: int) -> Played:
    return await _post(
        watcher, story, reference, "network", topic=f"家庭宽带中断 {reference}", title="小区宽带大面积中断",
        facts={"line": "network", "customers_affected": customers},
    )  # fmt: skip


async def _post(watcher: Watcher, story: str, reference: str, category: str, **fields: Any) -> Played:
    now = SystemClock().now()
    body = {
        "source": "demo", "reference": reference, "channel": "hotline", "category": category,
        "occurred_at": now.isoformat(), "place": {"province": "四川", "city": "成都"}, **fields,
    }  # fmt: skip
    answer = await watcher.intake.post("/v1/complaints", json=body)
    answer.raise_for_status()
    return Played(story, answer.json()["case_id"], answer.json()["number"], now)


def show_outcome(played: list[Played], out: Console) -> None:
    """Case by case who was told, by which ways one after the other, what came of it and when. Fits 80 columns."""
    out.print(Text(say("烽火 · 中断演练：谁、如何、何时", "Fenghuo · outage: who, how, when"), style="bold"))
    for story, cases in groupby(played, key=lambda one: one.story):
        out.print()
        out.print(Text(f" {story}", style="cyan"))
        table = Table(box=None, show_header=False)
        for width in _WIDTHS:
            table.add_column(width=width, overflow="fold")
        for one in cases:
            for intent in one.told:
                table.add_row(*_row(one, intent))
        out.print(table)


def _row(one: Played, intent: dict[str, Any]) -> tuple[str | Text, ...]:
    ways = "\n".join(
        f"{'→ ' if number else ''}{made['provider']} {_MARKS.get((made['outcome'] or {}).get('answer'), '✗')}"
        for number, made in enumerate(intent["attempts"])
    )
    noise = intent["noise"]
    if noise is not None and noise["rule"] == "bundled":
        ways = say("合并", "bundled")
    settlement = intent["settlement"]
    style = "green" if settlement in _REACHED else "yellow"
    return (
        one.number,
        Text(intent["person_label"] or intent["role"]),
        Text(ways or "—"),
        Text(say(*_SETTLED.get(settlement, (settlement or "…",) * 2)), style=style),
        _after(one, intent["settled_at"]),
    )


def _after(one: Played, settled_at: str | None) -> str:
    if settled_at is None:
        return "—"
    return f"{(datetime.fromisoformat(settled_at) - one.posted_at).total_seconds():.1f} s"
