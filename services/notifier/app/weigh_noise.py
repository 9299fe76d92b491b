"""Which of some messages that could go out now have to wait or are left out, and why."""

from collections.abc import Sequence
from uuid import UUID

from services.notifier.app.rules import Rules
from services.notifier.domain.ledger import Intent
from services.notifier.domain.noise import Facts, Ruling, is_highest, ruling
from services.notifier.store import noise as noise_rows
from shared.db.tx import Tx


async def weigh_noise(tx: Tx, intents: Sequence[Intent], rules: Rules) -> dict[UUID, Ruling]:
    """A ruling for each intent that does not go out at `tx.now`. What was begun is never held back.

    Nothing is asked of the database for messages of the highest level.
    """
    asked = [
        one
        for one in intents
        if one.person is not None
        and one.attempts == 0
        and one.stopped is None
        and not is_highest(one.request.body.subject)
    ]
    if not asked:
        return {}
    people = {(one.request.org, one.person) for one in asked if one.person is not None}
    counted = rules.throttle.messages > 0
    recent = await noise_rows.recent(tx, people, tx.now - rules.throttle.window) if counted else {}
    warned = await noise_rows.warned(tx, asked)
    found: dict[UUID, Ruling] = {}
    for one in sorted(asked, key=lambda each: -each.urgency):
        org, person = one.request.org, one.person or ""
        told = recent.setdefault((org, person, one.request.body.channels[0].value), [])
        ruled = ruling(
            Facts(
                one.request.body.subject,
                one.request.body.purpose,
                person,
                was_held=one.held_at is not None,
                warned=warned.get(one.id),
                recent=told,
            ),
            rules.silences.of(org) if rules.silences is not None else (),
            rules.throttle,
            tx.now,
        )
        if ruled is None:
            told.append(tx.now)
        else:
            found[one.id] = ruled
    return found
