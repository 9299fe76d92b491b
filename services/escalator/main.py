"""The escalator as a process: it owns each case's state, level, tier and clocks from the first level on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Final

from fastapi import FastAPI

from services.escalator.api.audit import audit_router
from services.escalator.api.clocks import clocks_router
from services.escalator.app.apply_events import ApplyEvents
from services.escalator.app.audit_timers import AuditTimers
from services.escalator.app.expire_cases import ExpireCases
from services.escalator.app.explain_clocks import ExplainClocks
from services.escalator.app.fire_due_timers import FireDueTimers
from services.escalator.app.recount_clocks import RecountClocks
from services.escalator.app.tell_duties import TellDuties
from services.escalator.consumers.on_case_facts import on_case_facts, on_notification_settled
from services.escalator.domain.time_bases import NeedsCalendarError
from services.escalator.jobs.periodic_duties import EVERY, periodic_duties
from services.escalator.jobs.reload_plans import reload_plans
from services.escalator.jobs.sweep import Sweeper
from services.escalator.settings import EscalatorSettings
from services.escalator.store.plans import Plans
from services.escalator.store.retention import erase_personal_data, erase_whole_cases
from shared.access.api_keys import Scope
from shared.access.bearer import reader
from shared.access.key_store import KeyStore
from shared.calendars.library import CalendarFilesError, CalendarFolder, CalendarLibrary
from shared.contracts.escalations import ErasedPart
from shared.db.engine import Database
from shared.kafka.erasing import ERASE_AGAIN_EVERY, Erasing, Share
from shared.plans.library import PlanLibrary
from shared.plans.problems import PlanLibraryError
from shared.runtime.clock import SteadyClock
from shared.runtime.health import Health
from shared.runtime.ids import TimeOrderedIds
from shared.runtime.plans_in_force import PlansInForce
from shared.runtime.problems import install_problem_handlers
from shared.runtime.process import Parts, running, serve
from shared.runtime.request_guard import install_request_guard

NAME: Final = "escalator"
_AUDIT_EVERY: Final = timedelta(seconds=30)
_CALENDARS_EVERY: Final = timedelta(seconds=60)
_RELOAD_EVERY: Final = timedelta(seconds=10)


def create_app(settings: EscalatorSettings) -> FastAPI:
    """The service with its health routes; at work as long as its lifespan.

    Raises PlanLibraryError for bad plans, CalendarFilesError for bad calendars, NeedsCalendarError for a plan that
    counts in a calendar which is not there.
    """
    library = PlanLibrary.load(settings.plans_dir, settings.plan_overrides, checked=settings.plans_checked)
    database = Database.connect(
        settings.database_url.get_secret_value(),
        application=f"fenghuo-{NAME}",
        pool_size=settings.database_pool,
        clock=SteadyClock(),
    )
    changed_calendars = CalendarFolder(settings.calendars_dir)
    calendars = CalendarLibrary.load(settings.calendars_dir)
    plans, ids = Plans(library, calendars), TimeOrderedIds()
    plans.check()
    in_force = PlansInForce(settings.plans_dir, settings.plan_overrides, library, checked=settings.plans_checked)

    def wake(due_at: datetime) -> None:
        fire.lower_floor(due_at)
        sweeper.wake(due_at)

    fire = FireDueTimers(database, plans, ids, wake)
    sweeper = Sweeper(fire, database.clock, longest_sleep=timedelta(seconds=settings.sweep_longest_sleep_s))
    recount_clocks = RecountClocks(database, plans, ids, wake, changed_calendars)
    tell_duties = TellDuties(database, plans, ids)
    audit_timers = AuditTimers(database, plans, wake, grace=timedelta(seconds=settings.audit_grace_s))

    expire_cases = ExpireCases(database, plans, ids, wake, _kept_days(settings))

    async def sweep(stop: asyncio.Event) -> None:
        await sweeper.run(stop)

    async def audit() -> None:
        await audit_timers()

    async def recount() -> None:
        await recount_clocks()

    async def reload() -> None:
        await reload_plans(in_force, plans)

    async def expire() -> None:
        await expire_cases()

    apply, kafka = ApplyEvents(database, plans, ids, wake, reload), settings.kafka_settings()
    erasing = Erasing(database, Share(erase_personal_data, erase_whole_cases))
    parts = Parts(
        consumers=[on_case_facts(apply, database, kafka), on_notification_settled(apply, database, kafka)],
        loops={"sweep": sweep},
        jobs={
            "audit-timers": (_AUDIT_EVERY, audit),
            "calendars": (_CALENDARS_EVERY, recount),
            "duties": (EVERY, periodic_duties(tell_duties)),
            "reload-plans": (_RELOAD_EVERY, reload),
            "expire-cases": (timedelta(seconds=settings.keep_check_s), expire),
            "erase-again": (ERASE_AGAIN_EVERY, erasing.again),
        },
    )
    health = Health(NAME)
    health.add("plans", in_force.probe)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with running(NAME, settings, database, health, parts):
            yield

    app = FastAPI(title="Fenghuo escalator", version="1", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.router.routes.extend(health.routes())
    if settings.key_pepper is not None:
        keys = KeyStore(database, settings.key_pepper.get_secret_value().encode())
        app.include_router(clocks_router(ExplainClocks(database, plans), reader(keys, database.clock)))
        app.include_router(audit_router(audit_timers, reader(keys, database.clock, Scope.OPERATE)))
    install_problem_handlers(app)
    install_request_guard(app)
    return app


def _kept_days(settings: EscalatorSettings) -> dict[ErasedPart, int]:
    days = {ErasedPart.PERSONAL_DATA: settings.keep_personal_data_days, ErasedPart.CASE: settings.keep_cases_days}
    return {part: kept for part, kept in days.items() if kept is not None}


def main() -> None:
    """Run until SIGTERM. Plans or calendars with problems are refused with all of them."""
    try:
        serve(NAME, EscalatorSettings(), create_app)
    except (PlanLibraryError, CalendarFilesError, NeedsCalendarError) as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
