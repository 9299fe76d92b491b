"""The notifier: requests to tell roles → people on duty → attempts by channel → settled, with every step in a ledger.

Doors: three consumers (requests, receipts, cases), the sender loop, routes. Here the adapters are built and handed
to the use cases.
"""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Final

from fastapi import FastAPI

from services.notifier.api.deliveries import deliveries_router
from services.notifier.api.live_tests import live_tests_router
from services.notifier.api.merged_cases import merged_cases_router
from services.notifier.api.previews import previews_router
from services.notifier.api.receipt_addresses import receipt_addresses_router
from services.notifier.api.replies import replies_router
from services.notifier.api.roster import roster_router
from services.notifier.api.roster_calendars import roster_calendars_router
from services.notifier.api.roster_changes import roster_changes_router
from services.notifier.api.silences import silences_router
from services.notifier.api.verifications import verifications_router
from services.notifier.app.announce_handovers import announce_handovers
from services.notifier.app.begin_attempts import Begun, begin_attempts
from services.notifier.app.call_provider import Providers, call_provider
from services.notifier.app.find_receipt_address import find_receipt_address
from services.notifier.app.record_answers import record_answers
from services.notifier.app.report_findings import report_findings
from services.notifier.app.rules import Links, Rules
from services.notifier.app.tell_complainants import tell_complainants
from services.notifier.app.watch_live_tests import watch_live_tests
from services.notifier.channels.assembly import Fittings, Fleet, assembled, fleet
from services.notifier.channels.channel import Channel
from services.notifier.channels.register import Register
from services.notifier.channels.smpp_inbox import SmppInbox
from services.notifier.channels.sms_http import SmsGateway
from services.notifier.channels.smtp import SmtpChannel
from services.notifier.channels.webhook import Webhook
from services.notifier.consumers.on_case_escalated import on_case_escalated
from services.notifier.consumers.on_command_issued import on_command_issued
from services.notifier.consumers.on_notification_requested import on_notification_requested
from services.notifier.consumers.on_receipt_received import on_receipt_received
from services.notifier.domain.circuit import CircuitPolicy
from services.notifier.domain.delivery import Policy
from services.notifier.domain.noise import Throttle
from services.notifier.domain.provider_choice import Terms
from services.notifier.domain.provider_file import ProviderFileError, terms_of
from services.notifier.domain.roster_calendars import working_days
from services.notifier.domain.roster_problems import RosterError
from services.notifier.domain.roster_text import MAX_BYTES
from services.notifier.domain.templates import TemplateError
from services.notifier.jobs.look_for_notices import look_for_notices
from services.notifier.jobs.pace import Pace
from services.notifier.jobs.reload_roster import reload_roster
from services.notifier.jobs.reload_silences import reload_silences
from services.notifier.jobs.send_due import Capacity, SendDue
from services.notifier.jobs.watch_rosters import watch_rosters
from services.notifier.jobs.weigh_providers import weigh_providers
from services.notifier.settings import NotifierSettings
from services.notifier.store.provider_files import read_providers
from services.notifier.store.retention import erase_personal_data, erase_whole_cases
from services.notifier.store.roster_book import RosterBook
from services.notifier.store.roster_files import RosterFiles
from services.notifier.store.silences import SilenceBook
from services.notifier.store.template_files import load_templates
from shared.access.api_keys import Scope
from shared.access.bearer import reader
from shared.access.key_store import KeyStore
from shared.calendars.library import CalendarLibrary
from shared.contracts.values import ChannelKind
from shared.db.engine import Database
from shared.kafka.erasing import ERASE_AGAIN_EVERY, Erasing, Share
from shared.runtime.clock import Clock, SystemClock
from shared.runtime.health import Health
from shared.runtime.ids import Ids, TimeOrderedIds
from shared.runtime.problems import install_problem_handlers
from shared.runtime.process import Parts, running, serve
from shared.runtime.request_guard import install_request_guard
from shared.runtime.schedule import Job

NAME: Final = "notifier"
# Time to write an answer down after the provider's limit, before another sender may take over.
_RECORDING: Final = timedelta(seconds=5)
_GIVES_RECEIPTS: Final = frozenset({ChannelKind.SMS})


