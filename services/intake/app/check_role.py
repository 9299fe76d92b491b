"""Check whether who decides in a role's name is on duty for it, by the roster the notifier keeps."""

from typing import Final, Literal

from services.intake.channels.desk import DeskAwayError, NotifierDesk
from services.intake.domain.commands import CommandBody
from shared.contracts.commands import ROLE_HELD, CommandKind
from shared.contracts.values import Actor, ActorKind, Facts
from shared.runtime.logging import get_logger

_log = get_logger(__name__)
_IN_A_ROLE: Final = frozenset(
    {
        CommandKind.APPROVE,
        CommandKind.REFUSE,
        CommandKind.ACTIVATE,
        CommandKind.DECLINE,
        CommandKind.TICK,
        CommandKind.EXTENSION_APPROVE,
        CommandKind.EXTENSION_DENY,
    }
)


class RoleNotHeldError(PermissionError):
    """The person is not on duty for the role, and this installation refuses that."""


class CheckRole:
    """Without a notifier to ask, or while it is away, nothing is known and nothing is said."""

    def __init__(self, desk: NotifierDesk | None, mode: Literal["tell", "refuse", "off"]) -> None:
        self._desk = desk
        self._mode = mode

    async def __call__(self, org: str, body: CommandBody, actor: Actor) -> Facts:
        """What to add to the command's arguments: whether the role is held, where that is known.

        Raises RoleNotHeldError where that is refused.
        """
        role = body.arguments.get("role")
        if self._desk is None or self._mode == "off" or body.command not in _IN_A_ROLE:
            return {}
        if actor.kind is not ActorKind.PERSON or not isinstance(role, str) or not role.strip():
            return {}
        try:
            held = await self._desk.fills(org, role.strip(), actor.ref)
        except DeskAwayError as error:
            _log.warning("role.not_checked", role=role[:64], error=str(error))
            return {}
        if held is False and self._mode == "refuse":
            raise RoleNotHeldError(f"'{actor.ref}' is not on duty as '{role.strip()}'")
        return {} if held is None else {ROLE_HELD: held}
