"""The keys of a provider file, one model for each kind of provider; texts in, checked values out. Pure.

Secrets are written as `${NAME}` and taken from the environment, so that the file can be kept with the plans.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from services.notifier.domain.provider_choice import Terms
from services.notifier.domain.smpp_receipt import ReceiptIds
from services.notifier.domain.smpp_text import LongTexts
from services.notifier.domain.template_parameters import Piece
from shared.contracts.values import ChannelKind

MAX_BYTES: Final = 1_000_000
_MAX_PROBLEMS: Final = 50
_SECRET: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class ProviderFileError(ValueError):
    """The text is no provider file. `problems` has one sentence each: `file: field: what is wrong`."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"'{name[:60]}' is not an IANA time zone") from error
    return name


def _address(*schemes: str) -> Callable[[SecretStr], SecretStr]:
    def checked(value: SecretStr) -> SecretStr:
        parts = urlsplit(value.get_secret_value())
        if parts.scheme not in schemes or not parts.hostname or any(char.isspace() for char in parts.geturl()):
            raise ValueError(f"must be an address beginning with {' or '.join(f'{one}://' for one in schemes)}")
        return value

    return checked


class _Written(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,40}$")]
Prefix = Annotated[str, Field(pattern=r"^\+[1-9][0-9]{0,14}$", description="International, such as +86 or +85290")]
Url = Annotated[SecretStr, AfterValidator(_address("http", "https"))]
MailUrl = Annotated[SecretStr, AfterValidator(_address("smtp", "smtps"))]
Endpoint = Annotated[str, Field(pattern=r"^https?://[^\s/]+$")]
Text = Annotated[str, Field(min_length=1, max_length=200)]
Country = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,3}$")]


class WrittenProvider(_Written):
    """What every provider has. `receipt_within_s`: a message without a good receipt by then goes to the next one."""

    name: Name
    prefixes: tuple[Prefix, ...] = ()
    per_second: Annotated[float, Field(ge=0, description="Of each notifier by itself; 0: no limit")] = 0
    price: Annotated[float, Field(ge=0, description="For one SMS or message, in any one currency")] = 0
    most_per_day: Annotated[float | None, Field(gt=0, description="In the same currency")] = None
    receipt_within_s: Annotated[float | None, Field(gt=0)] = None


class _WrittenWithoutNumbers(WrittenProvider):
    """Reaches no telephone and never says that a message arrived."""

    @field_validator("prefixes")
    @classmethod
    def _no_prefixes(cls, prefixes: tuple[str, ...]) -> tuple[str, ...]:
        if prefixes:
            raise ValueError("only telephone numbers have prefixes")
        return prefixes

    @field_validator("receipt_within_s")
    @classmethod
    def _no_receipts(cls, seconds: float | None) -> float | None:
        if seconds is not None:
            raise ValueError("this kind of provider never confirms that a message arrived")
        return seconds


class WrittenSmpp(WrittenProvider):
    type: Literal["smpp"]
    host: Text
    port: Annotated[int, Field(ge=1, le=65535)] = 2775
    tls: bool = False
    ca: Annotated[str | None, Field(description="File with the certificates that may vouch for the centre")] = None
    system_id: Annotated[str, Field(min_length=1, max_length=15)]
    password: SecretStr
    sender: Annotated[str, Field(min_length=1, max_length=20)]
    system_type: Annotated[str, Field(max_length=12)] = ""
    version: Literal["3.4", "5.0"] = "3.4"
    window: Annotated[int, Field(ge=1, le=1000)] = 10
    long_texts: LongTexts = LongTexts.UDH
    receipt_ids: ReceiptIds = ReceiptIds.SAME
    enquire_every_s: Annotated[float, Field(ge=0.05)] = 30


class WrittenSmsHttp(WrittenProvider):
    type: Literal["sms-http"]
    url: Url
    sender: Text


class WrittenParameter(_Written):
    piece: Piece
    limit: Annotated[int, Field(ge=1, le=500)] = 500


class WrittenAlibaba(WrittenProvider):
    type: Literal["alibaba"]
    key_id: Text
    key_secret: SecretStr
    sign_name: Text
    template: Text
    parameters: Annotated[dict[Text, WrittenParameter], Field(min_length=1)]
    endpoint: Endpoint = "https://dysmsapi.aliyuncs.com"


class WrittenTencent(WrittenProvider):
    type: Literal["tencent"]
    secret_id: Text
    secret_key: SecretStr
    app_id: Text
    sign_name: Text
    template: Text
    parameters: Annotated[tuple[WrittenParameter, ...], Field(min_length=1)]
    region: Text = "ap-guangzhou"
    endpoint: Endpoint = "https://sms.tencentcloudapi.com"


