"""`messages preview`: what a person would read, without sending anything."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from services.drill.cli.plan_options import PLANS_DIR, AsJson, PlansDir, complain, find_plan, print_json
from services.notifier.domain.templates import TemplateError, read_templates
from services.notifier.domain.texts import MAX_SMS_SEGMENTS, Message, render
from shared.contracts.notifications import Purpose
from shared.plans.compiled import UnknownLevelError
from shared.plans.sample_message import sample_subject
from shared.plans.sms_segments import is_gsm, segments

app: Final = typer.Typer(name="messages", help="消息：预览 · messages: preview.", no_args_is_help=True)
_NOW: Final = datetime(2026, 11, 22, 1, 5, tzinfo=UTC)
_LINK: Final = "https://fenghuo.example.org/a/" + "x" * 130


@app.callback()
def group() -> None:
    """消息 · messages."""


@app.command()
def preview(  # noqa: PLR0917  # options of a command
    plan: Annotated[str, typer.Option(help="预案 · plan")],
    level: Annotated[str, typer.Option(help="等级 · level")],
    channel: Annotated[Literal["sms", "email", "voice"], typer.Option()] = "sms",
    language: Annotated[Literal["zh", "en"], typer.Option()] = "zh",
    purpose: Annotated[Purpose, typer.Option()] = Purpose.PAGE,
    templates: Annotated[Path | None, typer.Option(envvar="FENGHUO_TEMPLATES", help="Folder of templates")] = None,
    plans_dir: PlansDir = PLANS_DIR,
    *,
    as_json: AsJson = False,
) -> None:
    """The message with sample values, and how many SMS it costs · 用示例数据预览消息及短信条数."""
    found = find_plan(plans_dir, plan, as_json=as_json)
    try:
        subject = sample_subject(found, level, language, _NOW, purpose)
        own = read_templates(
            {str(one): one.read_text(encoding="utf-8") for one in sorted(templates.glob("*.yaml"))} if templates else {}
        )
    except (UnknownLevelError, TemplateError, OSError, UnicodeDecodeError) as error:
        complain(str(error), as_json=as_json)
    message = Message(
        purpose=purpose,
        subject=subject,
        language=language,
        zone=found.zone,
        now=_NOW,
        link=_LINK if purpose is Purpose.PAGE else None,
        requested_at=_NOW,
        templates=found.messages_for(purpose, level),
    )
    text = own.render(message, render(message), max_segments=MAX_SMS_SEGMENTS)
    shown = {"sms": text.sms, "email": text.plain, "voice": text.spoken}[channel]
    cost = {"segments": segments(text.sms), "alphabet": "GSM-7" if is_gsm(text.sms) else "UCS-2"}
    if as_json:
        print_json(
            {"channel": channel, "language": language, "subject": text.headline, "text": shown}
            | (cost if channel == "sms" else {})
        )
        return
    typer.echo(shown)
    if channel == "sms":
        typer.echo(f"— {cost['segments']} × SMS, {cost['alphabet']}, {len(text.sms)} 字 / characters")
