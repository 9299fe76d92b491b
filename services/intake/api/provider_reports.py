"""Doors for what providers report other than at a message's own receipt address: batches, bounces, pressed keys."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from services.intake.api.answers import json_response
from services.intake.api.requests import body_of, client_of, media_type, presented_key
from services.intake.app.accept_hook import form_fields
from services.intake.app.acknowledge_by_link import acknowledge_by_link
from services.intake.app.admit_caller import AdmitCaller
from services.intake.app.find_addresses import AddressDesk, DeskAwayError, find_addresses
from services.intake.app.group_commit import GroupCommit
from services.intake.app.receive_receipts import AddressedReceipt
from services.intake.domain.bounces import NoBounce, read_bounce
from services.intake.domain.provider_reports import read_alibaba, read_tencent
from services.intake.domain.receipts import Receipt, channel_of
from shared.access.api_keys import Scope
from shared.access.links import (
    LinkExpiredError,
    LinkInvalidError,
    read_acknowledgement,
    read_receipt_address,
)
from shared.contracts.json_guard import UnreadableError, read_json, read_object
from shared.contracts.values import ChannelKind
from shared.db.engine import Database
from shared.runtime.clock import Clock
from shared.runtime.ids import Ids
from shared.runtime.problems import ProblemError

_FORM: Final = "application/x-www-form-urlencoded"
_MAX_BATCH: Final = 1024 * 1024
_MAX_MAIL: Final = 2 * 1024 * 1024
_MAX_KEYS: Final = 8 * 1024
_ACKNOWLEDGE: Final = "1"


class ProviderReportDoors:
    """Each report is believed for the signed address it carries, and for nothing else."""

    def __init__(
        self,
        admit: AdmitCaller,
        receipts: GroupCommit[AddressedReceipt, None],
        database: Database,
        ids: Ids,
        clock: Clock,
        *,
        link_secret: bytes,
        desk: AddressDesk | None = None,
    ) -> None:
        self._desk = desk
        self._admit = admit
        self._receipts = receipts
        self._database = database
        self._ids = ids
        self._clock = clock
        self._secret = link_secret

    async def alibaba(self, request: Request) -> Response:
        """The answer that the provider takes for a receipt of its reports; those not ours are counted and left."""
        await self._admit.page(client_of(request))
        items = read_json(await body_of(request, _MAX_BATCH))
        if not isinstance(items, list):
            raise UnreadableError("must be a JSON array")
        reports = read_alibaba(items)
        taken = await self._take_all(reports, request)
        return json_response({"code": 0, "msg": "OK", "taken": sum(taken), "unknown": len(taken) - sum(taken)})

    async def tencent(self, request: Request) -> Response:
        """A batch of the provider `?provider=` with a key in `?key=`: its reports are not signed.

        200 once all that are ours are stored. 503 while the notifier does not answer, so that they come again.
        """
        await self._admit(presented_key(request, in_query=True), Scope.RECEIPT, client=client_of(request))
        provider = request.query_params.get("provider", "tencent")
        items = read_json(await body_of(request, _MAX_BATCH))
        if not isinstance(items, list):
            raise UnreadableError("must be a JSON array")
        reports = read_tencent(items)
        if self._desk is None:
            raise ProblemError(503, "Reports of this provider need the notifier's address", code="notifier-missing")
        try:
            addresses = await find_addresses(self._desk, provider, [message for message, _ in reports])
        except DeskAwayError as error:
            raise ProblemError(503, "The notifier does not answer", code="notifier-away") from error
        ours = [(addresses[message], receipt) for message, receipt in reports if message in addresses]
        taken = await self._take_all(ours, request)
        response = json_response({"result": 0, "errmsg": "OK"})
        response.headers["X-Fenghuo-Taken"] = str(sum(taken))
        response.headers["X-Fenghuo-Unknown"] = str(len(reports) - sum(taken))
        return response

    async def bounce(self, request: Request) -> Response:
        """A returned mail, whole, as the mail server hands it on. 200 also for mails that are no bounces of ours."""
        await self._admit(presented_key(request, in_query=True), Scope.RECEIPT, client=client_of(request))
        found = read_bounce(await body_of(request, _MAX_MAIL))
        if isinstance(found, NoBounce):
            return json_response({"taken": 0, "ignored": found.reason})
        if not await self._take(found.token, found.receipt, ChannelKind.EMAIL, request):
            return json_response({"taken": 0, "ignored": "carries a receipt address that is not ours"})
        return json_response({"taken": 1, "status": found.receipt.status.value})

    async def key_pressed(self, request: Request) -> Response:
        """Key 1 acknowledges, once, as the link in a message does. 404 and 410 as there; 422 for another key."""
        await self._admit.page(client_of(request))
        try:
            link = read_acknowledgement(request.path_params["token"], self._secret, self._clock.now())
        except LinkExpiredError as error:
            raise ProblemError(410, "The call is too long ago", code="expired") from error
        except LinkInvalidError as error:
            raise ProblemError(404, "No such call", code="not-found") from error
        if _pressed(await _fields(request)) != _ACKNOWLEDGE:
            raise ProblemError(422, "No such choice", code="invalid", fields={"key": "1 acknowledges"})
        state, first = await acknowledge_by_link(self._database, self._ids, link, request.headers.get("traceparent"))
        return json_response({"acknowledged": True, "first": first, "number": state.number})

    async def _take_all(self, reports: Sequence[tuple[str, Receipt]], request: Request) -> list[bool]:
        """Together, so that they share their commits."""
        return await asyncio.gather(
            *(self._take(token, receipt, ChannelKind.SMS, request) for token, receipt in reports)
        )

    async def _take(self, token: str, receipt: Receipt, channel: ChannelKind, request: Request) -> bool:
        try:
            address = read_receipt_address(token, self._secret)
        except LinkInvalidError:
            return False
        stated = channel_of(address.provider, channel.value)
        await self._receipts.submit(AddressedReceipt(address, stated, receipt, request.headers.get("traceparent")))
        return True


async def _fields(request: Request) -> dict[str, Any]:
    body = await body_of(request, _MAX_KEYS)
    return form_fields(body) if media_type(request) == _FORM else read_object(body)


def _pressed(fields: dict[str, Any]) -> str:
    """Under the names that voice providers use."""
    for name in ("key", "digits", "Digits", "dtmf"):
        value = fields.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool):
            return str(value).strip().rstrip("#")
    return ""
