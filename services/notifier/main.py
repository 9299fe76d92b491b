"""The notifier: requests to tell roles → people on duty → attempts by channel → settled, with every step in a ledger.

Doors: two consumers (requests, receipts), the sender loop, two reading routes. Here the adapters are built and handed
to the use cases.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Final

from fastapi import FastAPI

from services.notifier.api.deliveries import deliveries_router
from services.notifier.api.reader import reader
from services.notifier.api.roster import roster_router
from services.notifier.app.begin_attempts import Begun, begin_attempts
from services.notifier.app.call_provider import Providers, call_provider
from services.notifier.app.record_answers import record_answers
from services.notifier.app.rules import Links, Rules
from services.notifier.channels.channel import Channel
from services.notifier.channels.sms_http import SmsGateway
from services.notifier.channels.smtp import SmtpChannel
from services.notifier.channels.webhook import Webhook
from services.notifier.consumers.on_notification_requested import on_notification_requested
from services.notifier.consumers.on_receipt_received import on_receipt_received
from services.notifier.domain.delivery import Policy
from services.notifier.domain.roster_calendars import working_days
from services.notifier.domain.roster_text import RosterError
from services.notifier.jobs.pace import Pace
from services.notifier.jobs.reload_roster import reload_roster
from services.notifier.jobs.send_due import Capacity, SendDue
from services.notifier.settings import NotifierSettings
from services.notifier.store.roster_files import RosterFiles
from shared.access.key_store import KeyStore
from shared.calendars.library import CalendarLibrary
from shared.contracts.values import ChannelKind
from shared.db.engine import Database
from shared.runtime.clock import Clock, SystemClock
from shared.runtime.health import Health
from shared.runtime.ids import TimeOrderedIds
from shared.runtime.problems import install_problem_handlers
from shared.runtime.process import Parts, running, serve

NAME: Final = "notifier"
# Time to write an answer down after the provider's limit, before another sender may take over.
_RECORDING: Final = timedelta(seconds=5)
_GIVES_RECEIPTS: Final = frozenset({ChannelKind.SMS})


def create_app(settings: NotifierSettings) -> FastAPI:
    """The service; everything is started by the application's lifespan and stopped by its end.

    Raises RosterError when the roster cannot be read, ValueError when a provider's address cannot be used.
    """
    clock, ids = SystemClock(), TimeOrderedIds()
    database = Database.connect(
        settings.database_url.get_secret_value(), application=f"fenghuo-{NAME}", pool_size=settings.database_pool
    )
    rosters = RosterFiles(settings.roster, working_days(CalendarLibrary.load(settings.calendars_dir)))
    rosters.load()
    channels = _channels(settings, clock)
    rules = _rules(settings, rosters, channels)
    providers = Providers(
        {channel.name: channel for channel in channels}, timedelta(seconds=settings.provider_timeout_s), clock
    )

    async def begin(fresh: Mapping[ChannelKind, int], retries: Mapping[ChannelKind, int]) -> Begun:
        return await begin_attempts(database=database, rules=rules, ids=ids, fresh=fresh, retries=retries)

    sender = SendDue(
        begin=begin,
        call=partial(call_provider, providers=providers),
        record=partial(record_answers, database=database, rules=rules, ids=ids),
        capacities=_capacities(settings),
        clock=clock,
    )
    kafka = settings.kafka_settings()
    parts = Parts(
        consumers=[
            on_notification_requested(database, kafka, rules, ids, sender),
            on_receipt_received(database, kafka, rules, ids, sender.wake),
        ],
        loops={"sender": sender.run},
        jobs={"reload-roster": (timedelta(seconds=settings.roster_reload_s), partial(reload_roster, rosters))},
    )
    health = Health(NAME)
    health.add("roster", rosters.probe)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with running(NAME, settings, database, health, parts):
            yield
        for channel in channels:
            await channel.close()

    app = FastAPI(title="Fenghuo notifier", version="1", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.router.routes.extend(health.routes())
    may_read = reader(KeyStore(database, settings.key_pepper.get_secret_value().encode()), clock)
    app.include_router(deliveries_router(database, may_read))
    app.include_router(roster_router(rules, clock, may_read))
    install_problem_handlers(app)
    return app


def _channels(settings: NotifierSettings, clock: Clock) -> Sequence[Channel]:
    """Adapters for every provider with an address, in order of preference within a channel."""
    timeout, places = timedelta(seconds=settings.provider_timeout_s), settings.delivery_places
    found: list[Channel] = []
    if settings.sms_url is not None:
        url = settings.sms_url.get_secret_value()
        found.append(SmsGateway(url, sender=settings.sms_from, timeout=timeout, connections=places))
    if settings.smtp_url is not None:
        url = settings.smtp_url.get_secret_value()
        found.append(SmtpChannel(url, sender=settings.mail_from, clock=clock, timeout=timeout, connections=places))
    for kind, hook in ((ChannelKind.IM, settings.im_webhook), (ChannelKind.VOICE, settings.voice_webhook)):
        if hook is not None:
            secret = settings.link_secret.get_secret_value().encode()
            url = hook.get_secret_value()
            found.append(Webhook(url, kind=kind, secret=secret, clock=clock, timeout=timeout, connections=places))
    return found


def _rules(settings: NotifierSettings, rosters: RosterFiles, channels: Sequence[Channel]) -> Rules:
    providers: dict[ChannelKind, list[str]] = {}
    for channel in channels:
        providers.setdefault(channel.kind, []).append(channel.name)
    public = settings.public_url.rstrip("/")
    return Rules(
        rosters=rosters,
        providers=providers,
        policy=Policy(
            receipt_within={
                channel.name: timedelta(seconds=settings.receipt_within_s)
                for channel in channels
                if channel.kind in _GIVES_RECEIPTS
            },
            tries=settings.tries_a_route,
            first_wait=timedelta(seconds=settings.retry_first_wait_s),
            longest_wait=timedelta(seconds=settings.retry_longest_wait_s),
            give_up_after=timedelta(seconds=settings.give_up_after_s),
        ),
        links=Links(
            secret=settings.link_secret.get_secret_value().encode(),
            public=public,
            receipts=(settings.receipt_url or public).rstrip("/"),
            valid_for=timedelta(seconds=settings.link_valid_s),
        ),
        answer_within=timedelta(seconds=settings.provider_timeout_s) + _RECORDING,
        max_sms_segments=settings.sms_segments,
    )


def _capacities(settings: NotifierSettings) -> dict[ChannelKind, Capacity]:
    paces = {ChannelKind.EMAIL: settings.smtp_per_second, ChannelKind.SMS: settings.sms_per_second}
    return {kind: Capacity(settings.delivery_places, Pace(paces.get(kind, 0))) for kind in ChannelKind}


def main() -> None:
    """Run until SIGTERM. A roster with problems is refused at the start with all of them."""
    try:
        serve(NAME, NotifierSettings(), create_app)
    except RosterError as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
