"""Committing once, as a member, or not at all.

aiokafka's own commit tries again by itself with whatever membership the consumer has by then. When the group has
meanwhile forgotten the member it asks without one, which brokers accept for an empty group. After a broker that lost
its log came back, that plants positions of the old log, and records of the new log below them are never read.
"""

import asyncio
from collections.abc import Mapping

from aiokafka import AIOKafkaConsumer, OffsetAndMetadata, TopicPartition
from aiokafka.errors import UnknownMemberIdError


async def commit_once(consumer: AIOKafkaConsumer, positions: Mapping[TopicPartition, int]) -> None:
    """Ask the broker once to keep these positions.

    Raises UnknownMemberIdError, without asking, while the consumer is no member of its group; KafkaError when the
    broker refuses or cannot be reached.
    """
    coordinator = consumer._coordinator  # noqa: SLF001  # aiokafka tells its generation nowhere else
    if coordinator is None or coordinator.generation < 0:
        raise UnknownMemberIdError("not a member of the group now")
    # The request takes the generation when it is built, which the call does before it waits for anything: no other
    # task runs between the look above and that.
    await coordinator._do_commit_offsets(  # noqa: SLF001  # the public call tries again, see above
        None, {partition: OffsetAndMetadata(offset, "") for partition, offset in positions.items()}
    )


async def leave_within(consumer: AIOKafkaConsumer, seconds: float) -> None:
    """Leave the group and close. A rebalance that does not end is given up: the broker forgets the member by itself."""
    try:
        async with asyncio.timeout(seconds):
            await consumer.stop()
    except TimeoutError:
        # What the public call would have closed next.
        await consumer._fetcher.close()  # noqa: SLF001  # there is no other way to it once the stop has begun
        await consumer._client.close()  # noqa: SLF001  # as above
