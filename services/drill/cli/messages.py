"""`messages preview`: what a person would read, without sending anything."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

import typer

from services.drill.cli.plan_options import PLANS_DIR, AsJson, PlansDir, complain, find_plan, print_json
from services.notifier.domain.segments import is_gsm, segments
from services.notifier.domain.templates import TemplateError, read_templates
from services.notifier.domain.texts import MAX_SMS_SEGMENTS, Message, render
from shared.contracts.notifications import Purpose, Subject
from shared.contracts.values import Place
from shared.plans.compiled import CompiledPlan, UnknownLevelError

app: Final = typer.Typer(name="messages", help="消息：预览 · messages: preview.", no_args_is_help=True)
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
        subject = _sample(found, level, language)
        own = read_templates(
            {str(one): one.read_text(encoding="utf-8") for one in sorted(templates.glob("*.yaml"))} if templates else {}
        )
    except (UnknownLevelError, TemplateError, OSError, UnicodeDecodeError) as error:
        complain(str(error), as_json=as_json)
    now = datetime(2026, 11, 22, 1, 5, tzinfo=UTC)
    message = Message(
        purpose=purpose,
        subject=subject,
        language=language,
        zone=ZoneInfo("Asia/Shanghai"),
        now=now,
        link=_LINK if purpose is Purpose.PAGE else None,
        requested_at=now,
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


def _sample(plan: CompiledPlan, level: str, language: Literal["zh", "en"]) -> Subject:
    """A case of this plan and level with values that show every place. Raises UnknownLevelError."""
    known = plan.level(level)
    expected = plan.expected(level)
    begins = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
    zh = language == "zh"
    return Subject(
        number="2026-11-000123",
        plan=plan.name,
        plan_title=getattr(plan.title, language),
        level=level,
        level_label=known.zh if zh else known.en,
        level_rank=plan.rank(level),
        highest_rank=plan.highest_rank,
        because="示例依据：数量 60 超过 50" if zh else "sample criterion: 60 is more than 50",
        title="示例事项标题" if zh else "Title of a sample case",
        topic="示例主题" if zh else "sample topic",
        place=Place(city="示例市" if zh else "Sample City", site="示例地点" if zh else "sample site"),
        expected=getattr(expected, language) if expected is not None else None,
        due_at=begins + timedelta(hours=2),
        next_tier="上一级负责人" if zh else "the next tier",
        occurred_at=begins,
    )
