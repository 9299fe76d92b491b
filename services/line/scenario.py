"""The demonstration: four stories on the three first packs, played over HTTP against the running line."""

import asyncio
import re
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import httpx
from rich.console import Console
from rich.table import Table

from services.console.cli.wording import say
from services.line.children import Overrides
from services.line.expectations import Watcher
from services.line.whole_line import RunningLine
from shared.runtime.clock import SystemClock

DEMO_OVERRIDES: Final[Overrides] = {
    # Short limits through the plans' own parameters, so that a story of minutes is told in seconds.
    "bancassurance-incident": {"acknowledge_within": "6s", "page_repeats": 0},
    "telecom-service-quality": {"acknowledge_within": "45s", "page_repeats": 0},
}
_FIELD: Final = re.compile(r'name="([^"]+)"[^>]*value="([^"]*)"')
_BATCH: Final = 50


async def play(line: RunningLine, out: Console) -> int:
    """Play every story at once, as real life does; 0 when every expected message arrived, else 1."""
    watcher = Watcher.of(line)
    run = secrets.token_hex(3)
    try:
        await watcher.skip_old_messages()
        with out.status(say("演示场景：四个故事同时发生", "playing the scenario: four stories at once")):
            await asyncio.gather(
                _a_complaint_climbs(watcher, run, out.print),
                _a_burst_raises_a_warning(watcher, run, out.print),
                _nobody_acknowledges(watcher, run, out.print),
                _a_forecast_draws_near(watcher, run, out.print),
            )
        _summary(watcher, out)
        return 0 if all(outcome.met for outcome in watcher.outcomes) else 1
    except httpx.HTTPError as error:
        out.print(say("场景中断：", "the scenario broke off: ") + repr(error), style="red", markup=False)
        return 1
    finally:
        await watcher.close()


async def _a_complaint_climbs(watcher: Watcher, run: str, tell: Callable[[str], None]) -> None:
    """Facts arrive one after the other; the case rises from yellow to red; the link in the message stops the chain."""
    number = ""
    for customers, level in ((5_200, "黄色预警"), (21_000, "橙色预警"), (52_000, "红色预警")):
        number = await _post(
            watcher,
            "complaints",
            reference=f"climb-{run}",
            category="network",
            topic=f"家庭宽带中断 {run}",
            title="小区宽带大面积中断",
            facts={"line": "network", "customers_affected": customers},
        )
        story = say(f"宽带中断，影响 {customers} 户 → {level}", f"broadband down for {customers} customers → {level}")
        tell(f"  [bold]{number}[/bold]  {story}")
        await watcher.expect(f"{number} {level} SMS", _told(watcher, number, level, kind="sms"))
    await watcher.expect(f"{number} 红色预警 mail", _told(watcher, number, "红色预警", kind="mail"))
    link = await watcher.expect(f"{number} link", _link(watcher, number))
    if link:
        async with httpx.AsyncClient(timeout=10.0) as phone:
            fields = dict(_FIELD.findall((await phone.get(link)).text))
            (await phone.post(link, data=fields)).raise_for_status()
        tell(f"  [bold]{number}[/bold]  " + say("按短信链接确认", "acknowledged by the link in the SMS"))

    async def acknowledged() -> bool:
        case = await watcher.case(number)
        return case is not None and case["state"] == "acknowledged" and case["next_tier_at"] is None

    await watcher.expect(f"{number} acknowledged, chain stopped", acknowledged)


async def _a_burst_raises_a_warning(watcher: Watcher, run: str, tell: Callable[[str], None]) -> None:
    """More than 100, then more than 300 complaints on one topic in a day."""
    topic = f"话费争议 {run}"
    posted = 0
    for enough, level in ((110, "黄色预警"), (310, "橙色预警")):
        while posted < enough:
            batch = [
                _body(f"burst-{run}-{number}", category="billing", topic=topic, title="对扣费有异议")
                for number in range(posted, min(posted + _BATCH, enough))
            ]
            (await watcher.intake.post("/v1/complaints:batch", json=batch)).raise_for_status()
            posted += len(batch)
        tell(
            "  " + say(f"{topic}：今日已有 {posted} 件投诉 → {level}", f"{topic}: {posted} complaints today → {level}")
        )

        async def raised(level: str = level) -> bool:
            warning = await watcher.warning_on(topic)
            return warning is not None and warning["level_label"] == level

        await watcher.expect(f"{topic} {level} case", raised)
        warning = await watcher.warning_on(topic)
        if warning is not None:
            number = warning["number"]
            await watcher.expect(f"{number} {level} SMS", _told(watcher, number, level, kind="sms"))


