"""Settings of the intake service, from the environment with the prefix FENGHUO_."""

from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, field_validator

from shared.runtime.settings import ServiceSettings


class IntakeSettings(ServiceSettings):
    """What only intake needs.

    `identity_key` is the master key of people's data: whoever loses it loses every encrypted field, and changing it
    makes repeats of one person uncountable across the change.
    """

    port: Annotated[int, Field(ge=0, le=65535)] = 8601
    identity_key: Annotated[SecretStr, Field(min_length=32, description="Master key, at least 32 characters")]
    link_secret: Annotated[SecretStr, Field(min_length=16, description="Signs links and receipt addresses")]
    key_pepper: Annotated[SecretStr, Field(min_length=16, description="Keys the hashes of API keys")]
    public_url: Annotated[str, Field(description="Base address of intake as people reach it")] = "http://127.0.0.1:8601"
    receipt_url: Annotated[
        str | None, Field(description="Base address of intake as providers reach it; public_url if absent")
    ] = None
    twilio_tokens: Annotated[
        dict[str, SecretStr],
        Field(default_factory=dict, description="Auth tokens by provider name, as JSON: their receipts must be signed"),
    ]
    notifier_url: Annotated[
        str | None,
        Field(pattern=r"^https?://[^\s]+$", description="For replies about everything and reports by message id"),
    ] = None
    notifier_key: Annotated[SecretStr | None, Field(description="With the scope for receipts")] = None
    role_check: Annotated[
        Literal["tell", "refuse", "off"],
        Field(description="Who decides in a role's name without being on duty for it: said in the history, or refused"),
    ] = "tell"
    default_time_zone: Annotated[str, Field(description="Zone whose months number the cases")] = "Asia/Shanghai"
    time_zones: Annotated[dict[str, str], Field(default_factory=dict, description="Zones by organisation, as JSON")]
    rate_per_second: Annotated[int, Field(ge=1, description="Reports and requests a second for one API key")] = 20_000
    page_rate_per_minute: Annotated[int, Field(ge=1, description="Requests without a key, by client address")] = 600
    most_waiting: Annotated[int, Field(ge=500, description="Reports that may wait for their commit")] = 5_000

    @field_validator("default_time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        return _checked(name)

    @field_validator("time_zones")
    @classmethod
    def _known_zones(cls, names: dict[str, str]) -> dict[str, str]:
        return {org: _checked(name) for org, name in names.items()}


def _checked(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"'{name}' is not an IANA time zone") from error
    return name
