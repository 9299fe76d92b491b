"""What noise control has to know: recent messages to people, warning cases they were told of, cases answered."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from services.notifier.domain.ledger import Intent
from services.notifier.domain.noise import Warned
from shared.contracts.notifications import LIVE_TEST_PLAN
from shared.contracts.values import CaseKind
from shared.db.tx import Tx
from shared.runtime.ids import lowest_id_at

Case = tuple[str, UUID, str]
_NO_WAY: Final = "(i.settlement IS NULL AND i.reason IS NOT NULL AND i.stopped IS NULL)"
_SKEW: Final = timedelta(minutes=5)  # between the clocks of two replicas


@dataclass(frozen=True, slots=True)
class Answered:
    """Somebody acknowledged the case at this instant, or it is over since then."""

    at: datetime
    is_over: bool


async def recent(
    tx: Tx, people: Iterable[tuple[str, str]], since: datetime
) -> dict[tuple[str, str, str], list[datetime]]:
    """When messages to these (organisation, person) began since then, by channel."""
    orgs, persons = zip(*people, strict=True)
    rows = await tx.fetch(
        "SELECT i.org, i.person, a.channel, a.started_at FROM attempts AS a JOIN intents AS i "
        "ON i.intent_id = a.intent_id JOIN unnest(CAST(:orgs AS text[]), CAST(:persons AS text[])) AS t (org, person) "
        "ON i.org = t.org AND i.person = t.person WHERE a.started_at > :since",
        orgs=list(orgs),
        persons=list(persons),
        since=since,
    )
    found: dict[tuple[str, str, str], list[datetime]] = defaultdict(list)
    for row in rows:
        found[row["org"], row["person"], row["channel"]].append(row["started_at"])
    return found


async def warned(tx: Tx, intents: Sequence[Intent]) -> dict[UUID, Warned]:
    """For each single case's intent the highest warning case of its plan and topic that its person was told of.

    Or is being told of at this moment: one that could not be sent, or waits itself, stands for nothing.
    """
    asked = [one for one in intents if one.request.body.subject.topic and not _is_warning(one)]
    if not asked:
        return {}
    rows = await tx.fetch(
        "SELECT DISTINCT ON (t.intent) t.intent, r.body -> 'subject' ->> 'number' AS number, "
        "CAST(r.body -> 'subject' ->> 'level_rank' AS integer) AS rank FROM unnest(CAST(:intents AS uuid[]), "
        "CAST(:orgs AS text[]), CAST(:plans AS text[]), CAST(:topics AS text[]), CAST(:people AS text[])) "
        "AS t (intent, org, plan, topic, person) JOIN requests AS r ON r.org = t.org AND r.plan = t.plan "
        "AND r.warning_topic = t.topic JOIN intents AS i ON i.request_id = r.request_id AND i.person = t.person "
        "AND i.stopped IS NULL AND (i.settlement IN ('sent', 'delivered') "
        "OR (i.settlement IS NULL AND i.due_at IS NOT NULL AND i.held_at IS NULL)) "
        "WHERE NOT EXISTS (SELECT FROM answered_cases AS a WHERE a.org = r.org AND a.case_id = r.case_id "
        "AND a.plan = r.plan AND a.is_over) ORDER BY t.intent, rank DESC",
        intents=[one.id for one in asked],
        orgs=[one.request.org for one in asked],
        plans=[one.request.body.subject.plan for one in asked],
        topics=[one.request.body.subject.topic for one in asked],
        people=[one.person for one in asked],
    )
    return {row["intent"]: Warned(row["number"], row["rank"]) for row in rows}


async def note_answers(tx: Tx, answers: Mapping[Case, Answered]) -> None:
    """Remember them; the later word about a case stands."""
    cases = sorted(answers, key=str)
    await tx.execute(
        "INSERT INTO answered_cases AS a (org, case_id, plan, answered_at, is_over) SELECT * FROM unnest("
        "CAST(:orgs AS text[]), CAST(:ids AS uuid[]), CAST(:plans AS text[]), CAST(:at AS timestamptz[]), "
        "CAST(:over AS boolean[])) ON CONFLICT (org, case_id, plan) DO UPDATE SET answered_at = EXCLUDED.answered_at, "
        "is_over = EXCLUDED.is_over WHERE a.answered_at <= EXCLUDED.answered_at",
        orgs=[org for org, _, _ in cases],
        ids=[case for _, case, _ in cases],
        plans=[plan for _, _, plan in cases],
        at=[answers[one].at for one in cases],
        over=[answers[one].is_over for one in cases],
    )


async def open_intents_of(tx: Tx, cases: Iterable[Case]) -> list[UUID]:
    """The intents of these cases that still await something, or may be tried again."""
    orgs, ids, plans = zip(*cases, strict=True)
    rows = await tx.fetch(
        "SELECT i.intent_id FROM intents AS i JOIN unnest(CAST(:orgs AS text[]), CAST(:ids AS uuid[]), "
        "CAST(:plans AS text[])) AS t (org, case_id, plan) ON i.org = t.org AND i.case_id = t.case_id "
        "AND i.plan = t.plan WHERE i.due_at IS NOT NULL AND i.stopped IS NULL AND i.person IS NOT NULL",
        orgs=list(orgs),
        ids=list(ids),
        plans=list(plans),
    )
    return [row["intent_id"] for row in rows]


async def withheld(tx: Tx, org: str, limit: int, before: UUID | None = None) -> list[dict[str, Any]]:
    """The newest intents (older than `before`) that had to wait, were bundled or were left out, with why.

    Those that wait because no way is open count as well, as `no-way-out`.
    """
    rows = await tx.fetch(
        "SELECT i.intent_id, i.case_id, i.plan, i.purpose, i.step, i.role, i.person, i.person_label, "  # noqa: S608  # a constant
        f"CASE WHEN {_NO_WAY} THEN 'no-way-out' ELSE i.noise_rule END AS noise_rule, "
        f"CASE WHEN {_NO_WAY} THEN i.reason_zh ELSE i.noise_because ->> 'zh' END AS zh, "
        f"CASE WHEN {_NO_WAY} THEN i.reason ELSE i.noise_because ->> 'en' END AS en, "
        "i.stopped, i.stopped_zh, i.held_at, i.held_until, i.due_at, i.bundle, i.settlement, i.settled_at, "
        "r.accepted_at, r.body -> 'subject' ->> 'number' AS number, "
        "r.body -> 'subject' ->> 'level_label' AS level_label "
        "FROM intents AS i JOIN requests AS r ON r.request_id = i.request_id WHERE i.org = :org "
        "AND (CAST(:before AS uuid) IS NULL OR i.intent_id < :before) "
        f"AND (i.noise_rule IS NOT NULL OR i.settlement = 'suppressed' OR {_NO_WAY}) "
        "ORDER BY i.intent_id DESC LIMIT :limit",
        org=org,
        before=before,
        limit=limit,
    )
    return [dict(row) for row in rows]


async def open_pages(tx: Tx, org: str, people: Sequence[str], since: datetime) -> list[dict[str, Any]]:
    """The cases these were paged for since then, or are about to be, that nobody answered; each once, of whom first.

    A case that was merged is open for as long as nobody answered for the one that goes on.
    """
    rows = await tx.fetch(
        "SELECT * FROM (SELECT DISTINCT ON (i.case_id, i.plan) i.case_id, i.plan, i.person, "
        "r.body -> 'subject' ->> 'number' AS number FROM intents AS i "
        "JOIN requests AS r ON r.request_id = i.request_id LEFT JOIN merged_cases AS m "
        "ON m.org = i.org AND m.case_id = i.case_id AND m.plan = i.plan WHERE i.org = :org "
        "AND i.person = ANY(CAST(:people AS text[])) AND i.intent_id >= :oldest AND r.accepted_at > :since "
        "AND i.purpose = 'page' AND (i.stopped IS NULL OR (m.goes_on IS NOT NULL AND i.attempts > 0)) "
        "AND NOT EXISTS (SELECT FROM answered_cases AS a WHERE a.org = i.org AND a.plan = i.plan "
        "AND a.case_id = coalesce(m.goes_on, i.case_id) AND a.answered_at > r.accepted_at) "
        "ORDER BY i.case_id, i.plan, i.intent_id) AS p "
        "ORDER BY number DESC",
        org=org,
        people=list(people),
        # By the primary key: what was written before is not even looked at.
        oldest=lowest_id_at(since - _SKEW),
        since=since,
    )
    return [dict(row) for row in rows]


async def told_of(
    tx: Tx, org: str, people: Sequence[str], *, number: str | None, case_id: UUID | None
) -> list[dict[str, Any]]:
    """What these were told about one case, by its id, or by its number where it is a group warning."""
    found_by = "r.case_id = :case" if case_id is not None else "r.warning_topic IS NOT NULL"
    rows = await tx.fetch(
        "SELECT DISTINCT ON (i.case_id, i.plan) i.case_id, i.plan, i.person, "  # noqa: S608  # conditions of our own
        "r.body -> 'subject' ->> 'number' AS number FROM requests AS r JOIN intents AS i "
        "ON i.request_id = r.request_id AND i.person = ANY(CAST(:people AS text[])) "
        f"WHERE r.org = :org AND {found_by} AND r.body -> 'subject' ->> 'number' = :number "
        "ORDER BY i.case_id, i.plan, i.intent_id",
        org=org,
        people=list(people),
        number=number,
        **({"case": case_id} if case_id is not None else {}),
    )
    return [dict(row) for row in rows]


async def open_cases(tx: Tx, org: str, role: str, since: datetime) -> list[dict[str, Any]]:
    """The cases whose role was paged since then and that are not over, the gravest first, the oldest of them first.

    `acknowledged`: nobody is waited for now.
    """
    rows = await tx.fetch(
        "SELECT * FROM (SELECT DISTINCT ON (i.case_id, i.plan) r.body -> 'subject' ->> 'number' AS number, "
        "r.body -> 'subject' ->> 'level_label' AS level_label, r.body -> 'subject' ->> 'level' AS level, "
        "r.body -> 'subject' -> 'en' ->> 'level_label' AS level_label_en, "
        "CAST(r.body -> 'subject' ->> 'level_rank' AS integer) AS level_rank, "
        "coalesce(a.answered_at > r.accepted_at, false) AS acknowledged FROM intents AS i "
        "JOIN requests AS r ON r.request_id = i.request_id LEFT JOIN answered_cases AS a "
        "ON a.org = i.org AND a.case_id = i.case_id AND a.plan = i.plan "
        "WHERE i.org = :org AND i.role = :role AND i.purpose = 'page' AND r.accepted_at > :since "
        "AND i.plan <> :test AND r.body ->> 'drill' IS DISTINCT FROM 'true' AND a.is_over IS NOT TRUE "
        "ORDER BY i.case_id, i.plan, r.accepted_at DESC) AS c ORDER BY level_rank DESC, number",
        org=org,
        role=role,
        since=since,
        test=LIVE_TEST_PLAN,
    )
    return [dict(row) for row in rows]


def _is_warning(intent: Intent) -> bool:
    return intent.request.body.subject.kind is CaseKind.WARNING
