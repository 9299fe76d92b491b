"""What one complaint costs the database does not grow with the complaints before it."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from tests.support.broker import Broker
from tests.support.line import Line, running_line

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("line")]
_COMPLAINTS = 300
_ROWS_OF_ONE_COMPLAINT = 40
_READ = """
SELECT schemaname || '.' || relname AS name, seq_tup_read + coalesce(idx_tup_fetch, 0) AS rows
FROM pg_stat_all_tables WHERE schemaname IN ('intake', 'classifier', 'escalator', 'notifier', 'console')
"""


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory, broker: Broker) -> Iterator[Line]:
    home: Path = tmp_path_factory.mktemp("line")
    with running_line(home, broker) as running:
        yield running


def post(line: Line, number: int) -> None:
    line.post(
        "/v1/complaints",
        {
            "source": "e2e",
            "reference": f"many-{number}",
            "topic": f"topic {number}",
            "category": "network",
            "occurred_at": datetime.now(UTC).isoformat(),
            "title": "宽带无法上网",
            "place": {"province": "四川", "city": "成都"},
            "facts": {"line": "network", "customers_affected": 50_001},
        },
    )


async def rows_read(line: Line) -> Counter[str]:
    """Rows each table was read so far, by any service."""
    password = (line.home / "postgres" / "superuser-password").read_text().strip()
    connection = await asyncpg.connect(
        host="127.0.0.1", port=line.ports["postgres"], user="postgres", password=password, database="fenghuo"
    )
    try:
        return Counter({row["name"]: row["rows"] for row in await connection.fetch(_READ)})
    finally:
        await connection.close()


async def test_tables_are_read_by_their_indexes_from_the_first_row_on(line: Line) -> None:
    before = await rows_read(line)
    with ThreadPoolExecutor(4) as posts:
        list(posts.map(lambda number: post(line, number), range(_COMPLAINTS)))
    line.eventually(lambda: len(line.messages(containing="50001")) >= _COMPLAINTS, within=60, what="every message")
    # The statistics of a connection that fell idle are written within some seconds.
    line.eventually(line.cases, what="the board")
    after = await rows_read(line)
    assert sum((after - before).values()) > _COMPLAINTS, "nothing was counted"
    much = {
        name: rows // _COMPLAINTS
        for name, rows in (after - before).items()
        if rows > _ROWS_OF_ONE_COMPLAINT * _COMPLAINTS
    }
    assert not much, f"rows read per complaint, so whole tables again and again: {much}"
