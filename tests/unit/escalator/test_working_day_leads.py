"""Warnings before the end of limits in working days."""

from datetime import timedelta
from pathlib import Path

from services.escalator.domain.time_bases import WorkingDays
from shared.calendars.library import CalendarLibrary
from shared.calendars.pieces import WORKING_DAY
from shared.plans.time_spec import Basis

CALENDARS = Path(__file__).resolve().parents[3] / "deploy" / "calendars"


def test_a_lead_of_days_is_as_many_working_days() -> None:
    base = WorkingDays(Basis(), CalendarLibrary.load(CALENDARS).get("china"))
    assert base.lead(timedelta(days=1)) == WORKING_DAY
    assert base.lead(timedelta(days=30)) == 30 * WORKING_DAY
    assert base.lead(timedelta(hours=12)) == WORKING_DAY // 2
