"""Settings of the console, from the environment (prefix FENGHUO_)."""

from typing import Annotated

from pydantic import Field, SecretStr

from shared.runtime.settings import ServiceSettings


class ConsoleSettings(ServiceSettings):
    """The console posts to intake and reads rosters with `intake_key`; `sink_url` exists only where there is a sink."""

    port: Annotated[int, Field(ge=0, le=65535)] = 8600
    session_secret: Annotated[SecretStr, Field(min_length=32)]
    key_pepper: SecretStr
    intake_url: str = "http://127.0.0.1:8601"
    intake_key: SecretStr
    notifier_url: Annotated[str | None, Field(description="Where rosters are read; absent: no roster page")] = None
    escalator_url: Annotated[str | None, Field(description="Where clocks are explained; absent: no page of it")] = None
    sink_url: str | None = None
    secure_cookies: Annotated[bool, Field(description="Cookies only over HTTPS; on wherever TLS ends before us")] = (
        False
    )
