"""Clouds and chat platforms on this machine: they check signatures by their own published rules, written here anew.

Nothing of the product's signing is used: a mistake there shows as a refusal here.
"""

import base64
import hashlib
import hmac
import json
import urllib.parse
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass
class Cloud:
    """A server. `answer` may replace the success; `seen` has what was understood of each call."""

    url: str = ""
    seen: list[dict[str, Any]] = field(default_factory=list)
    answer: Callable[[dict[str, Any]], web.StreamResponse | None] = lambda _: None

    def reply(self, understood: dict[str, Any], success: Mapping[str, Any], status: int = 200) -> web.StreamResponse:
        self.seen.append(understood)
        return self.answer(understood) or web.json_response(dict(success), status=status)


ALIBABA_KEY, ALIBABA_SECRET = "LTAI-example", "alibaba-example-secret"
TENCENT_KEY, TENCENT_SECRET = "AKID-example", "tencent-example-secret"
TWILIO_ACCOUNT, TWILIO_TOKEN = "AC0123", "twilio-example-token"
ROBOT_SECRET = "SEC-example"


@asynccontextmanager
async def cloud() -> AsyncIterator[Cloud]:
    """All of them under one address; the path or a header tells which one is meant."""
    made = Cloud()
    app = web.Application()

    def door(path: str, handle: Callable[[Cloud, web.Request], Awaitable[web.StreamResponse]]) -> None:
        async def opened(request: web.Request) -> web.StreamResponse:
            return await handle(made, request)

        app.router.add_post(path, opened)

    door("/", _root)
    door(f"/2010-04-01/Accounts/{TWILIO_ACCOUNT}/Messages.json", _twilio)
    door("/robot/send", _dingtalk)
    door("/open-apis/bot/v2/hook/h", _feishu)
    door("/cgi-bin/webhook/send", _wecom)
    door("/services/T/B/x", _slack)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield made
    finally:
        await runner.cleanup()


async def _root(made: Cloud, request: web.Request) -> web.StreamResponse:
    if "x-acs-action" in request.headers:
        return await _alibaba(made, request)
    return await _tencent(made, request)


async def _twilio(made: Cloud, request: web.Request) -> web.StreamResponse:
    given = request.headers.get("Authorization", "")
    wanted = "Basic " + base64.b64encode(f"{TWILIO_ACCOUNT}:{TWILIO_TOKEN}".encode()).decode()
    fields = dict(urllib.parse.parse_qsl(await request.text()))
    if given != wanted:
        return web.json_response({"code": 20003, "message": "Authenticate", "status": 401}, status=401)
    return made.reply(fields, {"sid": "SM0123", "status": "queued"}, 201)


async def _dingtalk(made: Cloud, request: web.Request) -> web.StreamResponse:
    timestamp = request.query.get("timestamp", "")
    plain = f"{timestamp}\n{ROBOT_SECRET}".encode()
    wanted = base64.b64encode(hmac.digest(ROBOT_SECRET.encode(), plain, "sha256")).decode()
    if request.query.get("sign") != wanted or request.query.get("access_token") != "t":
        return web.json_response({"errcode": 310000, "errmsg": "sign not match"})
    return made.reply(await request.json(), {"errcode": 0, "errmsg": "ok"})


async def _feishu(made: Cloud, request: web.Request) -> web.StreamResponse:
    said = await request.json()
    key = f"{said.get('timestamp')}\n{ROBOT_SECRET}".encode()
    if said.get("sign") != base64.b64encode(hmac.digest(key, b"", "sha256")).decode():
        return web.json_response({"code": 19021, "msg": "sign match fail"})
    return made.reply(said, {"code": 0, "msg": "success", "data": {}})


async def _wecom(made: Cloud, request: web.Request) -> web.StreamResponse:
    said = await request.json()
    if len(said["text"]["content"].encode()) > 2048:
        return web.json_response({"errcode": 40058, "errmsg": "content exceed max length"})
    return made.reply(said, {"errcode": 0, "errmsg": "ok"})


async def _slack(made: Cloud, request: web.Request) -> web.StreamResponse:
    said = await request.json()
    made.seen.append(said)
    return made.answer(said) or web.Response(text="ok")


async def _alibaba(made: Cloud, request: web.Request) -> web.StreamResponse:
    body = await request.read()
    given = dict(part.split("=", 1) for part in request.headers["Authorization"].split(" ", 1)[1].split(","))
    names = given["SignedHeaders"].split(";")
    must = {name.lower() for name in request.headers if name.lower().startswith("x-acs-")} | {"host"}
    parameters = sorted(request.query.items())
    query = "&".join(f"{_acs(name)}={_acs(value)}" for name, value in parameters)
    headers = "".join(f"{name}:{request.headers[name].strip()}\n" for name in names)
    canonical = f"POST\n/\n{query}\n{headers}\n{';'.join(names)}\n{hashlib.sha256(body).hexdigest()}"
    text = "ACS3-HMAC-SHA256\n" + hashlib.sha256(canonical.encode()).hexdigest()
    wanted = hmac.digest(ALIBABA_SECRET.encode(), text.encode(), "sha256").hex()
    if given["Credential"] != ALIBABA_KEY or given["Signature"] != wanted or set(names) != must:
        return web.json_response({"Code": "SignatureDoesNotMatch", "Message": "signature"}, status=400)
    understood = dict(parameters) | {"nonce": request.headers["x-acs-signature-nonce"]}
    return made.reply(understood, {"Code": "OK", "Message": "OK", "BizId": "900000000000000001^0", "RequestId": "R"})


def _acs(text: str) -> str:
    return urllib.parse.quote_plus(text).replace("+", "%20").replace("*", "%2A").replace("%7E", "~")


async def _tencent(made: Cloud, request: web.Request) -> web.StreamResponse:
    body = await request.read()
    algorithm, _, rest = request.headers["Authorization"].partition(" ")
    given = dict(part.strip().split("=", 1) for part in rest.split(","))
    secret_id, day, service, ending = given["Credential"].split("/")
    headers = "".join(f"{name}:{request.headers[name].strip().lower()}\n" for name in given["SignedHeaders"].split(";"))
    canonical = f"POST\n/\n\n{headers}\n{given['SignedHeaders']}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{day}/{service}/{ending}"
    stamp = request.headers["X-TC-Timestamp"]
    text = f"{algorithm}\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = ("TC3" + TENCENT_SECRET).encode()
    for step in scope.split("/"):
        key = hmac.digest(key, step.encode(), "sha256")
    if secret_id != TENCENT_KEY or given["Signature"] != hmac.digest(key, text.encode(), "sha256").hex():
        error = {"Code": "AuthFailure.SignatureFailure", "Message": "signature"}
        return web.json_response({"Response": {"Error": error, "RequestId": "R"}})
    status = {"SerialNo": "5000:0001", "Code": "Ok", "Message": "send success", "Fee": 1}
    return made.reply(json.loads(body), {"Response": {"SendStatusSet": [status], "RequestId": "R"}})
