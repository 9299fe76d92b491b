"""Door: a message as it would be sent, with whom it would reach now. Nothing is sent."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from services.notifier.app.preview_message import Readers, Wanted, preview_message
from services.notifier.app.rules import Rules
from shared.access.api_keys import ApiKey
from shared.access.bearer import Reader
from shared.contracts.notifications import MessageTemplate, Purpose, Subject
from shared.contracts.values import Bilingual, ChannelKind, Language, Slug
from shared.runtime.clock import Clock


class Group(BaseModel):
    """Roles that get the message together, such as those of a tier."""

    model_config = ConfigDict(extra="forbid")

    label: Bilingual
    roles: Annotated[tuple[Slug, ...], Field(max_length=50)]


class PreviewWanted(BaseModel):
    """The message, in the words of a notification request."""

    model_config = ConfigDict(extra="forbid")

    purpose: Purpose
    channel: ChannelKind
    language: Language = "zh"
    subject: Subject
    templates: Annotated[tuple[MessageTemplate, ...], Field(max_length=4)] = ()
    groups: Annotated[tuple[Group, ...], Field(max_length=200)] = ()
    drill: bool = False


def previews_router(rules: Rules, clock: Clock, may_read: Reader) -> APIRouter:
    router = APIRouter(tags=["messages"])

    @router.post("/v1/messages/preview", summary="A message as it would be sent, and who would get it now")
    async def preview(wanted: PreviewWanted, key: Annotated[ApiKey, Depends(may_read)]) -> dict[str, Any]:
        found = preview_message(
            key.org,
            Wanted(
                wanted.purpose,
                wanted.channel,
                wanted.language,
                wanted.subject,
                wanted.templates,
                [(group.label, group.roles) for group in wanted.groups],
                wanted.drill,
            ),
            clock.now(),
            rules=rules,
        )
        return {
            "organisation": key.org,
            "headline": found.headline,
            "text": found.text,
            "sms": {"segments": found.segments, "alphabet": found.alphabet, "characters": found.characters},
            "roster_sha256": found.roster_sha256,
            "readers": [_readers(one) for one in found.readers],
        }

    return router


def _readers(found: Readers) -> dict[str, Any]:
    return {
        "group": found.group.model_dump(),
        "role": found.role,
        "label": found.label.model_dump(),
        "known": found.known,
        "people": [
            {
                "person": one.person,
                "label": one.label.model_dump(),
                "because": one.because.model_dump(),
                "to": one.to,
                "provider": one.provider,
                "problem": one.problem.model_dump() if one.problem is not None else None,
            }
            for one in found.people
        ],
    }
