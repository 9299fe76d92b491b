"""A plan in two versions, and a case on its way from one to the other."""

from datetime import datetime
from typing import Any
from uuid import UUID

from services.escalator.domain.case import Case
from services.escalator.domain.decision import Decision
from services.escalator.domain.moving import move, wanted_move
from services.escalator.domain.time_bases import Rules
from shared.contracts.classifications import PlanMove
from shared.contracts.values import Bilingual
from tests.support.escalations import PERSON, PLAN_TEXT, classified, rules

ASKED = UUID("019a0000-0000-7000-8000-0000000000aa")
V1_TEXT = PLAN_TEXT.replace(
    "    limit: 48h\n    breach: record",
    "    limit: 48h\n    breach: record\n    extension: {by: 24h, to: 96h, approve_by: [head]}",
)
V1 = rules(V1_TEXT)
SEVERE = V1_TEXT.replace("id: red", "id: severe").replace("level: red", "level: severe")
SEVERE = SEVERE.replace("orange, red]", "orange, severe]").replace("  red: [", "  severe: [")


def second(*changes: tuple[str, str], text: str | None = None) -> Rules:
    """Version 2 of the plan: the first one's text with these changes."""
    text = (text or V1_TEXT).replace("version: 1", "version: 2")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return rules(text)


def moved(
    case: Case,
    after: Rules,
    now: datetime,
    level: str | None = "yellow",
    *,
    before: Rules = V1,
    refused: Bilingual | None = None,
    **fields: Any,
) -> Decision:
    wanted = PlanMove(
        asked=fields.pop("asked", ASKED),
        actor=PERSON,
        reason="the plan was revised",
        before=case.plan,
        version=2,
        levels=fields.pop("levels", "keep"),
        refused=refused,
    )
    ref = case.plan if refused is not None else after.plan.ref
    revision = fields.pop("revision", case.classified_revision + 1)
    data = classified(ref, level, revision=revision, when=now, **fields).model_copy(update={"move": wanted})
    asked = wanted_move(case, data)
    assert asked is not None
    return move((before, after), case, data, asked, now)
