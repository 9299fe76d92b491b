"""A provider file's entries as channels, and all providers in use behind their guards."""

import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import assert_never
from zoneinfo import ZoneInfo

from services.notifier.channels.alibaba_sms import AlibabaSms
from services.notifier.channels.channel import Channel
from services.notifier.channels.guarded import GuardedChannel, ProviderChoice, Standing
from services.notifier.channels.http_channel import Dialect, HttpChannel
from services.notifier.channels.im_robots import DingtalkRobot, FeishuBot, SlackWebhook, WecomRobot
from services.notifier.channels.smpp import Inbox, SmppChannel, SmppOptions
from services.notifier.channels.smpp_link import Centre
from services.notifier.channels.sms_http import SmsGateway
from services.notifier.channels.smtp import SmtpChannel
from services.notifier.channels.tencent_sms import TencentSms
from services.notifier.channels.twilio_sms import TwilioSms
from services.notifier.channels.webhook import Webhook
from services.notifier.domain.circuit import CircuitPolicy
from services.notifier.domain.provider_choice import Terms
from services.notifier.domain.provider_file import (
    AnyProvider,
    ProviderFile,
    WrittenAlibaba,
    WrittenParameter,
    WrittenRobot,
    WrittenSmpp,
    WrittenSmsHttp,
    WrittenSmtp,
    WrittenTencent,
    WrittenTwilio,
    WrittenWebhook,
)
from services.notifier.domain.template_parameters import TemplateParameter
from shared.runtime.clock import Clock
from shared.runtime.ids import Ids

_SMPP_VERSIONS = {"3.4": 0x34, "5.0": 0x50}


@dataclass(frozen=True, slots=True)
class Fittings:
    """What channels are built with. `inbox` makes the one for a named SMPP provider."""

    clock: Clock
    ids: Ids
    timeout: timedelta
    places: int
    inbox: Callable[[str], Inbox]


def assembled(file: ProviderFile, fittings: Fittings) -> list[Channel]:
    """One channel for each entry, in their order. Raises ValueError or OSError for what only shows when built."""
    return [_channel(one, file.country, fittings) for one in file.providers]


def _channel(one: AnyProvider, country: str, with_: Fittings) -> Channel:
    match one:
        case WrittenSmpp():
            return SmppChannel(one.name, _smpp(one, with_), with_.inbox(one.name), timeout=with_.timeout)
        case WrittenSmsHttp():
            url = one.url.get_secret_value()
            return SmsGateway(url, sender=one.sender, timeout=with_.timeout, connections=with_.places, name=one.name)
        case WrittenSmtp():
            url = one.url.get_secret_value()
            return SmtpChannel(
                url,
                sender=one.sender,
                clock=with_.clock,
                timeout=with_.timeout,
                connections=with_.places,
                name=one.name,
            )
        case WrittenWebhook():
            return Webhook(
                one.url.get_secret_value(),
                kind=one.channel,
                secret=one.secret.get_secret_value().encode(),
                clock=with_.clock,
                timeout=with_.timeout,
                connections=with_.places,
                name=one.name,
            )
        case WrittenAlibaba() | WrittenTencent() | WrittenTwilio() | WrittenRobot():
            dialect = _dialect(one, country, with_)
            return HttpChannel(one.name, dialect, timeout=with_.timeout, connections=with_.places)
        case _ as never:
            assert_never(never)


def _dialect(
    one: WrittenAlibaba | WrittenTencent | WrittenTwilio | WrittenRobot, country: str, with_: Fittings
) -> Dialect:
    match one:
        case WrittenAlibaba():
            return AlibabaSms(
                one.key_id,
                one.key_secret.get_secret_value(),
                one.sign_name,
                one.template,
                {name: _parameter(parameter) for name, parameter in one.parameters.items()},
                with_.clock,
                with_.ids,
                one.endpoint,
            )
        case WrittenTencent():
            return TencentSms(
                one.secret_id,
                one.secret_key.get_secret_value(),
                one.app_id,
                one.sign_name,
                one.template,
                [_parameter(parameter) for parameter in one.parameters],
                with_.clock,
                one.region,
                country,
                one.endpoint,
            )
        case WrittenTwilio():
            return TwilioSms(one.account, one.auth_token.get_secret_value(), one.sender, country, one.endpoint)
        case WrittenRobot():
            return _robot(one, with_)
        case _ as never:
            assert_never(never)


def _robot(one: WrittenRobot, with_: Fittings) -> Dialect:
    url = one.url.get_secret_value()
    secret = one.secret.get_secret_value() if one.secret is not None else None
    match one.type:
        case "wecom":
            return WecomRobot(url)
        case "dingtalk":
            return DingtalkRobot(url, secret, with_.clock)
        case "feishu":
            return FeishuBot(url, secret, with_.clock)
        case "slack":
            return SlackWebhook(url)


def _parameter(one: WrittenParameter) -> TemplateParameter:
    return TemplateParameter(one.piece, one.limit)


def _smpp(one: WrittenSmpp, with_: Fittings) -> SmppOptions:
    tls = ssl.create_default_context(cafile=one.ca) if one.tls else None
    return SmppOptions(
        centre=Centre(one.host, one.port, tls, one.enquire_every_s, with_.timeout.total_seconds()),
        system_id=one.system_id,
        password=one.password.get_secret_value(),
        sender=one.sender,
        system_type=one.system_type,
        version=_SMPP_VERSIONS[one.version],
        window=one.window,
        long_texts=one.long_texts,
        receipt_ids=one.receipt_ids,
    )


@dataclass(frozen=True, slots=True)
class Fleet:
    """All providers in use: guarded channels by name, how they stand, and what must run for them."""

    channels: Mapping[str, Channel]
    standings: tuple[Standing, ...]
    choice: ProviderChoice
    resident: Mapping[str, SmppChannel]

    async def close(self) -> None:
        """Every connection."""
        for channel in self.channels.values():
            await channel.close()


def fleet(
    entries: Sequence[tuple[Channel, Terms]],
    *,
    clock: Clock,
    timeout: timedelta,
    circuit: CircuitPolicy,
    country: str = "86",
    timezone: str = "Asia/Shanghai",
) -> Fleet:
    """The entries behind their guards, best first. Raises ValueError for two of one name."""
    zone = ZoneInfo(timezone)
    names = [terms.name for _, terms in entries]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"more than one provider is called {', '.join(twice)}")
    standings = tuple(Standing(terms) for _, terms in entries)
    return Fleet(
        channels={
            channel.name: GuardedChannel(channel, standing, clock=clock, zone=zone, timeout=timeout, policy=circuit)
            for (channel, _), standing in zip(entries, standings, strict=True)
        },
        standings=standings,
        choice=ProviderChoice(standings, country=country, zone=zone),
        resident={channel.name: channel for channel, _ in entries if isinstance(channel, SmppChannel)},
    )
