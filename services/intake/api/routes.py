"""Which door stands where. The fast ones first: routes are tried in order."""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.routing import BaseRoute, Route

from services.intake.api.cases import CaseDoors
from services.intake.api.commands import CommandDoors
from services.intake.api.events import EventDoor
from services.intake.api.hooks import HookDoors
from services.intake.api.provider_reports import ProviderReportDoors
from services.intake.api.receipts import ReceiptDoor, SmsDoor
from services.intake.api.reports import ReportDoors


@dataclass(frozen=True, slots=True)
class Doors:
    """Everything that answers under /v1."""

    reports: ReportDoors
    events: EventDoor
    hooks: HookDoors
    commands: CommandDoors
    receipts: ReceiptDoor
    provider_reports: ProviderReportDoors
    sms: SmsDoor
    cases: CaseDoors


def build_routes(doors: Doors) -> Sequence[BaseRoute]:
    """The routes of the service, without pages and health."""
    return [
        Route("/v1/complaints", doors.reports.complaint, methods=["POST"]),
        Route("/v1/incidents", doors.reports.incident, methods=["POST"]),
        Route("/v1/complaints:batch", doors.reports.complaints, methods=["POST"]),
        Route("/v1/incidents:batch", doors.reports.incidents, methods=["POST"]),
        Route("/v1/events", doors.events.post, methods=["POST"]),
        Route("/v1/hooks/{kind}", doors.hooks.hook, methods=["POST", "GET"]),
        Route("/v1/receipts/{token}", doors.receipts.receive, methods=["GET", "POST"]),
        Route("/v1/receipts:alibaba", doors.provider_reports.alibaba, methods=["POST"]),
        Route("/v1/receipts:tencent", doors.provider_reports.tencent, methods=["POST"]),
        Route("/v1/bounces", doors.provider_reports.bounce, methods=["POST"]),
        Route("/v1/keys/{token}", doors.provider_reports.key_pressed, methods=["POST"]),
        Route("/v1/sms/kannel", doors.sms.kannel, methods=["GET", "POST"]),
        Route("/v1/cases/{case_id}/commands", doors.commands.command, methods=["POST"]),
        Route("/v1/cases/{case_id}/complainant-address", doors.cases.complainant_address, methods=["GET"]),
        Route("/v1/cases/{case_id}/originals", doors.cases.originals, methods=["GET"]),
        Route("/v1/cases/{case_id}", doors.cases.case, methods=["GET"]),
        Route("/v1/quarantine", doors.hooks.listed, methods=["GET"]),
        Route("/v1/quarantine/{quarantine_id}", doors.hooks.shown, methods=["GET"]),
        Route("/v1/quarantine/{quarantine_id}/replay", doors.hooks.replay, methods=["POST"]),
        Route("/v1/replays", doors.commands.replay, methods=["POST"]),
    ]
