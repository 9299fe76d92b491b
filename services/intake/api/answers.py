"""The register's answers as HTTP."""

import json
from collections.abc import Mapping
from typing import Any, Final

from starlette.responses import Response

from services.intake.domain.reports import UNFIT, Outcome, Refused, Registered
from shared.runtime.problems import ProblemError

CREATED: Final = 201
_JSON: Final = "application/json"


def outcome_body(outcome: Registered, public_url: str) -> dict[str, Any]:
    """What the caller keeps: the case, its number and where to ask about it."""
    return {
        "case_id": str(outcome.case_id),
        "number": outcome.number,
        "sequence": outcome.sequence,
        "event_id": outcome.event_id,
        "duplicate": outcome.duplicate,
        "status_url": f"{public_url}/v1/cases/{outcome.case_id}",
    }


def outcome_status(outcome: Registered) -> int:
    return 200 if outcome.duplicate else CREATED


def refusal(refused: Refused) -> ProblemError:
    """422 for what does not fit its plans, 409 for what does not fit the register."""
    if refused.code == UNFIT:
        return ProblemError(422, refused.detail, code=refused.code, fields=refused.fields)
    return ProblemError(
        409, "It contradicts what is registered", code=refused.code, detail=refused.detail, fields=refused.fields
    )


def outcome_response(outcome: Outcome, public_url: str) -> Response:
    """201 for something new, 200 for the same again. Raises ProblemError for what was refused."""
    if isinstance(outcome, Refused):
        raise refusal(outcome)
    return json_response(outcome_body(outcome, public_url), outcome_status(outcome))


def json_response(body: Mapping[str, Any], status: int = 200) -> Response:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Response(text.encode(), status, media_type=_JSON)


def problem_body(problem: ProblemError) -> dict[str, Any]:
    """A problem as part of a larger answer."""
    body: dict[str, Any] = json.loads(bytes(problem.response().body))
    return body
