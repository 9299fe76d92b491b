"""The classifier as a process: a report goes in, a level with every reason comes out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

from fastapi import FastAPI

from services.classifier.app.audit_reconsiderations import audit_reconsiderations
from services.classifier.app.end_warnings import end_warnings
from services.classifier.app.forget_windows import forget_windows
from services.classifier.app.judge_cases import Ports
from services.classifier.app.route_unrouted import route_unrouted
from services.classifier.consumers.on_case_merged import on_case_merged
from services.classifier.consumers.on_command_issued import on_command_issued
from services.classifier.consumers.on_report_received import on_report_received
from services.classifier.jobs.reconsider import ReconsiderLoop
from services.classifier.jobs.reload_plans import reload_plans
from services.classifier.settings import ClassifierSettings
from services.classifier.store.plans import Plans
from services.classifier.store.retention import erase_cases
from shared.db.engine import Database
from shared.kafka.erasing import ERASE_AGAIN_EVERY, Erasing, Share
from shared.plans.library import PlanLibrary
from shared.plans.problems import PlanLibraryError
from shared.runtime.health import Health
from shared.runtime.ids import TimeOrderedIds
from shared.runtime.plans_in_force import PlansInForce
from shared.runtime.problems import install_problem_handlers
from shared.runtime.process import Parts, running, serve

NAME: Final = "classifier"
_AUDIT_EVERY: Final = timedelta(seconds=30)
_ROUTE_EVERY: Final = timedelta(minutes=5)
_END_EVERY: Final = timedelta(seconds=15)
_FORGET_EVERY: Final = timedelta(hours=6)
_RELOAD_EVERY: Final = timedelta(seconds=10)


def create_app(settings: ClassifierSettings) -> FastAPI:
    """The service with its health routes; at work as long as its lifespan. Raises PlanLibraryError for bad plans."""
    library = PlanLibrary.load(settings.plans_dir, settings.plan_overrides, checked=settings.plans_checked)
    database = Database.connect(
        settings.database_url.get_secret_value(), application=f"fenghuo-{NAME}", pool_size=settings.database_pool
    )
    in_force = PlansInForce(settings.plans_dir, settings.plan_overrides, library, checked=settings.plans_checked)
    loop = ReconsiderLoop(database)
    ports = Ports(Plans(library), TimeOrderedIds(), loop.armed)

    async def reconsider(stop: asyncio.Event) -> None:
        await loop.run(stop, ports)

    async def audit() -> None:
        await audit_reconsiderations(database, timedelta(seconds=settings.reconsider_grace_s))

    async def route() -> None:
        await route_unrouted(database, ports)

    async def end() -> None:
        await end_warnings(database, ports)

    async def forget() -> None:
        await forget_windows(database, timedelta(days=settings.windows_kept_days))

    async def reload() -> None:
        await reload_plans(in_force, ports)

    kafka = settings.kafka_settings()
    erasing = Erasing(database, Share(personal_data=erase_cases, case=erase_cases))
    parts = Parts(
        consumers=[
            on_report_received(database, kafka, ports),
            on_command_issued(database, kafka, ports, reload),
            on_case_merged(database, kafka, ports),
            erasing.consumer(NAME, kafka),
        ],
        loops={"reconsider": reconsider},
        jobs={
            "audit-reconsiderations": (_AUDIT_EVERY, audit),
            "route-unrouted": (_ROUTE_EVERY, route),
            "end-warnings": (_END_EVERY, end),
            "forget-windows": (_FORGET_EVERY, forget),
            "reload-plans": (_RELOAD_EVERY, reload),
            "erase-again": (ERASE_AGAIN_EVERY, erasing.again),
        },
    )
    health = Health(NAME)
    health.add("plans", in_force.probe)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with running(NAME, settings, database, health, parts):
            yield

    app = FastAPI(title="Fenghuo classifier", lifespan=lifespan, openapi_url=None, routes=[*health.routes()])
    install_problem_handlers(app)
    return app


def main() -> None:
    """Run until SIGTERM. A plan library with problems is refused with all of them."""
    try:
        serve(NAME, ClassifierSettings(), create_app)
    except PlanLibraryError as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
