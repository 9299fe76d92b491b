"""Reports of the register as rows to be replayed."""

from collections.abc import Iterable, Mapping
from typing import Any

from services.drill.domain.events_file import MAX_EVENTS, EventsFileError, flat_row


def rows_of_register(reports: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Reports as the console's API gives them, a row each; rehearsals are left out.

    A case goes by its number. An incident whose source says it is over is resolved then. The register's reports do not
    say when somebody acknowledged. Raises EventsFileError when there are none, or too many.
    """
    rows: list[dict[str, str]] = []
    for report in reports:
        body = report["body"]
        if body.get("drill"):
            continue
        if len(rows) == MAX_EVENTS:
            raise EventsFileError(f"the register holds more than {MAX_EVENTS} reports of these days: give fewer --days")
        over = body["received_at"] if body.get("status") == "resolved" else None
        row = {**body, "reference": body["number"], "kind": report["kind"], "complainant": body.get("complainant_ref")}
        rows.append(flat_row({**row, "resolved_at": over}))
    if not rows:
        raise EventsFileError("the register holds no reports of these days")
    # Which columns there are is read off the first rows, and a fact may be given by the last report only.
    return [dict.fromkeys((name for row in rows for name in row), "") | rows[0], *rows[1:]]
