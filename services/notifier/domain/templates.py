"""Texts of an installation's own, by plan, purpose, channel and language: named places only, no code.

`{title}` is replaced; what stands in `[…]` is left out when one of its places has nothing to say. Mark of drills, our
name and the acknowledgement link are not the template's business: they are always there. Values are cleaned as
everywhere, and nothing in a value is read as a template.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from services.notifier.domain.segments import segments
from services.notifier.domain.texts import LABELS, PURPOSES, Message, Rendered, clean_headline, mark_of, parts_of
from services.notifier.domain.words import clean
from shared.contracts.notifications import Purpose
from shared.contracts.values import Language, Slug

PLACES: Final = frozenset(
    {
        "case",
        "level",
        "purpose",
        "what",
        "topic",
        "place",
        "because",
        "occurred",
        "expected",
        "due",
        "next",
        "late",
        "plan",
    }
)
MAX_BYTES: Final = 256 * 1024
_TOKEN: Final = re.compile(r"\{([^{}]*)\}|[\[\]{}]")
_LIMITS: Final = (500, 60, 40, 24, 12)

Form = Literal["subject", "email", "sms", "voice"]


class TemplateError(ValueError):
    """Templates that cannot be used, with every problem found."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Template:
    """Pieces of text; those of one group stand or fall together. A piece is fixed text or the name of a place."""

    groups: tuple[tuple[tuple[str, bool], ...], ...]

    @classmethod
    def parse(cls, text: str) -> "Template":
        """Raises ValueError naming what is wrong."""
        groups: list[tuple[tuple[str, bool], ...]] = []
        current: list[tuple[str, bool]] = []
        is_open, end = False, 0
        for found in _TOKEN.finditer(text):
            current.append((text[end : found.start()], False))
            end, name = found.end(), found[1]
            if name is not None:
                if name not in PLACES:
                    raise ValueError(f"there is no place '{{{name[:40]}}}' (there are {', '.join(sorted(PLACES))})")
                current.append((name, True))
            elif found[0] in "{}":
                raise ValueError("a brace stands alone")
            elif (found[0] == "[") == is_open:
                raise ValueError("brackets do not fit together")
            else:
                # Outside brackets every piece is a group of its own: none takes another with it.
                groups += [tuple(current)] if is_open else [(piece,) for piece in current]
                current, is_open = [], found[0] == "["
        if is_open:
            raise ValueError("brackets do not fit together")
        current.append((text[end:], False))
        return cls((*groups, *((piece,) for piece in current)))

    def fill(self, values: Mapping[str, str], limit: int) -> str:
        """One text; each value cut to `limit` characters. A group with an empty place is left out."""
        said: list[str] = []
        for group in self.groups:
            if all(not is_place or values.get(text) for text, is_place in group):
                said += [clean(values[text], limit) if is_place else text for text, is_place in group]
        return "".join(said).strip()


class _Written(BaseModel):
    model_config = ConfigDict(extra="forbid")

    plan: Slug | None = None
    purpose: Purpose | None = None
    channel: Form
    language: Language
    text: Annotated[str, Field(min_length=1, max_length=2000)]


class _WrittenFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    templates: Annotated[tuple[_Written, ...], Field(max_length=1000)]


Key = tuple[str | None, Purpose | None, str, str]


@dataclass(frozen=True, slots=True)
class Templates:
    """The templates in force. The one that names most of a message counts, the plan before the purpose."""

    by_key: Mapping[Key, Template]

    def render(self, message: Message, usual: Rendered, *, max_segments: int) -> Rendered:
        """The usual texts with those replaced that have a template. An SMS that does not fit stays as usual."""
        values = {**parts_of(message), "purpose": PURPOSES[message.language][message.purpose]}
        words = LABELS[message.language]
        mark = mark_of(message)
        made = usual
        if (subject := self._find(message, "subject")) is not None:
            made = replace(
                made, headline=clean_headline(subject.fill(values, _LIMITS[0]), f"{mark}【{words['product']}】")
            )
        if (body := self._find(message, "email")) is not None:
            made = _with_body(made, body.fill(values, _LIMITS[0]), message)
        if (sms := self._find(message, "sms")) is not None:
            tail = f"{words['stop']}{words['link']}{words['colon']}{message.link}" if message.link is not None else ""
            texts = (f"{mark}【{words['product']}】{sms.fill(values, limit)}{tail}" for limit in _LIMITS)
            made = replace(made, sms=next((one for one in texts if segments(one) <= max_segments), usual.sms))
        if (voice := self._find(message, "voice")) is not None:
            opening = words["drill_line"] if message.drill else ""
            made = replace(made, spoken=f"{opening}{voice.fill(values, _LIMITS[1])}")
        return made

    def _find(self, message: Message, form: Form) -> Template | None:
        plan = message.subject.plan
        for key in ((plan, message.purpose), (plan, None), (None, message.purpose), (None, None)):
            found = self.by_key.get((*key, form, message.language))
            if found is not None:
                return found
        return None


def read_templates(files: Mapping[str, str]) -> Templates:
    """The templates of these texts by file name. Raises TemplateError with every problem and its place."""
    found: dict[Key, Template] = {}
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
                found[key] = Template.parse(one.text)
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
