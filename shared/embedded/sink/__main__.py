"""`python -m shared.embedded.sink --smtp-port 2525 --http-port 8025`: on 127.0.0.1 until SIGTERM or SIGINT.

`--host` opens the doors elsewhere, for a container; whoever reaches them reads every message.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import uvicorn
from fastapi import FastAPI

from shared.embedded.readiness import LOOPBACK
from shared.embedded.sink.behaviour import Behaviours
from shared.embedded.sink.http import build_app
from shared.embedded.sink.mail import MailDoor
from shared.embedded.sink.receipts import ReceiptCaller
from shared.embedded.sink.sms import SmsDoor
from shared.embedded.sink.store import MessageStore
from shared.runtime.clock import SystemClock
from shared.runtime.ids import TimeOrderedIds
from shared.runtime.logging import configure_logging

_GRACE_SECONDS: Final = 2


def serve(options: argparse.Namespace) -> None:
    """Open both doors and keep them open until a signal."""
    clock, ids = SystemClock(), TimeOrderedIds()
    store = MessageStore(clock, options.journal)
    behaviours = Behaviours()
    receipts = ReceiptCaller(clock, ids, delay=options.dlr_delay, user=options.username)
    mail = MailDoor(store, behaviours, ids)
    sms = SmsDoor(store, behaviours, receipts, ids, user=options.username, password=options.password)

    @asynccontextmanager
    async def doors(_: FastAPI) -> AsyncIterator[None]:
        # Mail first: the HTTP door answers health checks only when both are open.
        smtp = await asyncio.get_running_loop().create_server(mail.protocol, options.host, options.smtp_port)
        try:
            yield
        finally:
            smtp.close()
            await receipts.close()
            store.close()

    app = build_app(store, behaviours, receipts, sms, reply_url=options.reply_url, lifespan=doors)
    config = uvicorn.Config(
        app,
        host=options.host,
        port=options.http_port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    uvicorn.Server(config).run()


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m shared.embedded.sink", description="Where messages can be read.")
    parser.add_argument("--host", default=LOOPBACK, help="address that both doors listen on")
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--http-port", type=int, required=True)
    parser.add_argument("--dlr-delay", type=float, default=0.2, help="seconds from an SMS to its receipts")
    parser.add_argument("--username", default="fenghuo", help="account of /cgi-bin/sendsms")
    parser.add_argument("--password", default="fenghuo")
    parser.add_argument("--reply-url", help="where replies from phones go: %%p phone, %%P number, %%a text, %%I id")
    parser.add_argument("--journal", type=Path, help="append every message to this file, one line of JSON each")
    options = parser.parse_args()
    configure_logging("sink")
    serve(options)


if __name__ == "__main__":
    main()
