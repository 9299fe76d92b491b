"""The committed examples of every event: documentation, and the first input of every consumer's tests.

One file a record, `examples/<topic>/<type without prefix and version>.<n>.json`:
`{"attributes": CloudEvents attributes, "data": the event's data}`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from shared.contracts.envelope import CONTENT_TYPE, Event, Header, decode
from shared.contracts.topics import Topic
from shared.contracts.values import Contract

EXAMPLES_DIR: Final = Path(__file__).parent / "examples"


@dataclass(frozen=True, slots=True)
class ExampleRecord:
    """One example as it stands in its file."""

    path: Path
    attributes: Mapping[str, str]
    data: Mapping[str, Any]

    @property
    def headers(self) -> list[Header]:
        """The headers of the Kafka record."""
        named = [(f"ce_{name}", value.encode()) for name, value in self.attributes.items() if name != "datacontenttype"]
        return [("content-type", CONTENT_TYPE), *named]

    @property
    def value(self) -> bytes:
        """The value of the Kafka record."""
        return json.dumps(self.data, ensure_ascii=False).encode()

    @property
    def key(self) -> bytes:
        """The key of the Kafka record."""
        return self.attributes["partitionkey"].encode()

    def event(self) -> Event[Contract]:
        """Raises UndecodableError when the file breaks its contract."""
        return decode(self.headers, self.value)


def examples_of(topic: Topic) -> list[ExampleRecord]:
    """The examples on one topic, by file name. Raises KeyError or ValueError for a file of another form."""
    return [_read(path) for path in sorted((EXAMPLES_DIR / topic.name).glob("*.json"))]


def _read(path: Path) -> ExampleRecord:
    record = json.loads(path.read_text(encoding="utf-8"))
    return ExampleRecord(path, record["attributes"], record["data"])
