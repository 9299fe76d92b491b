"""Has a code sent to a contact point, or gives one back: by intake, as everything that people decide."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.console.channels.intake import Intake, IntakeAwayError
from services.console.domain.answers import Answer, problem_fields
from shared.contracts.commands import CommandKind
from shared.contracts.notifications import CONTACT_CHECK_PLAN


@dataclass(frozen=True, slots=True)
class CodeWanted:
    """Send a code to this contact point; `check` is the new id of it."""

    check: UUID
    person: str
    contact: str


@dataclass(frozen=True, slots=True)
class CodeGiven:
    """The person told this code, which was sent by the check."""

    check: UUID
    code: str


async def verify_contact(wanted: CodeWanted | CodeGiven, actor: str, *, intake: Intake) -> Answer:
    """Whether it fits, the notifier decides a moment later; the roster's page shows it."""
    body: dict[str, Any] = {"plan": CONTACT_CHECK_PLAN, "actor": {"ref": actor}}
    if isinstance(wanted, CodeWanted):
        arguments = {"person": wanted.person, "contact": wanted.contact}
        body |= {"command": CommandKind.START.value, "arguments": arguments}
    else:
        body |= {"command": CommandKind.ACKNOWLEDGE.value, "arguments": {"code": wanted.code}}
    try:
        answer = await intake.command(wanted.check, body)
    except IntakeAwayError as error:
        return Answer(503, None, str(error))
    title = str(answer.body.get("detail") or answer.body.get("title") or "")
    return Answer(answer.status, None, title, problem_fields(answer.body))


__all__ = ["CodeGiven", "CodeWanted", "Intake", "verify_contact"]
