"""Delivery receipts at their signed addresses, and text messages that come in through Kannel."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from services.intake.api.answers import json_response
from services.intake.api.hooks import query_of
from services.intake.api.requests import body_of, client_of, media_type, presented_key
from services.intake.app.accept_hook import AcceptHook, HookRequest, form_fields
from services.intake.app.admit_caller import AdmitCaller
from services.intake.app.answer_each import Answered, StrangerError, answer_each
from services.intake.app.answer_for_all import Desk, DeskAwayError, answer_for_all
from services.intake.app.group_commit import GroupCommit
from services.intake.app.receive_receipts import AddressedReceipt
from services.intake.domain.identity import normalised_phone
from services.intake.domain.provider_reports import is_from_twilio
from services.intake.domain.receipts import Receipt, channel_of, read_fields, read_kannel
from services.intake.domain.replies import Replies, Reply, UnclearReply, Wish, read_reply
from shared.access.api_keys import ApiKey, Scope
from shared.access.links import LinkInvalidError, read_receipt_address
from shared.contracts.json_guard import UnreadableError, read_object, storable
from shared.db.engine import Database
from shared.runtime.ids import Ids
from shared.runtime.problems import ProblemError

_FORM: Final = "application/x-www-form-urlencoded"
_MAX_RECEIPT: Final = 32 * 1024
_MAX_MESSAGE_ID: Final = 100
_MAX_FIELDS: Final = 500
_ANSWERS: Final = {
    Wish.ACKNOWLEDGE: "已确认 {number} / acknowledged",
    Wish.RESOLVE: "已报解决 {number} / resolved",
    Wish.CANNOT_HANDLE: "已转交 {number} / handed on",
}
IN_UCS2: Final = {"X-Kannel-Coding": "2"}
"""How Kannel learns that an answer is to be sent in UCS-2."""
_NOT_ASKED: Final = "{number} 未处理，请单独回复 / nothing done: reply to it by itself"


class ReceiptDoor:
    """A receipt's address is its permission: it names one attempt and nothing else.

    `twilio` has the tokens of accounts by provider: their receipts must be signed besides, for `base_url`.
    """

    def __init__(
        self,
        admit: AdmitCaller,
        receipts: GroupCommit[AddressedReceipt, None],
        *,
        link_secret: bytes,
        base_url: str,
        twilio: Mapping[str, str],
    ) -> None:
        self._base_url = base_url
        self._twilio = twilio
        self._admit = admit
        self._receipts = receipts
        self._secret = link_secret

    async def receive(self, request: Request) -> Response:
        """200 once it is stored; 404 for an address that is not ours, 403 for a signature that must be there."""
        try:
            address = read_receipt_address(request.path_params["token"], self._secret)
        except LinkInvalidError as error:
            await self._admit.page(client_of(request))
            raise ProblemError(404, "No such receipt address", code="not-found") from error
        body = await body_of(request, _MAX_RECEIPT)
        if address.provider in self._twilio and not self._is_signed(request, body, self._twilio[address.provider]):
            await self._admit.page(client_of(request))
            raise ProblemError(403, "The signature does not fit", code="forbidden")
        receipt, stated = _read(request, body)
        channel = channel_of(address.provider, stated)
        await self._receipts.submit(AddressedReceipt(address, channel, receipt, request.headers.get("traceparent")))
        return json_response({"status": receipt.status.value})

    def _is_signed(self, request: Request, body: bytes, token: str) -> bool:
        query = f"?{request.url.query}" if request.url.query else ""
        return is_from_twilio(
            request.headers.get("x-twilio-signature"),
            url=f"{self._base_url}{request.url.path}{query}",
            fields=parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MAX_FIELDS),
            token=token,
        )


class SmsDoor:
    """Replies by SMS, as `replies` tells them apart. What is not one is kept in quarantine."""

    def __init__(
        self,
        admit: AdmitCaller,
        accept: AcceptHook,
        database: Database,
        ids: Ids,
        *,
        ref_key: bytes,
        desk: Desk | None = None,
    ) -> None:
        self._desk = desk
        self._admit = admit
        self._accept = accept
        self._database = database
        self._ids = ids
        self._ref_key = ref_key

    async def kannel(self, request: Request) -> Response:
        """200 with a short text, which Kannel may send back; 202 without one when kept in quarantine."""
        key = await self._admit(presented_key(request, in_query=True), Scope.RECEIPT, client=client_of(request))
        came = HookRequest("kannel", media_type(request), query_of(request), await body_of(request, _MAX_RECEIPT))
        sender, text = came.query.get("from", ""), came.query.get("text", "") or _lenient(came.body)
        replies = read_reply(text)
        if not normalised_phone(sender):
            return await self._kept(came, key, "from", "is not a phone number")
        if isinstance(replies, UnclearReply):
            return await self._kept(came, key, "text", replies.reason)
        if self._desk is None:
            return await self._kept(came, key, "text", "needs the notifier, which is not configured")
        try:
            first = replies.asked[0]
            if first.number is None:
                return await self._about_all(came, key, request, sender=sender, reply=first, desk=self._desk)
            return await self._about_each(came, key, request, sender=sender, replies=replies, desk=self._desk)
        except DeskAwayError as error:
            raise ProblemError(503, "The notifier does not answer", code="notifier-away") from error

    async def _about_each(
        self, came: HookRequest, key: ApiKey, request: Request, *, sender: str, replies: Replies, desk: Desk
    ) -> Response:
        """One answer that says what happened to each. What names no case is kept, whatever became of the others."""
        message_id = came.query.get("id", "")[:_MAX_MESSAGE_ID]
        try:
            answered = await answer_each(
                self._database,
                self._ids,
                key=key,
                ref_key=self._ref_key,
                sender=sender,
                replies=replies,
                desk=desk,
                message_id=message_id if storable(message_id) and message_id else None,
                traceparent=request.headers.get("traceparent"),
            )
        except StrangerError:
            return await self._kept(came, key, "from", "is nobody of the roster")
        told = "\n".join((*map(_told, answered), *(_NOT_ASKED.format(number=one) for one in replies.mentioned)))
        unknown = ", ".join(one.reply.number or "" for one in answered if one.command_id is None)
        if unknown:
            is_any = any(one.command_id is not None for one in answered)
            return await self._kept(came, key, "text", f"there is no case {unknown}", told, 200 if is_any else 202)
        return _said(told)

    async def _about_all(
        self, came: HookRequest, key: ApiKey, request: Request, *, sender: str, reply: Reply, desk: Desk
    ) -> Response:
        """What is about no single case: the notifier knows what this person was paged or asked for."""
        commands = await answer_for_all(
            self._database,
            self._ids,
            key=key,
            sender=normalised_phone(sender),
            reply=reply,
            desk=desk,
            traceparent=request.headers.get("traceparent"),
        )
        if commands is None:
            return await self._kept(came, key, "from", "is nobody of the roster")
        if reply.wish is Wish.STOP:
            return _said("24 小时内只发送最高等级消息 / only the highest level for 24 hours")
        if reply.wish is Wish.VERIFY:
            told = "已收到验证码 / code received" if commands else "没有待验证的联系方式 / nothing waits for a code"
            return _said(told)
        return _said(f"已签收 {len(commands)} 件 / {len(commands)} acknowledged")

    async def _kept(  # noqa: PLR0917  # the last two are the answer
        self, came: HookRequest, key: ApiKey, field: str, reason: str, told: str = "", status: int = 202
    ) -> Response:
        kept = await self._accept.keep(came, key, field, reason, readable=True)
        return _said(told, status, {"X-Fenghuo-Quarantine": str(kept.quarantine_id)})


def _said(told: str, status: int = 200, headers: Mapping[str, str] = MappingProxyType({})) -> Response:
    """A text for the person: Kannel sends it on as SMS, and would ask of Chinese to fit the GSM alphabet."""
    return PlainTextResponse(told, status, {**IN_UCS2, **headers})


def _told(one: Answered) -> str:
    """What happened to one case, short enough for several in a message."""
    number = one.reply.number
    if one.command_id is None:
        return f"没有案件 {number} / no such case"
    said = _ANSWERS[one.reply.wish].format(number=number)
    if one.survivor is None:
        return said
    if one.reply.wish is Wish.ACKNOWLEDGE:
        return f"{said}; 已并入 {one.survivor}，确认计入该案 / merged, counts for {one.survivor}"
    return f"{number} 已并入 {one.survivor}，请回复该编号 / merged: reply with {one.survivor}"


def _read(request: Request, body: bytes) -> tuple[Receipt, str | None]:
    """The receipt and the channel it states. Raises UnreadableError for a body that is neither JSON nor a form."""
    query = query_of(request)
    if "type" in query or not body:
        return (read_kannel(query) if "type" in query else read_fields(query)), query.get("channel")
    fields: dict[str, Any] = form_fields(body) if media_type(request) == _FORM else read_object(body)
    stated = fields.get("channel", query.get("channel"))
    if stated is not None and not isinstance(stated, str):
        raise UnreadableError("must be text", field="channel")
    return read_fields(fields), stated


def _lenient(body: bytes) -> str:
    return body.decode("utf-8", "replace").replace("\x00", " ")