class WrittenTwilio(WrittenProvider):
    type: Literal["twilio"]
    account: Text
    auth_token: SecretStr
    sender: Text
    endpoint: Endpoint = "https://api.twilio.com"


class WrittenRobot(_WrittenWithoutNumbers):
    type: Literal["wecom", "dingtalk", "feishu", "slack"]
    url: Url
    secret: Annotated[SecretStr | None, Field(description="Of the signature; DingTalk and Feishu only")] = None


class WrittenWebhook(WrittenProvider):
    type: Literal["webhook"]
    channel: ChannelKind
    url: Url
    secret: Annotated[SecretStr, Field(min_length=16)]


class WrittenSmtp(_WrittenWithoutNumbers):
    type: Literal["smtp"]
    url: MailUrl
    sender: Text


AnyProvider = Annotated[
    WrittenSmpp
    | WrittenSmsHttp
    | WrittenAlibaba
    | WrittenTencent
    | WrittenTwilio
    | WrittenRobot
    | WrittenWebhook
    | WrittenSmtp,
    Field(discriminator="type"),
]
# By `type`; a webhook says itself what it reaches.
_CHANNELS: Final[Mapping[str, ChannelKind]] = {
    "smpp": ChannelKind.SMS,
    "sms-http": ChannelKind.SMS,
    "alibaba": ChannelKind.SMS,
    "tencent": ChannelKind.SMS,
    "twilio": ChannelKind.SMS,
    "smtp": ChannelKind.EMAIL,
    "wecom": ChannelKind.IM,
    "dingtalk": ChannelKind.IM,
    "feishu": ChannelKind.IM,
    "slack": ChannelKind.IM,
}


class ProviderFile(_Written):
    """`providers` in order of preference; `country` for numbers without one; days of money begin in `timezone`."""

    country: Country = "86"
    timezone: Annotated[str, AfterValidator(_zone)] = "Asia/Shanghai"
    providers: Annotated[tuple[AnyProvider, ...], Field(min_length=1)]


def parse_providers(text: str, environment: Mapping[str, str], *, file: str) -> ProviderFile:
    """Raises ProviderFileError with every problem found; no message shows a secret."""
    try:
        tree = YAML(typ="safe", pure=True).load(text[:MAX_BYTES])
    except (YAMLError, ValueError) as error:
        raise ProviderFileError([f"{file}: not YAML: {' '.join(str(error).split())[:300]}"]) from error
    missing: list[str] = []
    try:
        found = ProviderFile.model_validate(_filled(tree, environment, (), missing))
    except ValidationError as error:
        problems = [
            f"{file}: {'.'.join(str(step) for step in one['loc']) or 'file'}: {one['msg']}"
            for one in error.errors(include_url=False, include_input=False, include_context=False)
        ]
        raise ProviderFileError([*(f"{file}: {one}" for one in missing), *problems][:_MAX_PROBLEMS]) from error
    names = [one.name for one in found.providers]
    twice = sorted({name for name in names if names.count(name) > 1})
    problems = [f"{file}: {one}" for one in missing]
    problems += [f"{file}: providers: the name '{name}' is used more than once" for name in twice]
    if problems:
        raise ProviderFileError(problems)
    return found


def terms_of(one: AnyProvider) -> Terms:
    """What the choice among providers reads of an entry."""
    return Terms(
        name=one.name,
        channel=one.channel if isinstance(one, WrittenWebhook) else _CHANNELS[one.type],
        prefixes=one.prefixes,
        per_second=one.per_second,
        price=one.price,
        most_per_day=one.most_per_day,
        receipt_within=timedelta(seconds=one.receipt_within_s) if one.receipt_within_s is not None else None,
    )


def _filled(node: Any, environment: Mapping[str, str], path: tuple[str, ...], missing: list[str]) -> Any:
    """The tree with each `${NAME}` replaced; those not set are added to `missing`."""
    if isinstance(node, dict):
        return {key: _filled(value, environment, (*path, str(key)), missing) for key, value in node.items()}
    if isinstance(node, list):
        return [_filled(value, environment, (*path, str(place)), missing) for place, value in enumerate(node)]
    if not isinstance(node, str):
        return node
    missing += [
        f"{'.'.join(path)}: the environment has no {name}" for name in _SECRET.findall(node) if name not in environment
    ]
    return _SECRET.sub(lambda found: environment.get(found[1], found[0]), node)
