"""Every bound of every pack has cases on both sides: with any of them moved by a step, a case of its pack fails."""

from typing import Final

import pytest

from services.drill.app.find_untested_bounds import find_untested_bounds
from shared.calendars.library import CalendarLibrary
from tests.contract.plans.test_packs import NAMES
from tests.support.plans import PACKS

SHARES: Final = 4
NOTHING_CHANGES: Final = {
    # by itself it reaches what the whole limit may be
    ("bank-complaint-regulatory", "parameters.extension_step.value", "46wd"),
    ("customer-complaint-handling", "clocks.3.extension.by", "5wd"),
    # the clock runs only where the fact is known that gives its limit
    ("debt-collection-complaint", "clocks.2.limit.otherwise", "2wd"),
    ("hospital-attitude-complaint", "clocks.5.limit.otherwise", "1wd"),
    ("hospital-attitude-complaint", "clocks.5.limit.otherwise", "3wd"),
    # a pack's case begins without a past: how far windows that slide reach back is tested with the windows
    ("hospital-attitude-complaint", "windows.grave_in_a_year.per", "364d sliding"),
    ("hospital-attitude-complaint", "windows.grave_in_a_year.per", "366d sliding"),
    ("hospital-attitude-complaint", "windows.light_in_a_year.per", "364d sliding"),
    ("hospital-attitude-complaint", "windows.light_in_a_year.per", "366d sliding"),
    ("mall-major-complaint", "windows.repeats.per", "89d sliding"),
    ("mall-major-complaint", "windows.repeats.per", "91d sliding"),
    ("property-major-complaint", "windows.repeats.per", "89d sliding"),
    ("property-major-complaint", "windows.repeats.per", "91d sliding"),
}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("share", range(SHARES))
def test_a_bound_that_moves_by_a_step_makes_a_case_fail(share: int) -> None:
    calendars = CalendarLibrary.load(PACKS.parent / "calendars")
    found = find_untested_bounds(PACKS, NAMES[share::SHARES], calendars)
    assert found.tried > 100
    assert {(one.pack, one.where, one.now) for one in found.untested} <= NOTHING_CHANGES
