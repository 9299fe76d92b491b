"""Identifiers: in the order in which they were made, and the same to everybody whoever made them."""

import copy
import pickle
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from pydantic import TypeAdapter

from shared.contracts.envelope import UndecodableError, decode
from shared.contracts.example_records import examples_of
from shared.contracts.topics import CASES_CLASSIFIED
from shared.runtime.ids import FastUUID, TimeOrderedIds, lowest_id_at

NOW = datetime.now(UTC)


def test_ids_rise_and_tell_when_they_were_made() -> None:
    ids = TimeOrderedIds()
    made = [ids.new() for _ in range(1000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)
    assert {one.version for one in made} == {7}
    assert lowest_id_at(NOW) < made[0] < lowest_id_at(NOW + timedelta(days=1))


def test_a_fast_id_is_the_same_as_any_other_uuid() -> None:
    fast = TimeOrderedIds().new()
    plain = UUID(bytes=fast.bytes)
    assert isinstance(fast, UUID)
    assert fast == plain
    assert plain == fast
    assert {plain: 1}[fast] == 1
    assert (str(fast), fast.int, fast.hex) == (str(plain), plain.int, plain.hex)
    assert FastUUID(str(plain)) == FastUUID(plain.hex) == fast
    assert copy.deepcopy(fast) == pickle.loads(pickle.dumps(fast)) == fast  # noqa: S301  # made here
    assert TypeAdapter(UUID).validate_python(fast, strict=True) == plain
    assert sorted([fast, UUID(int=0), UUID(int=2**128 - 1)]) == [UUID(int=0), fast, UUID(int=2**128 - 1)]


def test_records_are_read_alike_with_either_kind_of_id() -> None:
    for record in examples_of(CASES_CLASSIFIED):
        plain, fast = decode(record.headers, record.value), decode(record.headers, record.value, make_id=FastUUID)
        assert plain == fast
        assert type(fast.case_id) is FastUUID


@pytest.mark.parametrize("bad", ["", "7", "x" * 32, "é" * 32, "1" * 33, "{01a20382-20c7-7610-8742-b58c9d8512de}"])
def test_what_is_no_id_makes_a_record_unreadable_by_name(bad: str) -> None:
    record = examples_of(CASES_CLASSIFIED)[0]
    headers = [(name, bad.encode() if name == "ce_caseid" else value) for name, value in record.headers]
    with pytest.raises(UndecodableError, match="caseid"):
        decode(headers, record.value, make_id=FastUUID)
