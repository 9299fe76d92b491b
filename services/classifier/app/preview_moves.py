"""How cases would be judged by the version of their plan in force. Judged as they would be, and nothing is kept."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final, NoReturn
from uuid import UUID

from services.classifier.app.find_moving_cases import find_moving_cases
from services.classifier.app.judge_cases import Ports, judge_cases
from services.classifier.domain.moves import wanted_of
from shared.contracts.classifications import CaseClassifiedV1
from shared.contracts.commands import CommandIssuedV1
from shared.contracts.envelope import Event
from shared.db.engine import Database
from shared.db.outbox import PendingRecords

_BATCH: Final = 50
"""Cases whose rows are held at once: few, because the line is at work meanwhile."""


async def preview_moves(
    commands: Sequence[Event[CommandIssuedV1]], database: Database, ports: Ports
) -> dict[UUID, CaseClassifiedV1]:
    """What each command would make the classifier say, by case; nothing for those it would pass over.

    The very transaction that would move the cases is made and given up.
    """
    said: dict[UUID, CaseClassifiedV1] = {}
    for batch in _batches(commands, _BATCH):
        try:
            async with database.transaction() as tx:
                heard = _Heard()
                tx.outbox = heard
                wanted = {event.id: one for event in batch if (one := wanted_of(event.data, event.id)) is not None}
                ours = [event for event in batch if event.id in wanted]
                subjects, _ = await find_moving_cases(tx, ours, wanted, ports)
                await judge_cases(tx, list(subjects.values()), ports)
                said |= {case_id: data for case_id, data in heard.said if data.move is not None}
                _give_up()
        except _GivenUpError:
            continue
    return said


def _give_up() -> NoReturn:
    raise _GivenUpError


class _GivenUpError(Exception):
    """Nothing of the transaction may stay."""


class _Heard(PendingRecords):
    """Listens to what would be published."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[tuple[UUID, CaseClassifiedV1]] = []

    def add(self, event: Event[Any], value: bytes | None = None) -> None:  # noqa: ARG002  # the text is not asked for
        if isinstance(event.data, CaseClassifiedV1):
            self.said.append((event.case_id, event.data))


def _batches(commands: Iterable[Event[Any]], size: int) -> Iterator[list[Event[Any]]]:
    rest = iter(commands)
    while batch := list(islice(rest, size)):
        yield batch
