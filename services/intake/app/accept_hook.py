"""Take another system's payload: map it, register what it says, or keep it in quarantine with the reason."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from pydantic import ValidationError

from services.intake.app.answer_each import StrangerError, answer_each
from services.intake.app.answer_for_all import Desk, answer_for_all
from services.intake.app.group_commit import GroupCommit
from services.intake.app.issue_command import issue_command
from services.intake.domain.commands import CommandBody
from services.intake.domain.hooks import MAPPINGS
from services.intake.domain.hooks.values import (
    Mapped,
    MappedCommand,
    MappedReply,
    MappedReport,
    Payload,
    UnmappableError,
)
from services.intake.domain.identity import normalised_phone
from services.intake.domain.reports import Outcome, Refused, Registered, Report, prepare
from services.intake.store.quarantine import QuarantineRow, add, payload_place
from services.intake.store.register import find_case_id
from services.intake.store.vault import Vault, seal
from shared.access.api_keys import ApiKey
from shared.contracts.json_guard import UnreadableError, canonical, read_object, storable
from shared.contracts.values import Actor, ActorKind
from shared.db.engine import Database
from shared.runtime.ids import Ids
from shared.runtime.problems import fields_of

_FORM = "application/x-www-form-urlencoded"
_MAX_FIELDS = 500
_MAX_REASON = 500


@dataclass(frozen=True, slots=True)
class HookRequest:
    """A hook's request as it came: enough to try again later."""

    kind: str
    content_type: str
    query: Mapping[str, str]
    body: bytes

    def packed(self) -> bytes:
        return canonical(
            {
                "content_type": self.content_type,
                "query": dict(self.query),
                "body": base64.b64encode(self.body).decode(),
            }
        )

    @classmethod
    def unpacked(cls, kind: str, packed: bytes) -> "HookRequest":
        """Inverse of `packed`."""
        fields = read_object(packed)
        return cls(kind, fields["content_type"], fields["query"], base64.b64decode(fields["body"]))


@dataclass(frozen=True, slots=True)
class Accepted:
    """Everything in the payload was registered."""

    registered: tuple[Registered, ...]
    commands: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """Not understood; kept. `readable` says whether it was at least JSON, form fields or text."""

    quarantine_id: UUID
    field: str
    reason: str
    readable: bool


