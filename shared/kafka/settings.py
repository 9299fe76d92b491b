"""How to reach Kafka; part of every service's settings."""

from typing import Annotated

from pydantic import BaseModel, Field


class KafkaSettings(BaseModel):
    """Connection to any Kafka-compatible broker.

    `idempotence` and `long_poll_ms` exist for brokers that lack the real thing: the embedded one has no idempotent
    producer and sleeps through half of a fetch wait.
    """

    bootstrap: str = "127.0.0.1:9092"
    topic_prefix: str = ""
    idempotence: bool = True
    long_poll_ms: Annotated[int, Field(ge=1)] = 200
    session_timeout_ms: Annotated[int, Field(ge=1000)] = 10_000
    partitions: Annotated[int, Field(ge=1)] = 6
    replication: Annotated[int, Field(ge=1)] = 1
    group_suffix: str = ""

    def topic(self, name: str) -> str:
        """The topic's name on this cluster."""
        return f"{self.topic_prefix}{name}"

    def contract_name(self, topic: str) -> str:
        """Inverse of `topic`."""
        return topic.removeprefix(self.topic_prefix)
