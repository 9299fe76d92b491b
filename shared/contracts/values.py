"""Value types shared by several contracts."""

from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
)

MAX_FACTS = 200
MAX_NARRATIVE = 20_000
MAX_TEXT = 500


class Contract(BaseModel):
    """Base of everything on a topic: frozen; unknown fields are ignored when read, so that producers may add."""

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_timedelta="iso8601")


T = TypeVar("T", bound=Contract)


def trusted(model: type[T], **fields: Any) -> T:
    """A value made of parts that were checked before, without checking them again. Every field has to be given.

    For what a service puts together itself and very often: a check takes longer than what it checks took to make.
    """
    made = object.__new__(model)
    _set_fields(made, fields)
    _set_given(made, _all_fields(model))
    _set_extra(made, None)
    _set_private(made, None)
    return made


# The slots of a model by themselves: looked up by name they take twice as long, some twenty times in every decision.
_set_fields, _set_given, _set_extra, _set_private = (
    BaseModel.__dict__[name].__set__
    for name in ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")
)


@cache
def _all_fields(model: type[BaseModel]) -> set[str]:
    """One set for all that are made whole: nobody changes it, a copy of a model takes a copy of it along."""
    return set(model.model_fields)


def _no_lone_surrogates(value: object) -> object:
    """PostgreSQL and Kafka carry UTF-8: a lone surrogate or NUL cannot be stored, so it is refused here, by name."""
    if isinstance(value, str) and ("\x00" in value or not (value.isascii() or _encodable(value))):
        raise ValueError("text must be valid Unicode without NUL characters")
    return value


def _encodable(value: str) -> bool:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


# Lengths stand before the check of characters: so they are tested natively, at a third of the cost.
Text = Annotated[str, Field(max_length=MAX_TEXT), BeforeValidator(_no_lone_surrogates)]
LongText = Annotated[str, Field(max_length=MAX_NARRATIVE), BeforeValidator(_no_lone_surrogates)]
Name = Annotated[str, Field(min_length=1, max_length=120), BeforeValidator(_no_lone_surrogates)]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]

Scalar = StrictBool | StrictInt | StrictFloat | Text
FactValue = Scalar | Annotated[list[Text], Field(max_length=200)]
"""A fact as given: a plan types it. Instants are ISO 8601 text with an offset."""

Facts = Annotated[
    dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")], FactValue], Field(max_length=MAX_FACTS)
]


class CaseKind(StrEnum):
    COMPLAINT = "complaint"
    INCIDENT = "incident"
    WARNING = "warning"  # raised by the classifier when a window crosses a threshold


class ChannelKind(StrEnum):
    SMS = "sms"
    EMAIL = "email"
    VOICE = "voice"
    IM = "im"


class Bilingual(Contract):
    """One sentence in both languages of the product."""

    zh: Text
    en: Text


class Place(Contract):
    """Where it happened, no finer than a site: an address would be personal data."""

    province: Name | None = None
    city: Name | None = None
    district: Name | None = None
    site: Name | None = None


class PlanRef(Contract):
    """Identity of a published plan. The hash pins the exact text that decided."""

    name: Slug
    version: Annotated[int, Field(ge=1)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class ActorKind(StrEnum):
    PERSON = "person"  # signed in to the console or holding a personal key
    LINK = "link"  # followed a signed link from a message
    SMS = "sms"  # replied by SMS
    SYSTEM = "system"  # another system's API key
    CLOCK = "clock"  # the escalator's own clocks


class Actor(Contract):
    """Who did it. `ref` is a roster person id, or the label of the API key that acted by itself; never a number."""

    kind: ActorKind
    ref: Name


Instant = AwareDatetime
"""Always aware; producers write UTC."""

CaseId = UUID
LevelRank = Annotated[int, Field(ge=0)]
"""0 = no level reached; 1 = mildest level of the plan. Only comparable within one plan."""

Language = Literal["zh", "en"]

__all__ = [
    "MAX_FACTS",
    "MAX_NARRATIVE",
    "MAX_TEXT",
    "Actor",
    "ActorKind",
    "Bilingual",
    "CaseId",
    "CaseKind",
    "ChannelKind",
    "Contract",
    "FactValue",
    "Facts",
    "Instant",
    "Language",
    "LevelRank",
    "LongText",
    "Name",
    "Place",
    "PlanRef",
    "Scalar",
    "Slug",
    "Text",
]