async def _nobody_acknowledges(watcher: Watcher, run: str, tell: Callable[[str], None]) -> None:
    """Five customers complain together at an outlet; the contacts stay silent; the responsible persons are called."""
    number = await _post(
        watcher,
        "complaints",
        reference=f"group-{run}",
        category="bancassurance",
        topic=f"保险退保 {run}",
        title="多名客户在网点集体投诉",
        facts={"people": 5},
    )
    story = say(
        "5 名客户集体投诉，应急联系人未确认 → 上报责任人",
        "5 customers complain together; the contacts stay silent → responsible persons",
    )
    tell(f"  [bold]{number}[/bold]  {story}")
    for role in ("bank-emergency-contact", "bank-responsible-person"):
        await watcher.expect(f"{number} {role} SMS", _told(watcher, number, role=role, kind="sms"), within=30.0)


async def _a_forecast_draws_near(watcher: Watcher, run: str, tell: Callable[[str], None]) -> None:
    """A crowd is expected in a little over six hours; seconds later yellow turns to orange by itself."""
    expected_at = SystemClock().now() + timedelta(hours=6, seconds=4)
    number = await _post(
        watcher,
        "incidents",
        reference=f"crowd-{run}",
        category="crowd-flow",
        topic=f"中心广场客流 {run}",
        title="预计出现大客流",
        facts={"expected_at": expected_at.isoformat()},
    )
    story = say(
        "预计 6 小时后出现大客流：黄色，随时间自动升为橙色",
        "a large crowd in 6 hours: yellow, and orange by the passing of time",
    )
    tell(f"  [bold]{number}[/bold]  {story}")
    for level in ("黄色预警", "橙色预警"):
        await watcher.expect(f"{number} {level} SMS", _told(watcher, number, level, kind="sms"))


def _body(reference: str, **fields: Any) -> dict[str, Any]:
    return {
        "source": "demo",
        "reference": reference,
        "channel": "hotline",
        "occurred_at": SystemClock().now().isoformat(),
        "place": {"province": "四川", "city": "成都"},
        **fields,
    }


async def _post(watcher: Watcher, kind: str, *, reference: str, **fields: Any) -> str:
    answer = await watcher.intake.post(f"/v1/{kind}", json=_body(reference, **fields))
    answer.raise_for_status()
    number: str = answer.json()["number"]
    return number


def _told(watcher: Watcher, number: str, *needles: str, kind: str, role: str | None = None) -> Callable[[], Any]:
    async def condition() -> bool:
        addresses = await watcher.on_duty(role) if role is not None else None
        return any(
            message["kind"] == kind and (addresses is None or message["to"] in addresses)
            for message in await watcher.messages(number, *needles)
        )

    return condition


def _link(watcher: Watcher, number: str) -> Callable[[], Any]:
    async def condition() -> str | None:
        return next(
            (link for message in await watcher.messages(number) for link in message["links"] if "/a/" in link), None
        )

    return condition


def _summary(watcher: Watcher, out: Console) -> None:
    table = Table(title=say("烽火 · 应到与已到", "Fenghuo · what was expected and what arrived"), title_justify="left")
    table.add_column(say("应到", "expected"))
    table.add_column(say("已到", "arrived"), justify="center")
    table.add_column(say("用时", "after"), justify="right")
    for outcome in watcher.outcomes:
        mark = "[green]✓[/green]" if outcome.met else "[red]✗[/red]"
        table.add_row(outcome.what, mark, f"{outcome.seconds:.1f} s")
    out.print(table)
