"""Texts of an installation's own and of plans, by purpose, channel and language: named places only, no code.

Mark of drills, our name and the acknowledgement link are not the template's business: they are always there. Values
are cleaned as everywhere, and nothing in a value is read as a template.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from services.notifier.domain.texts import LABELS, PURPOSES, Message, Rendered, clean_headline, mark_of, parts_of
from services.notifier.domain.words import clean, for_phones
from shared.contracts.notifications import MessageForm, Purpose
from shared.contracts.values import Language, Slug
from shared.plans.message_texts import MessageText, understood
from shared.plans.sms_segments import segments

MAX_BYTES: Final = 256 * 1024
_LIMITS: Final = (500, 60, 40, 24, 12)


class TemplateError(ValueError):
    """Templates that cannot be used, with every problem found."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class _Written(BaseModel):
    model_config = ConfigDict(extra="forbid")

    plan: Slug | None = None
    purpose: Purpose | None = None
    channel: MessageForm
    language: Language
    text: Annotated[str, Field(min_length=1, max_length=2000)]


class _WrittenFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    templates: Annotated[tuple[_Written, ...], Field(max_length=1000)]


Key = tuple[str | None, Purpose | None, str, str]


@dataclass(frozen=True, slots=True)
class Templates:
    """The templates in force. The installation's for the plan count first, then the plan's own, then general ones."""

    by_key: Mapping[Key, MessageText]

    def render(self, message: Message, usual: Rendered, *, max_segments: int) -> Rendered:
        """The usual texts with those replaced that have a template. An SMS that does not fit stays as usual."""
        if not self.by_key and not message.templates:
            return usual
        values = {**parts_of(message), "purpose": PURPOSES[message.language][message.purpose]}
        words = LABELS[message.language]
        mark = mark_of(message)
        made = usual
        if (subject := self._find(message, "subject")) is not None:
            made = replace(
                made, headline=clean_headline(_filled(subject, values, _LIMITS[0]), f"{mark}【{words['product']}】")
            )
        if (body := self._find(message, "email")) is not None:
            made = _with_body(made, _filled(body, values, _LIMITS[0]), message)
        if (sms := self._find(message, "sms")) is not None:
            tail = f"{words['stop']}{words['link']}{words['colon']}{message.link}" if message.link is not None else ""
            texts = (
                for_phones(f"{mark}【{words['product']}】{_filled(sms, values, limit)}{tail}", message.language)
                for limit in _LIMITS
            )
            made = replace(made, sms=next((one for one in texts if segments(one) <= max_segments), usual.sms))
        if (voice := self._find(message, "voice")) is not None:
            opening = words["drill_line"] if message.drill else ""
            made = replace(made, spoken=f"{opening}{_filled(voice, values, _LIMITS[1])}")
        return made

    def _find(self, message: Message, form: MessageForm) -> MessageText | None:
        plan, purpose, language = message.subject.plan, message.purpose, message.language
        for key in ((plan, purpose), (plan, None)):
            found = self.by_key.get((*key, form, language))
            if found is not None:
                return found
        own = next((one for one in message.templates if one.form == form), None)
        if own is not None and (text := understood(own.zh if language == "zh" else own.en)) is not None:
            return text
        return self.by_key.get((None, purpose, form, language)) or self.by_key.get((None, None, form, language))


def _filled(text: MessageText, values: Mapping[str, str], limit: int) -> str:
    return text.put({name: clean(value, limit) for name, value in values.items()})


def read_templates(files: Mapping[str, str]) -> Templates:
    """The templates of these texts by file name. Raises TemplateError with every problem and its place."""
    found: dict[Key, MessageText] = {}
    problems: list[str] = []
    for name, text in files.items():
        try:
            written = _WrittenFile.model_validate(YAML(typ="safe", pure=True).load(text))
        except YAMLError as error:
            problems.append(f"{name}: not YAML: {' '.join(str(error).split())[:300]}")
            continue
        except ValidationError as error:
            problems += [f"{name}: {'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
            continue
        for place, one in enumerate(written.templates):
            key = (one.plan, one.purpose, one.channel, one.language)
            if key in found:
                problems.append(f"{name}: templates.{place}: stands for the same messages as an earlier one")
            try:
                found[key] = MessageText.parse(one.text)
            except ValueError as error:
                problems.append(f"{name}: templates.{place}.text: {error}")
    if problems:
        raise TemplateError(problems)
    return Templates(found)


def _with_body(made: Rendered, body: str, message: Message) -> Rendered:
    words = LABELS[message.language]
    drill = [words["drill_line"], ""] if message.drill else []
    link = ["", f"{words['link']}{words['colon']}", message.link] if message.link is not None else []
    plain = "\n".join([made.headline, "", *drill, body, *link]) + "\n"
    shown = "".join(f"<p>{escape(line)}</p>" for line in [*drill, *body.splitlines()] if line)
    anchor = f'<p><a href="{escape(message.link)}">{escape(words["link"])}</a></p>' if message.link is not None else ""
    html = (
        f'<!doctype html><html lang="{message.language}"><head><meta charset="utf-8"></head><body>'
        f"<h2>{escape(made.headline)}</h2>{shown}{anchor}</body></html>\n"
    )
    return replace(made, plain=plain, html=html)
