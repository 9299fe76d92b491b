"""What was erased once is erased again until nothing of it can come any more."""

import itertools
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from pydantic import ValidationError

from shared.contracts.escalations import ErasedPart
from shared.contracts.topics import DEAD_LETTER_RETENTION
from shared.db.erasures import Erasure
from shared.db.partitions import INBOX_KEPT, OUTBOX_KEPT
from shared.runtime.settings import KeepingSettings

ERASED = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def erasure(*, quiet: timedelta) -> Erasure:
    return Erasure(UUID(int=1), "org-a", "N-1", ErasedPart.PERSONAL_DATA, ERASED - quiet, ERASED)


def looks(one: Erasure) -> list[datetime]:
    found, now = [], ERASED
    while (following := one.next_look(now)) is not None:
        assert following > now
        found.append(following)
        now = following
    return found


def test_a_case_that_was_busy_lately_is_looked_at_until_the_last_dead_letter_is_gone() -> None:
    found = looks(erasure(quiet=timedelta(minutes=5)))
    assert found[0] - ERASED <= timedelta(minutes=1)
    assert max(after - before for before, after in itertools.pairwise(found)) <= timedelta(days=1)
    assert found[-1] >= ERASED + DEAD_LETTER_RETENTION
    while_republished = [one for one in found if one <= ERASED + INBOX_KEPT]
    gaps = [after - before for before, after in itertools.pairwise(while_republished)]
    assert max(gaps) <= timedelta(hours=1)


def test_a_case_that_was_quiet_for_long_is_looked_at_twice_more() -> None:
    found = looks(erasure(quiet=timedelta(days=180)))
    assert len(found) == 2
    assert found[-1] >= ERASED + DEAD_LETTER_RETENTION


def test_only_what_an_outbox_can_hold_is_looked_for_there() -> None:
    busy = erasure(quiet=timedelta(minutes=5))
    assert busy.in_outbox(ERASED)
    seen = [one for one in looks(busy) if busy.in_outbox(one)]
    assert {(one - ERASED).days for one in seen} >= set(range(OUTBOX_KEPT.days + 1)), "once a day at least"
    assert len(seen) < 30, "a look into an outbox reads all of it"
    assert not erasure(quiet=timedelta(minutes=5)).in_outbox(ERASED + OUTBOX_KEPT + timedelta(days=2))
    assert not erasure(quiet=timedelta(days=180)).in_outbox(ERASED)


def test_nothing_is_erased_by_age_unless_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FENGHUO_KEEP_CASES_DAYS", "")
    kept = KeepingSettings()
    assert (kept.keep_personal_data_days, kept.keep_cases_days) == (None, None)


@pytest.mark.parametrize(
    ("words", "case"), [("0", "100"), ("30", "44"), ("100", "60"), ("-1", "100"), ("a year", "500")]
)
def test_a_limit_that_makes_no_sense_is_refused(monkeypatch: pytest.MonkeyPatch, words: str, case: str) -> None:
    monkeypatch.setenv("FENGHUO_KEEP_PERSONAL_DATA_DAYS", words)
    monkeypatch.setenv("FENGHUO_KEEP_CASES_DAYS", case)
    with pytest.raises(ValidationError, match=r"(?i)keep_(cases|personal_data)_days"):
        KeepingSettings()
