"""Sends a dead letter to its topic again, through intake."""

import base64
from typing import Any
from uuid import UUID

from services.console.channels.intake import Intake, IntakeAwayError
from services.console.domain.answers import Answer, problem_fields
from services.console.store.letters import get_letter, mark_replayed
from shared.db.engine import Database
from shared.db.outbox import headers_from_text


async def replay_dead_letter(org: str, letter_id: UUID, actor: str, *, database: Database, intake: Intake) -> Answer:
    """Publish the record as it was, once. Consumers that applied it before skip it. Dying again makes a new letter."""
    async with database.transaction() as tx:
        letter = await get_letter(tx, org, letter_id)
    if letter is None:
        return Answer(404, None, "There is no such dead letter")
    body: dict[str, Any] = {
        "topic": letter["topic"],
        "letter_id": str(letter_id),
        "key_base64": _base64(letter["record_key"]),
        "headers": {name: value.decode("latin-1") for name, value in headers_from_text(letter["headers"])},
        "value_base64": _base64(letter["value"]),
    }
    try:
        answer = await intake.replay(body)
    except IntakeAwayError as error:
        return Answer(503, None, str(error))
    if answer.accepted:
        async with database.transaction() as tx:
            await mark_replayed(tx, letter_id, actor)
    title = str(answer.body.get("detail") or answer.body.get("title") or "")
    return Answer(answer.status, None, title, problem_fields(answer.body))


def _base64(value: bytes | memoryview | None) -> str | None:
    return base64.b64encode(bytes(value)).decode() if value is not None else None
