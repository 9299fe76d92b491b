"""A real broker for the tests, and topic names that no other test uses.

Fixtures: `broker` (once a session) and `topic_prefix` (one for each test). FENGHUO_TEST_KAFKA chooses the broker:
unset for the embedded one, `apache` for Apache Kafka from `deploy/kafka/pom.xml`, or host:port of a running one.
"""

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from shared.embedded.broker import EmbeddedBroker
from shared.embedded.processes import free_port
from tests.support.kafka import ApacheKafka

CHOICE: Final = "FENGHUO_TEST_KAFKA"


@dataclass(frozen=True)
class Broker:
    """Where the broker is and what it can do.

    `idempotent` says whether producers may turn idempotence on (a fact of the broker, not of the test), `keeps` whether
    records outlive a restart. `process` is there when the tests own the broker and may kill it.
    """

    bootstrap: str
    idempotent: bool
    keeps: bool
    process: EmbeddedBroker | ApacheKafka | None


@pytest.fixture(scope="session")
def broker() -> Iterator[Broker]:
    """The session's broker. A test that kills it must start it again."""
    choice = os.environ.get(CHOICE, "")
    if ":" in choice:
        yield Broker(choice, idempotent=True, keeps=True, process=None)
    elif choice == "apache":
        directory = Path(tempfile.mkdtemp(prefix="fenghuo-test-kafka-"))
        apache = ApacheKafka(directory, free_port())
        try:
            apache.start()
            yield Broker(apache.bootstrap, idempotent=True, keeps=True, process=apache)
        finally:
            apache.stop()
            shutil.rmtree(directory, ignore_errors=True)
    elif choice:
        pytest.fail(f"{CHOICE}={choice} is neither `apache` nor host:port.")
    else:
        embedded = EmbeddedBroker(free_port())
        try:
            embedded.start()
            yield Broker(embedded.bootstrap, idempotent=False, keeps=False, process=embedded)
        finally:
            embedded.stop()


@pytest.fixture
def topic_prefix() -> str:
    """A prefix for this test's topics and consumer groups."""
    return f"t{secrets.token_hex(5)}-"
