"""Send a dead letter's record to its topic again, as it was."""

from services.intake.domain.letters import Letter
from services.intake.store.replays import first_replay
from shared.access.api_keys import ApiKey
from shared.db.engine import Database


class ForeignLetterError(LookupError):
    """The record belongs to another organisation."""


async def replay_letter(database: Database, letter: Letter, key: ApiKey) -> bool:
    """True when it is on its way, False when it was sent again before. Raises ForeignLetterError.

    A record that does not say whose it is may be replayed by anyone who operates: it can only die again.
    """
    if letter.org is not None and letter.org != key.org:
        raise ForeignLetterError
    async with database.transaction() as tx:
        if not await first_replay(
            tx, org=key.org, letter_id=letter.letter_id, topic=letter.topic, key_prefix=key.prefix
        ):
            return False
        tx.outbox.add_raw(letter.topic, letter.key, letter.headers, letter.value, event_id=letter.event_id)
    return True
