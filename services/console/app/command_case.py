"""Sends what a person decided about a case to intake, in that person's name."""

from dataclasses import dataclass, field
from typing import Any

from services.console.app.read_case import find_case_id
from services.console.channels.intake import Intake, IntakeAwayError
from shared.contracts.commands import CommandKind
from shared.db.engine import Database


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody wants of a case. `plan` None: under every plan it runs."""

    command: CommandKind
    plan: str | None = None
    reason: str | None = None
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of it. `status` is HTTP's: 404 no such case, 503 intake away, else what intake answered."""

    status: int
    case_id: str | None
    title: str
    fields: dict[str, str] = field(default_factory=dict)

    @property
    def accepted(self) -> bool:
        return self.status < 300  # noqa: PLR2004  # HTTP's own boundary of success


async def command_case(
    org: str, wanted: str, decision: Decision, actor: str, *, database: Database, intake: Intake
) -> Answer:
    """Post the decision in the name of `actor`, a person's name or a key's public prefix.

    The escalator decides whether the case allows it; its answer appears in the history.
    """
    case_id = await find_case_id(org, wanted, database=database)
    if case_id is None:
        return Answer(404, None, "There is no such case")
    body: dict[str, Any] = {"command": decision.command.value, "actor": {"ref": actor}}
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
    )


def problem_fields(body: dict[str, Any]) -> dict[str, str]:
    """Fields and what is wrong with them, from problem details."""
    errors = body.get("errors")
    if not isinstance(errors, list):
        return {}
    return {str(one.get("field")): str(one.get("detail")) for one in errors if isinstance(one, dict)}


__all__ = ["Answer", "Decision", "Intake", "command_case", "problem_fields"]
