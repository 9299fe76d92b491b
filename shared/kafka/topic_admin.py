"""Creates the topics of the contracts and their dead-letter twins."""

from collections.abc import Sequence

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from shared.contracts.topics import DEAD_LETTER_RETENTION, TOPICS, Topic
from shared.kafka.settings import KafkaSettings


async def ensure_topics(settings: KafkaSettings, topics: Sequence[Topic] = TOPICS) -> None:
    """Create what is missing; existing topics stay as they are. Raises KafkaError when the broker refuses."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap, client_id="fenghuo-topics")
    await admin.start()
    try:
        existing = set(await admin.list_topics())
        wanted = [new for topic in topics for new in _twins(topic, settings) if new.name not in existing]
        if not wanted:
            return
        response = await admin.create_topics(wanted)
        for name, code, *_ in response.topic_errors:
            error = for_code(code)
            if code and error is not TopicAlreadyExistsError:
                raise error(f"topic {name} could not be created")
    except TopicAlreadyExistsError:
        return
    finally:
        await admin.close()


def _twins(topic: Topic, settings: KafkaSettings) -> tuple[NewTopic, NewTopic]:
    def new(name: str, retention_ms: int, partitions: int) -> NewTopic:
        return NewTopic(
            settings.topic(name),
            num_partitions=partitions,
            replication_factor=settings.replication,
            topic_configs={"retention.ms": str(retention_ms)},
        )

    return (
        new(topic.name, int(topic.retention.total_seconds() * 1000), settings.partitions),
        new(topic.dead_letters, int(DEAD_LETTER_RETENTION.total_seconds() * 1000), 1),
    )
