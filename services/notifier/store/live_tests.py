"""Live tests and their answers."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from services.notifier.domain.live_tests import Answer, LiveTest
from shared.db.tx import Row, Tx


async def add_test(tx: Tx, test: LiveTest) -> None:
    await tx.execute(
        "INSERT INTO live_tests (test_id, org, number, made_by, asked_at, ends_at) "
        "VALUES (:id, :org, :number, :by, :asked_at, :ends_at)",
        id=test.id,
        org=test.org,
        number=test.number,
        by=test.made_by,
        asked_at=test.asked_at,
        ends_at=test.ends_at,
    )
    await tx.execute(
        "INSERT INTO live_test_people (test_id, person) SELECT :id, person FROM unnest(CAST(:people AS text[])) person",
        id=test.id,
        people=[one.person for one in test.answers],
    )


async def note_answers(tx: Tx, answers: Sequence[tuple[str, UUID, str, datetime]]) -> None:
    """Organisation, test, person and instant; the first answer of a person stays, what was not asked is passed over."""
    await tx.execute(
        "UPDATE live_test_people p SET answered_at = a.at "
        "FROM (SELECT org, test_id, person, min(at) AS at FROM unnest(CAST(:orgs AS text[]), CAST(:tests AS uuid[]), "
        "CAST(:people AS text[]), CAST(:at AS timestamptz[])) AS given (org, test_id, person, at) GROUP BY 1, 2, 3) a "
        "JOIN live_tests t ON t.test_id = a.test_id AND t.org = a.org "
        "WHERE p.test_id = a.test_id AND p.person = a.person AND p.answered_at IS NULL",
        orgs=[one[0] for one in answers],
        tests=[one[1] for one in answers],
        people=[one[2] for one in answers],
        at=[one[3] for one in answers],
    )


async def find_test(tx: Tx, org: str, test_id: UUID) -> LiveTest | None:
    row = await tx.fetch_one("SELECT * FROM live_tests WHERE org = :org AND test_id = :id", org=org, id=test_id)
    if row is None:
        return None
    people = await tx.fetch("SELECT * FROM live_test_people WHERE test_id = :id ORDER BY person", id=test_id)
    return _test(row, people)


async def latest_tests(tx: Tx, org: str, limit: int) -> list[LiveTest]:
    """An organisation's tests, the last one first."""
    rows = await tx.fetch(
        "SELECT * FROM live_tests WHERE org = :org ORDER BY asked_at DESC, test_id DESC LIMIT :limit",
        org=org,
        limit=limit,
    )
    return await _with_people(tx, rows)


async def missed_tests(tx: Tx, org: str, by: str, ended_after: datetime, ended_before: datetime) -> list[LiveTest]:
    """Those made by `by` that ended between these instants, and that somebody did not answer in time."""
    rows = await tx.fetch(
        "SELECT * FROM live_tests WHERE org = :org AND made_by = :by AND ends_at > :after AND ends_at < :before "
        "ORDER BY ends_at",
        org=org,
        by=by,
        after=ended_after,
        before=ended_before,
    )
    return [one for one in await _with_people(tx, rows) if one.unanswered()]


async def _with_people(tx: Tx, rows: Sequence[Row]) -> list[LiveTest]:
    people = await tx.fetch(
        "SELECT * FROM live_test_people WHERE test_id = ANY(CAST(:ids AS uuid[])) ORDER BY person",
        ids=[row["test_id"] for row in rows],
    )
    return [_test(row, [one for one in people if one["test_id"] == row["test_id"]]) for row in rows]


async def unanswered_of_last(tx: Tx) -> Mapping[str, int]:
    """By organisation: who did not answer its last finished test in time."""
    rows = await tx.fetch(
        "SELECT t.org, count(*) FILTER (WHERE p.answered_at IS NULL OR p.answered_at > t.ends_at) AS missing "
        "FROM (SELECT DISTINCT ON (org) * FROM live_tests WHERE ends_at <= :now ORDER BY org, ends_at DESC) t "
        "JOIN live_test_people p USING (test_id) GROUP BY t.org",
        now=tx.now,
    )
    return {row["org"]: row["missing"] for row in rows}


def _test(row: Row, people: Sequence[Row]) -> LiveTest:
    return LiveTest(
        id=row["test_id"],
        org=row["org"],
        number=row["number"],
        made_by=row["made_by"],
        asked_at=row["asked_at"],
        ends_at=row["ends_at"],
        answers=tuple(Answer(one["person"], one["answered_at"]) for one in people),
    )