def create_app(settings: NotifierSettings) -> FastAPI:
    """The service; everything is started by the application's lifespan and stopped by its end.

    Raises RosterError, ProviderFileError or TemplateError for files that cannot be used, ValueError for a provider's
    address.
    """
    clock, ids = SystemClock(), TimeOrderedIds()
    database = Database.connect(
        settings.database_url.get_secret_value(), application=f"fenghuo-{NAME}", pool_size=settings.database_pool
    )
    calendars = working_days(CalendarLibrary.load(settings.calendars_dir))
    files = RosterFiles(settings.roster, calendars)
    files.load()
    rosters = RosterBook(files, database, calendars)
    providers_in_use = _fleet(settings, database, clock, ids)
    silences = SilenceBook(database, rosters, calendars, settings.quiet_hours)
    rules = _rules(settings, rosters, providers_in_use, silences)
    providers = Providers(providers_in_use.channels, timedelta(seconds=settings.provider_timeout_s), clock)

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
    erasing = Erasing(database, Share(erase_personal_data, erase_whole_cases))
    parts = Parts(
        consumers=[
            on_notification_requested(database, kafka, rules, ids, sender),
            on_receipt_received(database, kafka, rules, ids, sender.wake),
            on_case_escalated(database, kafka, rules, ids),
            on_command_issued(database, kafka, rosters, ids, secret=rules.links.secret),
            erasing.consumer(NAME, kafka),
        ],
        loops={"sender": sender.run, **{name: one.run for name, one in providers_in_use.resident.items()}},
        jobs={
            "reload-roster": (timedelta(seconds=settings.roster_reload_s), partial(reload_roster, rosters)),
            "reload-silences": (timedelta(seconds=settings.silences_reload_s), partial(reload_silences, silences)),
            "erase-again": (ERASE_AGAIN_EVERY, erasing.again),
            **_complainants(settings, providers, rules, database, ids),
            **_roster_watch(settings, rosters, rules, database, ids),
            "weigh-providers": (
                timedelta(seconds=settings.providers_weighed_s),
                partial(weigh_providers, database, providers_in_use.choice),
            ),
        },
    )
    health = Health(NAME)
    health.add("roster", files.probe)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with running(NAME, settings, database, health, parts):
            yield
        await providers_in_use.close()

    app = FastAPI(title="Fenghuo notifier", version="1", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.router.routes.extend(health.routes())
    keys = KeyStore(database, settings.key_pepper.get_secret_value().encode())
    may_read, may_change = reader(keys, clock), reader(keys, clock, Scope.ROSTER)
    app.include_router(deliveries_router(database, may_read))
    app.include_router(roster_router(rules, clock, may_read))
    app.include_router(previews_router(rules, clock, may_read))
    app.include_router(roster_changes_router(rosters, database, ids, may_read, may_change))
    app.include_router(live_tests_router(rosters, database, ids, may_change))
    app.include_router(verifications_router(rules, database, ids, may_read=may_read, may_change=may_change))
    may_reply = reader(keys, clock, Scope.RECEIPT)
    app.include_router(receipt_addresses_router(rules.links, database, may_reply))
    app.include_router(replies_router(rosters, silences, database, ids, may_reply))
    app.include_router(merged_cases_router(database, may_reply))
    app.include_router(
        silences_router(silences, database, ids, clock, sender.wake, may_read=may_read, may_change=may_change)
    )
    secret = settings.link_secret.get_secret_value().encode()
    app.include_router(
        roster_calendars_router(rosters, database, ids, clock, secret=secret, may_read=may_read, may_change=may_change)
    )
    install_problem_handlers(app)
    install_request_guard(app, largest_body=MAX_BYTES)
    return app


def _roster_watch(
    settings: NotifierSettings, book: RosterBook, rules: Rules, database: Database, ids: Ids
) -> dict[str, tuple[timedelta, Job]]:
    look = partial(report_findings, book=book, rules=rules, database=database, ids=ids, days=settings.roster_check_days)
    announce = partial(announce_handovers, book=book, database=database, ids=ids)
    test = partial(watch_live_tests, book=book, database=database, ids=ids, every_days=settings.live_test_every_days)
    return {
        "watch-live-tests": (timedelta(seconds=settings.live_test_check_s), partial(watch_rosters, test)),
        "check-rosters": (timedelta(seconds=settings.roster_check_s), partial(watch_rosters, look)),
        "announce-handovers": (timedelta(seconds=settings.handover_check_s), partial(watch_rosters, announce)),
    }


def _complainants(
    settings: NotifierSettings, providers: Providers, rules: Rules, database: Database, ids: Ids
) -> dict[str, tuple[timedelta, Job]]:
    """Only where intake may be asked for addresses."""
    if settings.intake_url is None or settings.address_key is None:
        return {}
    register = Register(settings.intake_url, settings.address_key.get_secret_value())
    tell = partial(tell_complainants, addresses=register, providers=providers, rules=rules, database=database, ids=ids)
    return {"tell-complainants": (timedelta(seconds=settings.complainant_check_s), partial(look_for_notices, tell))}


def _channels(settings: NotifierSettings, clock: Clock) -> list[tuple[Channel, Terms]]:
    """Adapters for every provider with an address in the settings, in order of preference within a channel."""
    timeout, places = timedelta(seconds=settings.provider_timeout_s), settings.delivery_places
    found: list[Channel] = []
    if settings.sms_url is not None:
        url = settings.sms_url.get_secret_value()
        found.append(SmsGateway(url, sender=settings.sms_from, timeout=timeout, connections=places))
    if settings.smtp_url is not None:
        url = settings.smtp_url.get_secret_value()
        found.append(
            SmtpChannel(
                url,
                sender=settings.mail_from,
                clock=clock,
                timeout=timeout,
                connections=settings.smtp_connections,
            )
        )
    for kind, hook in ((ChannelKind.IM, settings.im_webhook), (ChannelKind.VOICE, settings.voice_webhook)):
        if hook is not None:
            secret = settings.link_secret.get_secret_value().encode()
            url = hook.get_secret_value()
            found.append(Webhook(url, kind=kind, secret=secret, clock=clock, timeout=timeout, connections=places))
    within = timedelta(seconds=settings.receipt_within_s)
    return [
        (one, Terms(one.name, one.kind, receipt_within=within if one.kind in _GIVES_RECEIPTS else None))
        for one in found
    ]


def _fleet(settings: NotifierSettings, database: Database, clock: Clock, ids: Ids) -> Fleet:
    """The entries of the provider file first, then what the settings name."""
    timeout = timedelta(seconds=settings.provider_timeout_s)
    circuit = CircuitPolicy(failures=settings.circuit_failures, first_pause=timedelta(seconds=settings.circuit_pause_s))
    named = _channels(settings, clock)
    if settings.providers is None:
        return fleet(named, clock=clock, timeout=timeout, circuit=circuit)
    file = read_providers(settings.providers, os.environ)
    links = _links(settings)

    def inbox(name: str) -> SmppInbox:
        return SmppInbox(
            name,
            intake=(settings.intake_url or links.receipts).rstrip("/"),
            key=settings.intake_key.get_secret_value() if settings.intake_key is not None else None,
            find_address=partial(find_receipt_address, provider=name, database=database, links=links),
            timeout=timeout,
        )

    built = assembled(file, Fittings(clock, ids, timeout, settings.delivery_places, inbox))
    return fleet(
        [*zip(built, map(terms_of, file.providers), strict=True), *named],
        clock=clock,
        timeout=timeout,
        circuit=circuit,
        country=file.country,
        timezone=file.timezone,
    )


def _rules(settings: NotifierSettings, rosters: RosterBook, in_use: Fleet, silences: SilenceBook) -> Rules:
    providers: dict[ChannelKind, list[str]] = {}
    for one in in_use.standings:
        providers.setdefault(one.terms.channel, []).append(one.terms.name)
    return Rules(
        rosters=rosters,
        providers=providers,
        choice=in_use.choice,
        policy=Policy(
            receipt_within=in_use.choice.receipts_within(),
            tries=settings.tries_a_route,
            first_wait=timedelta(seconds=settings.retry_first_wait_s),
            longest_wait=timedelta(seconds=settings.retry_longest_wait_s),
            give_up_after=timedelta(seconds=settings.give_up_after_s),
            outage=timedelta(seconds=settings.outage_s),
        ),
        links=_links(settings),
        answer_within=timedelta(seconds=settings.provider_timeout_s) + _RECORDING,
        max_sms_segments=settings.sms_segments,
        silences=silences,
        templates=load_templates(settings.templates),
        throttle=Throttle(settings.throttle_messages, timedelta(seconds=settings.throttle_window_s)),
        late_after=timedelta(seconds=settings.late_after_s),
    )


def _links(settings: NotifierSettings) -> Links:
    public = settings.public_url.rstrip("/")
    return Links(
        secret=settings.link_secret.get_secret_value().encode(),
        public=public,
        receipts=(settings.receipt_url or public).rstrip("/"),
        valid_for=timedelta(seconds=settings.link_valid_s),
    )


def _capacities(settings: NotifierSettings) -> dict[ChannelKind, Capacity]:
    paces = {ChannelKind.EMAIL: settings.smtp_per_second, ChannelKind.SMS: settings.sms_per_second}
    places = {ChannelKind.EMAIL: settings.smtp_connections}
    return {
        kind: Capacity(places.get(kind, settings.delivery_places), Pace(paces.get(kind, 0))) for kind in ChannelKind
    }


def main() -> None:
    """Run until SIGTERM. A roster or provider file with problems is refused at the start with all of them."""
    try:
        serve(NAME, NotifierSettings(), create_app)
    except (RosterError, ProviderFileError, TemplateError) as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
