"""The console: reads every topic into a read model, shows it to people and systems, sends decisions to intake."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final

from fastapi import FastAPI, Request
from starlette.responses import Response

from services.console.api.routes import ApiParts, api_router
from services.console.app.follow_changes import Changes
from services.console.app.project_events import SHARE
from services.console.app.sign_in import SignIn
from services.console.app.watch_access import AccessWatch
from services.console.channels.clocks import ClockReader
from services.console.channels.duty import DutyReader
from services.console.channels.intake import Intake
from services.console.channels.sink import Sink
from services.console.consumers.every_topic import events_consumer, letters_reader
from services.console.domain.plan_words import PlanWords
from services.console.jobs.reload_plans import reload_plans
from services.console.settings import ConsoleSettings
from services.console.web.site import Site, install_site
from shared.access.api_keys import Scope
from shared.access.key_store import KeyStore
from shared.db.engine import DATABASE_ERRORS, Database, is_transient
from shared.kafka.erasing import ERASE_AGAIN_EVERY, Erasing
from shared.plans.library import PlanLibrary
from shared.runtime.health import Health
from shared.runtime.plans_in_force import PlansInForce
from shared.runtime.problems import ProblemError, install_problem_handlers
from shared.runtime.process import Parts, running, serve
from shared.runtime.request_guard import install_request_guard

_RELOAD_EVERY: Final = timedelta(seconds=10)


@dataclass(frozen=True)
class _Adapters:
    database: Database
    intake: Intake
    sink: Sink | None
    duty: DutyReader | None
    clocks: ClockReader | None
    changes: Changes
    words: PlanWords
    plans: PlansInForce


def create_app(settings: ConsoleSettings) -> FastAPI:
    """The application with everything behind it. Raises PlanLibraryError when the plans cannot be loaded."""
    library = PlanLibrary.load(settings.plans_dir, settings.plan_overrides, checked=settings.plans_checked)
    words = PlanWords({plan.name: plan for plan in library.plans})
    database = Database.connect(
        settings.database_url.get_secret_value(), application="fenghuo-console", pool_size=settings.database_pool
    )
    adapters = _Adapters(
        database=database,
        intake=Intake(settings.intake_url, settings.intake_key.get_secret_value()),
        sink=Sink(settings.sink_url) if settings.sink_url else None,
        duty=_duty(settings),
        clocks=_clocks(settings),
        changes=Changes(database, words),
        words=words,
        plans=PlansInForce(settings.plans_dir, settings.plan_overrides, library, checked=settings.plans_checked),
    )
    keys = KeyStore(database, settings.key_pepper.get_secret_value().encode())
    sign_in = SignIn(database, settings.session_secret.get_secret_value().encode())

    async def keys_still(prefixes: frozenset[str]) -> frozenset[str]:
        return await keys.still_allow(prefixes, Scope.READ, database.clock.now())

    sessions_watch = AccessWatch("sessions", sign_in.still_open)
    keys_watch = AccessWatch("keys", keys_still)
    health = Health("console")
    health.add("plans", adapters.plans.probe)
    health.add("changes", adapters.changes.probe)
    app = FastAPI(
        title="Fenghuo console",
        version="1",
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan(settings, adapters, health, (sessions_watch, keys_watch)),
    )
    install_problem_handlers(app)
    install_request_guard(app)
    for away in DATABASE_ERRORS:
        app.add_exception_handler(away, _database_away)
    app.router.routes.extend(health.routes())
    app.include_router(
        api_router(
            ApiParts(
                database=database,
                keys=keys,
                watch=keys_watch,
                intake=adapters.intake,
                changes=adapters.changes,
                words=words,
                clock=database.clock,
            )
        )
    )
    install_site(
        app,
        Site(
            database=database,
            sign_in=sign_in,
            watch=sessions_watch,
            intake=adapters.intake,
            sink=adapters.sink,
            changes=adapters.changes,
            words=words,
            plans=adapters.plans,
            clock=database.clock,
            secure_cookies=settings.secure_cookies,
            duty=adapters.duty,
            clocks=adapters.clocks,
        ),
    )
    return app


def _duty(settings: ConsoleSettings) -> DutyReader | None:
    if settings.notifier_url is None:
        return None
    return DutyReader(settings.notifier_url, settings.intake_key.get_secret_value())


def _clocks(settings: ConsoleSettings) -> ClockReader | None:
    if settings.escalator_url is None:
        return None
    return ClockReader(settings.escalator_url, settings.intake_key.get_secret_value())


async def _database_away(_: Request, error: Exception) -> Response:
    if not is_transient(error):
        raise error
    headers = {"Retry-After": "2"}
    return ProblemError(503, "The read model does not answer", code="database-away", headers=headers).response()


def _lifespan(
    settings: ConsoleSettings,
    adapters: _Adapters,
    health: Health,
    watches: tuple[AccessWatch[bytes], AccessWatch[str]],
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        kafka = settings.kafka_settings()
        parts = Parts(
            consumers=[events_consumer(adapters.database, kafka, adapters.words)],
            loops={
                "dead-letters": letters_reader(adapters.database, kafka).run,
                "changes": adapters.changes.run,
                **{f"access of {watch.name}": watch.run for watch in watches},
            },
            jobs={
                "reload-plans": (_RELOAD_EVERY, partial(reload_plans, adapters.plans, adapters.words)),
                "erase-again": (ERASE_AGAIN_EVERY, Erasing(adapters.database, SHARE).again),
            },
        )
        async with running("console", settings, adapters.database, health, parts):
            yield
        await adapters.intake.close()
        if adapters.sink is not None:
            await adapters.sink.close()
        if adapters.duty is not None:
            await adapters.duty.close()
        if adapters.clocks is not None:
            await adapters.clocks.close()

    return lifespan


def main() -> None:
    """Run until SIGTERM."""
    serve("console", ConsoleSettings(), create_app)


if __name__ == "__main__":
    main()
