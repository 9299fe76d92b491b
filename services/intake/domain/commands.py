"""What people may ask for through the register: checked here as far as it can be without knowing the case's state."""

from typing import Annotated, Final

from pydantic import Field, field_validator, model_validator

from services.intake.domain.bodies import Body
from shared.contracts.commands import OF_THE_WHOLE_CASE, ONLY_PERSONS, WITH_REASON, CommandKind, version_in
from shared.contracts.values import ActorKind, Facts, LongText, Name, Slug

_NEEDS_REASON: Final = WITH_REASON | {CommandKind.COMMENT}
_NEEDS_ARGUMENT: Final[dict[CommandKind, str]] = {
    CommandKind.RAISE_LEVEL: "level",
    CommandKind.LOWER_LEVEL: "level",
    CommandKind.MILESTONE: "milestone",
    CommandKind.MERGE: "into",
    CommandKind.APPROVAL_REQUEST: "approval",
    CommandKind.APPROVE: "role",
    CommandKind.REFUSE: "role",
    CommandKind.ACTIVATE: "role",
    CommandKind.DECLINE: "role",
    CommandKind.TICK: "item",
    CommandKind.BYPASS: "way",
}


class ActorBody(Body):
    """In whose name: a roster person id or a system's word for itself, never a name or a number."""

    kind: Annotated[ActorKind, Field(description="person or system; links and replies have doors of their own")] = (
        ActorKind.PERSON
    )
    ref: Name

    @field_validator("kind")
    @classmethod
    def _speaks_for_itself(cls, kind: ActorKind) -> ActorKind:
        if kind not in {ActorKind.PERSON, ActorKind.SYSTEM}:
            raise ValueError("must be person or system")
        return kind


class CommandBody(Body):
    """A command. `id` makes a repeated post harmless."""

    id: Annotated[str | None, Field(pattern=r"^[A-Za-z0-9._:-]{1,80}$")] = None
    command: CommandKind
    plan: Annotated[Slug | None, Field(description="Only this plan of the case; absent: every plan it runs")] = None
    reason: LongText | None = None
    arguments: Facts = Field(default_factory=dict)
    actor: Annotated[ActorBody | None, Field(description="Absent: the calling system itself")] = None
    request_id: Annotated[str | None, Field(pattern=r"^[A-Za-z0-9._:-]{1,64}$")] = None

    @model_validator(mode="after")
    def _complete(self) -> "CommandBody":
        if self.command in ONLY_PERSONS and (self.actor is None or self.actor.kind is not ActorKind.PERSON):
            raise ValueError(f"actor: '{self.command.value}' takes a named person")
        if self.command in _NEEDS_REASON and not (self.reason and self.reason.strip()):
            raise ValueError(f"reason: '{self.command.value}' takes a reason")
        if self.command in OF_THE_WHOLE_CASE and self.plan is not None:
            raise ValueError(f"plan: '{self.command.value}' is of the whole case, under every plan")
        if self.command is CommandKind.MOVE_PLAN:
            self._check_move()
        argument = _NEEDS_ARGUMENT.get(self.command)
        if argument is not None and not _is_word(self.arguments.get(argument)):
            raise ValueError(f"arguments.{argument}: '{self.command.value}' needs it as text")
        return self

    def _check_move(self) -> None:
        if self.plan is None:
            raise ValueError("plan: 'move-plan' takes one plan")
        if version_in(self.arguments.get("version")) is None:
            raise ValueError("arguments.version: 'move-plan' needs the number of a version")
        if self.arguments.get("levels", "keep") not in {"keep", "as-judged"}:
            raise ValueError("arguments.levels: keep or as-judged")
        if self.arguments.get("sha256") is not None and not _is_word(self.arguments["sha256"]):
            raise ValueError("arguments.sha256: must be text")


def _is_word(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())
