"""Where the services are and with which key: environment first, then the credentials file of an installation."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx

from services.console.cli.wording import CommandError
from shared.runtime.installation import InstallationUnreadableError, credentials_path
from shared.runtime.installation import installation as read_installation

_TIMEOUT_S: Final = 15.0
_DEFAULTS: Final = {
    "console_url": ("FENGHUO_URL", "http://127.0.0.1:8600"),
    "intake_url": ("FENGHUO_INTAKE_URL", "http://127.0.0.1:8601"),
    "notifier_url": ("FENGHUO_NOTIFIER_URL", "http://127.0.0.1:8604"),
    "api_key": ("FENGHUO_API_KEY", ""),
}


@dataclass(frozen=True, slots=True)
class Connection:
    """Addresses without a trailing slash, and the key."""

    console_url: str
    intake_url: str
    notifier_url: str
    api_key: str

    @classmethod
    def find(cls) -> "Connection":
        """Raises CommandError when there is no key or the credentials file is damaged."""
        stored = installation()
        found = {
            name: (os.environ.get(variable) or str(stored.get(name) or "") or default).rstrip("/")
            for name, (variable, default) in _DEFAULTS.items()
        }
        if not found["api_key"]:
            raise CommandError(
                f"没有 API 密钥：请设置 FENGHUO_API_KEY，或在含有 {credentials_path()} 的目录中运行。",
                f"No API key: set FENGHUO_API_KEY, or run where {credentials_path()} is.",
                2,
            )
        return cls(**found)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.api_key}"}

    def get(self, base: str, path: str, **query: Any) -> dict[str, Any]:
        """The JSON of a GET. Raises CommandError in one sentence."""
        return self._ask("GET", base + path, params={name: v for name, v in query.items() if v is not None})

    def post(self, base: str, path: str, body: Any) -> dict[str, Any]:
        """The JSON of a POST. Raises CommandError in one sentence."""
        return self._ask("POST", base + path, json=body)

    def send(self, method: str, base: str, path: str, content: bytes | None = None, **query: Any) -> dict[str, Any]:
        """The JSON of a request with a body as it is, empty for an answer without one. Raises CommandError."""
        return self._ask(method, base + path, content=content, params={k: v for k, v in query.items() if v is not None})

    def text(self, base: str, path: str, **query: Any) -> str:
        """What a GET answers, as text. Raises CommandError in one sentence."""
        return self._answer("GET", base + path, params={k: v for k, v in query.items() if v is not None}).text

    def _ask(self, method: str, url: str, **given: Any) -> dict[str, Any]:
        try:
            body = self._answer(method, url, **given).json()
        except ValueError:
            body = {}
        return body if isinstance(body, dict) else {"items": body}

    def _answer(self, method: str, url: str, **given: Any) -> httpx.Response:
        try:
            response = httpx.request(method, url, headers=self.headers, timeout=_TIMEOUT_S, **given)
        except httpx.InvalidURL as error:
            raise CommandError(f"地址无效：{url}", f"Not an address: {url}", 2) from error
        except httpx.HTTPError as error:
            raise CommandError(
                f"{url} 没有回应（{type(error).__name__}）。服务是否已启动？",
                f"{url} does not answer ({type(error).__name__}). Is the service running?",
            ) from error
        if not response.is_success:
            try:
                told = problem_sentence(response.json())
            except ValueError:
                told = "?"
            raise CommandError(f"被拒绝（{response.status_code}）：{told}", f"Refused ({response.status_code}): {told}")
        return response


def problem_sentence(body: Any) -> str:
    """Problem details as one sentence that names the fields."""
    if not isinstance(body, dict):
        return "?"
    parts = [str(body.get("detail") or body.get("title") or "?")]
    errors = body.get("errors")
    if isinstance(errors, list):
        parts += [f"{one.get('field')}: {one.get('detail')}" for one in errors if isinstance(one, dict)]
    return "; ".join(parts)


def plan_overrides() -> Mapping[str, Mapping[str, Any]]:
    """Parameter values by plan as the services have them. Raises CommandError for a setting that is none."""
    given = os.environ.get("FENGHUO_PLAN_OVERRIDES")
    try:
        found = json.loads(given) if given else installation().get("plan_overrides") or {}
    except ValueError as error:
        raise CommandError("FENGHUO_PLAN_OVERRIDES 不是 JSON。", "FENGHUO_PLAN_OVERRIDES is no JSON.", 2) from error
    if not isinstance(found, dict) or not all(isinstance(values, dict) for values in found.values()):
        zh = "FENGHUO_PLAN_OVERRIDES 应为“预案: {参数: 值}”。"
        raise CommandError(zh, "FENGHUO_PLAN_OVERRIDES has to be a plan's parameters by its name.", 2)
    return found


def installation() -> dict[str, Any]:
    """What the installation on this machine has written down; empty where there is none. Raises CommandError."""
    try:
        return read_installation()
    except InstallationUnreadableError as error:
        raise CommandError(f"无法读取 {error}", f"Cannot be read: {error}", 2) from error
