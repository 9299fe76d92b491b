"""The HTTP door: the SMS gateway's address, and what people and tests read and script."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any

from fastapi import FastAPI, Query
from pydantic import BaseModel, ConfigDict, Field

from shared.embedded.sink.behaviour import Behaviour, Behaviours
from shared.embedded.sink.receipts import CallError, ReceiptCaller, ReplyAnswer
from shared.embedded.sink.sms import SmsDoor
from shared.embedded.sink.store import Message, MessageStore
from shared.runtime.problems import ProblemError, install_problem_handlers

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


class PhoneReply(BaseModel):
    """An SMS that a phone sends back."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    sender: Annotated[str, Field(alias="from", pattern=r"^\+?[0-9-]{3,20}$")]
    to: Annotated[str, Field(min_length=1, max_length=20)]
    text: Annotated[str, Field(min_length=1, max_length=1000)]


def build_app(
    store: MessageStore,
    behaviours: Behaviours,
    receipts: ReceiptCaller,
    sms: SmsDoor,
    *,
    reply_url: str | None,
    lifespan: Lifespan | None = None,
) -> FastAPI:
    """The application. `reply_url` is where replies from phones go, with Kannel's escapes (%p %P %a %I …)."""
    app = FastAPI(title="Fenghuo sink", lifespan=lifespan)
    install_problem_handlers(app)
    app.add_route("/cgi-bin/sendsms", sms.send, methods=["GET", "POST"])

    @app.get("/messages", response_model_by_alias=True)
    async def messages(
        since: Annotated[int, Query(ge=0)] = 0,
        to: str | None = None,
        limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
        wait: Annotated[float, Query(ge=0, le=60, description="Seconds to wait for the first message")] = 0,
    ) -> list[Message]:
        return await store.wait_since(since, wait, to=to, limit=limit)

    @app.delete("/messages", status_code=204)
    async def forget() -> None:
        store.clear()

    @app.get("/behaviour")
    async def rules() -> list[Behaviour]:
        return behaviours.rules()

    @app.post("/behaviour", status_code=201)
    async def script(rule: Behaviour) -> Behaviour:
        behaviours.add(rule)
        return rule

    @app.delete("/behaviour", status_code=204)
    async def unscript() -> None:
        behaviours.clear()

    @app.post("/replies")
    async def reply(said: PhoneReply) -> ReplyAnswer:
        if reply_url is None:
            raise ProblemError(
                409, "No address for replies", code="no-reply-url", detail="Start the sink with --reply-url."
            )
        try:
            return await receipts.reply(reply_url, sender=said.sender, to=said.to, text=said.text)
        except CallError as error:
            raise ProblemError(
                502, "The reply could not be handed over", code="reply-undeliverable", detail=str(error)
            ) from error

    @app.get("/healthz")
    async def healthy() -> dict[str, Any]:
        return {"status": "ok"}

    return app