class AcceptHook:
    """The use case with what it needs."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        ids: Ids,
        reports: GroupCommit[Report, Outcome],
        desk: Desk | None = None,
    ) -> None:
        self._desk = desk
        self._database = database
        self._vault = vault
        self._ids = ids
        self._reports = reports

    async def __call__(self, request: HookRequest, key: ApiKey, traceparent: str | None) -> Accepted | Kept:
        """Durable either way when this returns.

        Raises KeyError for an unknown kind, the database's errors, and DeskAwayError for what needs the notifier.
        """
        MAPPINGS[request.kind]
        try:
            return await self.attempt(request, key, traceparent)
        except UnreadableError as error:
            return await self.keep(request, key, error.field, error.reason, readable=False)
        except UnmappableError as error:
            return await self.keep(request, key, error.field, error.reason, readable=True)

    async def attempt(self, request: HookRequest, key: ApiKey, traceparent: str | None) -> Accepted:
        """Register what the payload says. Raises UnreadableError or UnmappableError; then it is worth keeping."""
        mapped = MAPPINGS[request.kind](_payload_of(request))
        reports = [
            self._prepared(item, index, key, traceparent)
            for index, item in enumerate(mapped)
            if isinstance(item, MappedReport)
        ]
        registered: list[Registered] = []
        for outcome in await self._reports.submit_all(reports):
            if isinstance(outcome, BaseException):
                raise outcome
            if isinstance(outcome, Refused):
                field, reason = next(iter(outcome.fields.items()))
                raise UnmappableError(field, f"{outcome.detail}: {reason}")
            registered.append(outcome)
        commands: list[UUID] = []
        for item in mapped:
            if isinstance(item, MappedReply):
                about = self._about_all if item.replies.asked[0].number is None else self._about_each
                commands += await about(item, key, traceparent)
            elif not isinstance(item, MappedReport):
                commands.append(await self._command(item, key, traceparent))
        return Accepted(tuple(registered), tuple(commands))

    async def keep(self, request: HookRequest, key: ApiKey, field: str, reason: str, *, readable: bool) -> Kept:
        """Quarantine the request."""
        quarantine_id = self._ids.new()
        sealed = seal(self._vault.org_key(key.org), request.packed(), payload_place(quarantine_id))
        row = QuarantineRow(
            quarantine_id=quarantine_id,
            org=key.org,
            kind=request.kind,
            field=_plain(field),
            reason=_plain(reason),
            size=len(request.body),
            key_prefix=key.prefix,
            payload=sealed,
        )
        async with self._database.transaction() as tx:
            await add(tx, row)
        return Kept(quarantine_id, row.field, row.reason, readable)

    def _prepared(self, item: MappedReport, index: int, key: ApiKey, traceparent: str | None) -> Report:
        try:
            return prepare(
                item.route,
                item.body,
                org=key.org,
                key=self._vault.ref_key,
                repeatable=True,
                traceparent=traceparent,
            )
        except ValidationError as error:
            fields = fields_of(error.errors(include_url=False, include_input=False, include_context=False))
            name, what = next(iter(fields.items()))
            raise UnmappableError(f"{index}.{name}", what) from error

    async def _about_all(self, item: MappedReply, key: ApiKey, traceparent: str | None) -> list[UUID]:
        commands = await answer_for_all(
            self._database,
            self._ids,
            key=key,
            sender=normalised_phone(item.sender),
            reply=item.replies.asked[0],
            desk=self._asked(),
            traceparent=traceparent,
        )
        if commands is None:
            raise UnmappableError("from", "is nobody of the roster")
        return commands

    async def _about_each(self, item: MappedReply, key: ApiKey, traceparent: str | None) -> list[UUID]:
        """What names no case is worth keeping, after the others were answered for."""
        try:
            answered = await answer_each(
                self._database,
                self._ids,
                key=key,
                ref_key=self._vault.ref_key,
                sender=item.sender,
                replies=item.replies,
                desk=self._asked(),
                message_id=item.message_id,
                traceparent=traceparent,
            )
        except StrangerError as error:
            raise UnmappableError("from", "is nobody of the roster") from error
        unknown = [one.reply.number for one in answered if one.command_id is None]
        if unknown:
            raise UnmappableError("text", f"there is no case {', '.join(filter(None, unknown))}")
        return [one.command_id for one in answered if one.command_id is not None]

    def _asked(self) -> Desk:
        if self._desk is None:
            raise UnmappableError("text", "needs the notifier, which is not configured")
        return self._desk

    async def _command(self, item: Mapped, key: ApiKey, traceparent: str | None) -> UUID:
        if not isinstance(item, MappedCommand):
            raise TypeError(f"not a command: {type(item).__name__}")
        async with self._database.transaction() as tx:
            case_id = await find_case_id(tx, key.org, item.source, item.reference)
        if case_id is None:
            raise UnmappableError("dedup_key", "there is no case with this reference")
        issued = await issue_command(
            self._database,
            self._ids,
            org=key.org,
            case_id=case_id,
            body=CommandBody(command=item.command),
            actor=Actor(kind=ActorKind.SYSTEM, ref=key.name),
            key_prefix=key.prefix,
            traceparent=traceparent,
        )
        return issued.command_id


def _payload_of(request: HookRequest) -> Payload:
    """The payload's fields. Raises UnreadableError naming what cannot be read."""
    if request.content_type == _FORM:
        return Payload(form_fields(request.body))
    if request.kind == "kannel":
        return Payload(_storable(request.query), _text_of(request.body))
    return Payload(read_object(request.body))


def form_fields(body: bytes) -> dict[str, Any]:
    """The fields of an URL-encoded form; the last one wins. Raises UnreadableError."""
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS)
    except ValueError as error:
        raise UnreadableError("not form fields in UTF-8") from error
    return _storable(dict(pairs))


def _text_of(body: bytes) -> str:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnreadableError(f"byte {error.start} is not valid UTF-8") from error
    _storable({"body": text})
    return text


def _storable(fields: Mapping[str, str]) -> dict[str, Any]:
    for name, value in fields.items():
        if not storable(name) or not storable(value):
            raise UnreadableError("text must be valid Unicode without NUL characters", field=_plain(name))
    return dict(fields)


def _plain(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8").replace("\x00", "?")[:_MAX_REASON]
