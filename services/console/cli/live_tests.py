"""`fenghuo roster live-test`: whether messages reach people, and how long until they answer."""

from time import sleep
from typing import Annotated, Any, Final

import typer

from services.console.cli.connection import Connection
from services.console.cli.output import OUT, local_time, print_json, table
from services.console.cli.wording import CommandError, say
from shared.plans.limits import parse_elapsed

_PAUSE_S: Final = 1.0


def live_test(
    role: Annotated[str | None, typer.Option(help="此刻当值此角色者 / those on duty for it now")] = None,
    person: Annotated[str | None, typer.Option(help="人员 / person id")] = None,
    everybody: Annotated[bool, typer.Option("--all", help="所有未休假者 / everybody not on leave")] = False,  # noqa: FBT002  # a flag
    wait: Annotated[str, typer.Option(help="等多久，如 90s、15m、1h / how long to wait")] = "15m",
    as_json: Annotated[bool, typer.Option("--json")] = False,  # noqa: FBT002  # a flag
) -> None:
    """发测试消息并等确认；有人未确认时退出码为 1 / send a test and wait for answers; exit 1 when one is missing."""
    if (role is not None) + (person is not None) + everybody != 1:
        raise CommandError(
            "--role、--person、--all 须且只须给一个", "give exactly one of --role, --person and --all", 2
        )
    connection = Connection.find()
    wanted = {"role": role, "person": person, "all": everybody, "wait_s": _seconds(wait)}
    found = connection.post(connection.notifier_url, "/v1/roster/live-tests", wanted)
    if not as_json:
        OUT.print(f"{found['number']}  {say('已发送，等待确认', 'sent, waiting for answers')}", markup=False)
    while not found["over"]:
        sleep(_PAUSE_S)
        found = connection.get(connection.notifier_url, f"/v1/roster/live-tests/{found['test_id']}")
    if as_json:
        print_json(found)
    else:
        _print(found)
    if found["unanswered"]:
        raise typer.Exit(1)


def live_tests(
    limit: Annotated[int, typer.Option(min=1, max=200, help="最近几次 / how many")] = 10,
    as_json: Annotated[bool, typer.Option("--json")] = False,  # noqa: FBT002  # a flag
) -> None:
    """最近的联络测试（含定期的）与未确认者 / the last live tests, scheduled ones too, and who did not answer."""
    connection = Connection.find()
    found = connection.get(connection.notifier_url, "/v1/roster/live-tests", limit=limit)
    if as_json:
        print_json(found)
        return
    rows = table(
        say("时间", "When"),
        say("编号", "Number"),
        say("发起", "By"),
        say("已确认", "Answered"),
        say("未确认", "Missing"),
    )
    for one in found["live_tests"]:
        asked, missing = len(one["people"]), one["unanswered"]
        told = ", ".join(missing) if one["over"] else say("等待中：", "waiting for: ") + ", ".join(missing)
        made_by = say("定期", "schedule") if one["made_by"] == "schedule" else one["made_by"]
        rows.add_row(local_time(one["asked_at"]), one["number"], made_by, f"{asked - len(missing)}/{asked}", told)
    OUT.print(rows)


def _seconds(text: str) -> int:
    try:
        return round(parse_elapsed(text).total_seconds())
    except ValueError as error:
        raise CommandError(f"--wait {text}：应如 90s、15m、1h", f"--wait {text}: write 90s, 15m or 1h", 2) from error


def _print(found: dict[str, Any]) -> None:
    rows = table(say("人员", "Person"), say("确认用时", "Answered after"))
    for one in found["people"]:
        after = one["answered_after_s"]
        late = say("（迟）", " (late)") if one["person"] in found["unanswered"] else ""
        missing = say("[red]未确认[/red]", "[red]no answer[/red]")
        rows.add_row(one["person"], missing if after is None else f"{after:.0f} s{late}")
    OUT.print(rows)
