"""Which dead letters were sent again: doing it twice does it once."""

from shared.db.tx import Tx


async def first_replay(tx: Tx, *, org: str, letter_id: str, topic: str, key_prefix: str) -> bool:
    """False when the letter was replayed before."""
    written = await tx.execute(
        "INSERT INTO replays (org, letter_id, topic, key_prefix, replayed_at) "
        "VALUES (:org, :letter_id, :topic, :key_prefix, :now) ON CONFLICT (org, letter_id) DO NOTHING",
        org=org,
        letter_id=letter_id,
        topic=topic,
        key_prefix=key_prefix,
        now=tx.now,
    )
    return written == 1
