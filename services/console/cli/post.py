"""`fenghuo post`: register a complaint or an incident."""

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from services.console.cli.connection import Connection
from services.console.cli.output import OUT, print_json
from services.console.cli.wording import CommandError, say
from shared.runtime.ids import TimeOrderedIds


class Kind(StrEnum):
    COMPLAINT = "complaint"
    INCIDENT = "incident"


def post(  # noqa: PLR0917  # options are given by name
    kind: Annotated[Kind, typer.Argument(help="complaint | incident")] = Kind.COMPLAINT,
    file: Annotated[
        str | None, typer.Option("--file", "-f", help="JSON 文件，- 为标准输入 / JSON file, - for stdin")
    ] = None,
    title: Annotated[str | None, typer.Option(help="标题 / title")] = None,
    narrative: Annotated[str | None, typer.Option(help="经过 / what happened")] = None,
    source: Annotated[str, typer.Option(help="来源 / source")] = "cli",
    reference: Annotated[str | None, typer.Option(help="来源编号，同号补充事实 / the source's number")] = None,
    topic: Annotated[str | None, typer.Option(help="主题 / topic")] = None,
    category: Annotated[str | None, typer.Option(help="类别 / category")] = None,
    channel: Annotated[str | None, typer.Option(help="渠道 / channel")] = None,
    city: Annotated[str | None, typer.Option(help="地市 / city")] = None,
    plan: Annotated[list[str] | None, typer.Option(help="指定预案 / plan by name; may be repeated")] = None,
    fact: Annotated[
        list[str] | None, typer.Option("--fact", help="名=值，值按 JSON 读取 / name=value, may be repeated")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,  # noqa: FBT002  # a flag
) -> None:
    """登记投诉或事件，打印编号 / register a complaint or an incident and print its number."""
    given: dict[str, Any] = {
        "source": source,
        "reference": reference,
        "title": title,
        "narrative": narrative,
        "topic": topic,
        "category": category,
        "channel": channel,
        "place": {"city": city} if city else None,
        "plans": plan or None,
        "facts": dict(_fact(text) for text in fact) if fact else None,
    }
    options = {name: value for name, value in given.items() if value is not None}
    stored = _read(file)
    body = options | stored if file and source == "cli" else stored | options
    body.setdefault("reference", str(TimeOrderedIds().new()))
    connection = Connection.find()
    answer = connection.post(connection.intake_url, f"/v1/{kind.value}s", body)
    if as_json:
        print_json(answer)
        return
    number, case_id = answer.get("number", "?"), answer.get("case_id", "?")
    OUT.print(say(f"已登记 {number}", f"Registered {number}"), style="bold green")
    OUT.print(f"{case_id}", style="dim")
    if answer.get("duplicate"):
        OUT.print(say("此事件此前已登记。", "The same event was registered before."))


def _read(file: str | None) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
        content = json.loads(text)
    except OSError as error:
        raise CommandError(
            f"无法读取 {file}：{error.strerror}", f"{file} cannot be read: {error.strerror}", 2
        ) from error
    except ValueError as error:
        raise CommandError(f"{file} 不是有效的 JSON：{error}", f"{file} is not JSON: {error}", 2) from error
    if not isinstance(content, dict):
        raise CommandError(f"{file} 应为一个 JSON 对象。", f"{file} must hold one JSON object.", 2)
    return content


def _fact(text: str) -> tuple[str, Any]:
    name, separator, value = text.partition("=")
    if not separator or not name:
        raise CommandError(f"--fact 应写成 名=值，而不是 {text!r}。", f"--fact is name=value, not {text!r}.", 2)
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
