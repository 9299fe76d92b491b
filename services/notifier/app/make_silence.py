"""Somebody lets messages wait for a while, for a reason."""

from services.notifier.app.rules import SilenceKeeper
from services.notifier.domain.silence_file import MadeSilence, WrittenSilence
from services.notifier.store import silences
from shared.db.engine import Database
from shared.runtime.ids import Ids
from shared.runtime.logging import get_logger

_log = get_logger(__name__)


async def make_silence(
    org: str, written: WrittenSilence, by: str, *, book: SilenceKeeper, database: Database, ids: Ids
) -> MadeSilence:
    """In force here at once, at other replicas within the time of a refresh.

    Raises LookupError when the organisation has no roster, ValueError, beginning with the field, for what is wrong.
    """
    silence_id = ids.new()
    built = book.built(org, written, silence_id=silence_id, by=by)
    async with database.transaction() as tx:
        if built.ends_at is None or built.ends_at <= tx.now:
            raise ValueError("to: is past")
        made = MadeSilence(silence_id, org, written, by, tx.now, built.ends_at)
        await silences.add(tx, made)
    await book.refresh()
    _log.info("silence.made", org=org, silence=str(silence_id), by=by)
    return made
