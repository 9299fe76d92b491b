"""Sends what a person decided about a case to intake, in that person's name."""

from dataclasses import dataclass, field
from typing import Any

from services.console.app.find_case import find_case
from services.console.channels.intake import Intake, IntakeAwayError
from services.console.domain.answers import Answer, problem_fields
from shared.contracts.commands import CommandKind
from shared.contracts.values import ActorKind
from shared.db.engine import Database


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody wants of a case. `plan` None: under every plan it runs."""

    command: CommandKind
    plan: str | None = None
    reason: str | None = None
    arguments: dict[str, Any] = field(default_factory=dict)


async def command_case(
    org: str,
    wanted: str,
    decision: Decision,
    actor: str,
    *,
    database: Database,
    intake: Intake,
    kind: ActorKind = ActorKind.PERSON,
) -> Answer:
    """Post the decision in the name of `actor`: a person, or with `kind` SYSTEM a key that names nobody.

    The escalator decides whether the case allows it; its answer appears in the history.
    """
    case_id = await find_case(org, wanted, database=database)
    if case_id is None:
        return Answer(404, None, "There is no such case")
    body: dict[str, Any] = {"command": decision.command.value, "actor": {"ref": actor}}
    if kind is not ActorKind.PERSON:
        body["actor"]["kind"] = kind.value
    if decision.plan:
        body["plan"] = decision.plan
    if decision.reason:
        body["reason"] = decision.reason
    if decision.arguments:
        body["arguments"] = decision.arguments
    try:
        answer = await intake.command(case_id, body)
    except IntakeAwayError as error:
        return Answer(503, str(case_id), str(error))
    return Answer(
        answer.status,
        str(case_id),
        str(answer.body.get("detail") or answer.body.get("title") or ""),
        problem_fields(answer.body),
        survivor=str(answer.body["survivor"]) if answer.body.get("survivor") else None,
    )


__all__ = ["Decision", "Intake", "command_case"]
