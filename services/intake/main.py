"""The intake process: settings read, adapters built, use cases handed to the doors."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import ValidationError

from services.intake.api.cases import CaseDoors
from services.intake.api.commands import CommandDoors
from services.intake.api.documents import document
from services.intake.api.events import EventDoor
from services.intake.api.hooks import HookDoors
from services.intake.api.observe import CountRequests
from services.intake.api.provider_reports import ProviderReportDoors
from services.intake.api.receipts import ReceiptDoor, SmsDoor
from services.intake.api.reports import ReportDoors
from services.intake.api.requests import answer_problem
from services.intake.api.routes import Doors, build_routes
from services.intake.app.accept_hook import AcceptHook
from services.intake.app.admit_caller import AdmitCaller
from services.intake.app.check_facts import CheckFacts
from services.intake.app.check_role import CheckRole
from services.intake.app.group_commit import GroupCommit, RegisterAwayError, RegisterBusyError
from services.intake.app.receive_receipts import AddressedReceipt, ReceiveReceipts
from services.intake.app.register_reports import RegisterReports
from services.intake.app.replay_quarantine import ReplayQuarantine
from services.intake.app.show_case import ShowCase
from services.intake.app.split_case import Splitter
from services.intake.channels.desk import NotifierDesk
from services.intake.domain.reports import Outcome, Report
from services.intake.jobs.reload_plans import reload_plans
from services.intake.settings import IntakeSettings
from services.intake.store.retention import erase_personal_data, erase_whole_cases
from services.intake.store.vault import Vault
from services.intake.web.acknowledgement import AcknowledgementPage
from shared.access.key_store import KeyStore
from shared.contracts.json_guard import UnreadableError
from shared.db.engine import DATABASE_ERRORS, Database
from shared.kafka.erasing import ERASE_AGAIN_EVERY, Erasing, Share
from shared.plans.library import PlanLibrary
from shared.runtime.health import Health
from shared.runtime.ids import TimeOrderedIds
from shared.runtime.plans_in_force import PlansInForce
from shared.runtime.problems import install_problem_handlers
from shared.runtime.process import Parts, running, serve

NAME: Final = "intake"
_REPORTS_S: Final = 0.03
_RECEIPTS_S: Final = 0.05
_RELOAD_EVERY: Final = timedelta(seconds=10)
_FORESEEN: Final[tuple[type[Exception], ...]] = (
    UnreadableError,
    ValidationError,
    RegisterAwayError,
    RegisterBusyError,
    *DATABASE_ERRORS,
)


def create_app(settings: IntakeSettings) -> FastAPI:
    """The application. Its lifespan starts the relay and waits for nobody: intake accepts while Kafka is away."""
    database = Database.connect(
        settings.database_url.get_secret_value(), application="fenghuo-intake", pool_size=settings.database_pool
    )
    ids = TimeOrderedIds()
    vault = Vault(settings.identity_key.get_secret_value().encode())
    zone = ZoneInfo(settings.default_time_zone)
    zones = {org: ZoneInfo(name) for org, name in settings.time_zones.items()}
    check = CheckFacts()
    register = RegisterReports(database, vault, ids, check, zones=zones, default_zone=zone)
    reports: GroupCommit[Report, Outcome] = GroupCommit(
        register, most_waiting=settings.most_waiting, interval=_REPORTS_S
    )
    receipts: GroupCommit[AddressedReceipt, None] = GroupCommit(
        ReceiveReceipts(database, ids), most_waiting=settings.most_waiting, interval=_RECEIPTS_S
    )
    admit = AdmitCaller(
        KeyStore(database, settings.key_pepper.get_secret_value().encode()),
        database.clock,
        rate_per_second=settings.rate_per_second,
        page_rate_per_minute=settings.page_rate_per_minute,
    )
    in_force = PlansInForce(
        settings.plans_dir, settings.plan_overrides, PlanLibrary([]), checked=settings.plans_checked, loaded=False
    )
    desk = _desk(settings)
    doors = _doors(settings, database, vault, ids, admit, register, reports, receipts, desk)
    page = AcknowledgementPage(
        admit,
        database,
        ids,
        database.clock,
        desk,
        link_secret=settings.link_secret.get_secret_value().encode(),
        zone=zone,
    )
    health = Health(NAME)
    erasing = Erasing(database, Share(erase_personal_data, erase_whole_cases))

    async def reload(stop: asyncio.Event) -> None:
        await reload_plans(stop, in_force, check, _RELOAD_EVERY)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        parts = Parts(
            consumers=[erasing.consumer(NAME, settings.kafka_settings())],
            loops={"reload-plans": reload},
            jobs={"erase-again": (ERASE_AGAIN_EVERY, erasing.again)},
        )
        async with running(NAME, settings, database, health, parts):
            yield
            await reports.close()
            await receipts.close()

    app = FastAPI(title="Fenghuo intake", version="1", docs_url=None, redoc_url=None, lifespan=lifespan)
    install_problem_handlers(app)
    for foreseen in _FORESEEN:
        app.add_exception_handler(foreseen, answer_problem)
    app.add_middleware(CountRequests)
    app.router.routes[:0] = [*build_routes(doors), *page.routes(), *health.routes()]
    app.state.database = database
    app.state.check_facts = check
    _describe(app)
    return app


def _doors(  # noqa: PLR0917  # the composition root hands over every part
    settings: IntakeSettings,
    database: Database,
    vault: Vault,
    ids: TimeOrderedIds,
    admit: AdmitCaller,
    register: RegisterReports,
    reports: GroupCommit[Report, Outcome],
    receipts: GroupCommit[AddressedReceipt, None],
    desk: NotifierDesk | None,
) -> Doors:
    accept = AcceptHook(database, vault, ids, reports, desk)
    public_url = settings.public_url.rstrip("/")
    link_secret = settings.link_secret.get_secret_value().encode()
    report_doors = ReportDoors(admit, reports, ref_key=vault.ref_key, public_url=public_url)
    return Doors(
        reports=report_doors,
        events=EventDoor(report_doors),
        hooks=HookDoors(admit, accept, ReplayQuarantine(database, vault, accept), public_url=public_url),
        commands=CommandDoors(
            admit, database, ids, Splitter(register, vault), CheckRole(desk, settings.role_check), desk
        ),
        receipts=ReceiptDoor(
            admit,
            receipts,
            link_secret=link_secret,
            base_url=(settings.receipt_url or settings.public_url).rstrip("/"),
            twilio={name: token.get_secret_value() for name, token in settings.twilio_tokens.items()},
        ),
        provider_reports=ProviderReportDoors(
            admit, receipts, database, ids, database.clock, link_secret=link_secret, desk=desk
        ),
        sms=SmsDoor(admit, accept, database, ids, ref_key=vault.ref_key, desk=desk),
        cases=CaseDoors(admit, ShowCase(database, vault)),
    )


def _desk(settings: IntakeSettings) -> NotifierDesk | None:
    if settings.notifier_url is None or settings.notifier_key is None:
        return None
    return NotifierDesk(settings.notifier_url, settings.notifier_key.get_secret_value())


def _describe(app: FastAPI) -> None:
    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = document(get_openapi(title=app.title, version=app.version, routes=[]))
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the document


def main() -> None:
    """Run until SIGTERM."""
    serve(NAME, IntakeSettings(), create_app)


if __name__ == "__main__":
    main()
