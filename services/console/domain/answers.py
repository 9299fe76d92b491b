"""What came of a request to intake."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of it. `status` is HTTP's: 404 no such case, 503 intake away, else what intake answered.

    `survivor` is the number of the case that an acknowledgement counts for, where this one was merged.
    """

    status: int
    case_id: str | None
    title: str
    fields: dict[str, str] = field(default_factory=dict)
    survivor: str | None = None

    @property
    def accepted(self) -> bool:
        return self.status < 300  # noqa: PLR2004  # HTTP's own boundary of success


def problem_fields(body: dict[str, Any]) -> dict[str, str]:
    """Fields and what is wrong with them, from problem details."""
    errors = body.get("errors")
    if not isinstance(errors, list):
        return {}
    return {str(one.get("field")): str(one.get("detail")) for one in errors if isinstance(one, dict)}
