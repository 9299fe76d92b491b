"""What stands about the cases of new requests: steps told of before, answers, and the requests themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.notifier.domain.ledger import Request
from services.notifier.domain.urgency import Notice
from services.notifier.store.noise import Answered, Case
from shared.contracts.notifications import Purpose
from shared.db.tx import Tx

_SQL = (
    "WITH asked AS (SELECT DISTINCT org, case_id FROM unnest(CAST(:orgs AS text[]), CAST(:cases AS uuid[])) "
    "AS t (org, case_id)) "
    "SELECT i.org, i.case_id, i.plan, i.intent_id, i.recipient, i.step, i.purpose, i.due_at IS NOT NULL AS is_open, "
    "i.stopped IS NULL AND i.person IS NOT NULL AS is_told, CAST(NULL AS timestamptz) AS answered_at, "
    "CAST(NULL AS boolean) AS is_over, CAST(NULL AS uuid) AS request_id "
    "FROM asked JOIN intents AS i ON i.org = asked.org AND i.case_id = asked.case_id "
    "UNION ALL SELECT a.org, a.case_id, a.plan, NULL, NULL, NULL, NULL, NULL, NULL, a.answered_at, a.is_over, NULL "
    "FROM asked JOIN answered_cases AS a ON a.org = asked.org AND a.case_id = asked.case_id "
    "UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, r.request_id "
    "FROM requests AS r WHERE r.request_id = ANY(CAST(:requests AS uuid[]))"
)


@dataclass(frozen=True, slots=True)
class Standing:
    """`notices` were not stopped, each with whether it still awaits something; `answers` by (org, case, plan)."""

    requests: frozenset[UUID]
    paged: frozenset[tuple[str, UUID]]
    notices: tuple[tuple[Notice, bool], ...]
    answers: dict[Case, Answered]


async def standing_of(tx: Tx, requests: Sequence[Request]) -> Standing:
    """What the ledger holds about these requests and their cases, in one statement."""
    rows = await tx.look(
        _SQL,
        orgs=[one.org for one in requests],
        cases=[one.case_id for one in requests],
        requests=[one.body.request_id for one in requests],
    )
    known: set[UUID] = set()
    paged: set[tuple[str, UUID]] = set()
    notices: list[tuple[Notice, bool]] = []
    answers: dict[Case, Answered] = {}
    for row in rows:
        if row["request_id"] is not None:
            known.add(row["request_id"])
        elif row["answered_at"] is not None:
            answers[row["org"], row["case_id"], row["plan"]] = Answered(row["answered_at"], row["is_over"])
        else:
            case, purpose = (row["org"], row["case_id"]), Purpose(row["purpose"])
            if purpose is Purpose.PAGE:
                paged.add(case)
            if row["is_told"]:
                told = Notice(row["intent_id"], *case, row["plan"], row["recipient"], row["step"], purpose)
                notices.append((told, row["is_open"]))
    return Standing(frozenset(known), frozenset(paged), tuple(notices), answers)
