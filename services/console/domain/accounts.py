"""What a person signed in to the console may do."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """Each role may do what the one before may."""

    VIEWER = "viewer"  # read
    OPERATOR = "operator"  # change cases
    ADMIN = "admin"  # send dead letters again


_ORDER: Final = (Role.VIEWER, Role.OPERATOR, Role.ADMIN)
SHORTEST_PASSWORD: Final = 10
LONGEST_PASSWORD: Final = 200
LONGEST_NAME: Final = 60


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody signed in."""

    name: str
    org: str
    role: Role

    def may(self, needed: Role) -> bool:
        """True when the person's role is the needed one or a later one."""
        return _ORDER.index(self.role) >= _ORDER.index(needed)


def password_problem(password: str) -> str | None:
    """Why the password cannot be used, or None."""
    if len(password) < SHORTEST_PASSWORD:
        return f"the password must have at least {SHORTEST_PASSWORD} characters"
    if len(password) > LONGEST_PASSWORD:
        return f"the password must have at most {LONGEST_PASSWORD} characters"
    return None


def name_problem(name: str) -> str | None:
    """Why the name cannot be used, or None. A name appears in histories as the actor's reference."""
    if not name or len(name) > LONGEST_NAME or name != name.strip() or not name.isprintable():
        return f"the name must have 1 to {LONGEST_NAME} printable characters without spaces around it"
    return None
