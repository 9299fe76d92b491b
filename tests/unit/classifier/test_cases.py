"""Merging reports: any order and any repetition of the same reports make the same case."""

from datetime import timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import from_json, to_json

from services.classifier.domain.cases import CaseMismatchError, CaseState, merge, state_from_data
from shared.contracts.reports import ComplaintReceivedV1, IncidentStatus
from shared.contracts.values import CaseKind, Place
from tests.support.classification import MONDAY, create_complaint, create_incident

names = st.sampled_from(["a", "b", "c"])
values = st.one_of(st.booleans(), st.integers(-5, 5), st.text("xyz", max_size=3), st.lists(st.text("xyz"), max_size=2))
texts = st.one_of(st.none(), st.sampled_from(["one", "two", "three"]))


@st.composite
def reports(draw: st.DrawFn) -> list[ComplaintReceivedV1]:
    """Different reports of one case, one for each sequence."""
    sequences = draw(st.lists(st.integers(1, 9), min_size=1, max_size=6, unique=True))
    return [
        ComplaintReceivedV1(
            number=f"n-{sequence}",
            sequence=sequence,
            source=f"s-{sequence}",
            reference="r",
            channel=draw(texts),
            topic=draw(texts),
            title=draw(texts),
            occurred_at=MONDAY + timedelta(minutes=draw(st.integers(0, 5))),
            received_at=MONDAY + timedelta(minutes=sequence),
            place=Place(city=draw(texts)),
            facts=draw(st.dictionaries(names, values, max_size=3)),
            plans=tuple(draw(st.lists(st.sampled_from(["p", "q"]), max_size=2))),
            narrative=draw(texts),
            moved_facts=tuple(draw(st.lists(names, max_size=2, unique=True))),
            moved_reports=tuple(draw(st.lists(st.integers(1, max(1, sequence - 1)), max_size=2, unique=True))),
            confidential=draw(st.booleans()),
            drill=draw(st.booleans()),
        )
        for sequence in sequences
    ]


def merged(several: list[ComplaintReceivedV1]) -> CaseState:
    state: CaseState | None = None
    for report in several:
        state = merge(state, report)
    assert state is not None
    return state


@given(reports(), st.data())
def test_any_order_and_multiplicity_make_the_same_case(several: list[ComplaintReceivedV1], data: st.DataObject) -> None:
    again = data.draw(st.lists(st.sampled_from(several), max_size=4))
    shuffled = data.draw(st.permutations([*several, *again]))
    assert merged(shuffled) == merged(several)


@given(reports())
def test_the_later_report_wins_for_each_fact(several: list[ComplaintReceivedV1]) -> None:
    facts: dict[str, object] = {}
    for report in sorted(several, key=lambda report: report.sequence):
        facts = {name: value for name, value in facts.items() if name not in report.moved_facts} | report.facts
    assert merged(several).view(uuid4(), "demo").facts == facts


@given(reports())
def test_a_stored_case_is_the_same_case(several: list[ComplaintReceivedV1]) -> None:
    state = merged(several)
    assert state_from_data(from_json(to_json(state.as_data()))) == state


def test_times_number_and_source_come_from_the_first_report() -> None:
    later = create_complaint(sequence=2, at=MONDAY + timedelta(hours=5), number="b", source="web", drill=True).data
    first = create_complaint(at=MONDAY, number="a", source="desk").data
    state = merge(merge(None, later), first)
    assert (state.occurred_at, state.received_at, state.number, state.source) == (MONDAY, MONDAY, "a", "desk")
    assert not state.drill
    assert state.counts
    assert not merge(None, later).counts


def test_an_incident_is_resolved_and_fires_again() -> None:
    firing = create_incident().data
    resolved = create_incident(sequence=2, status=IncidentStatus.RESOLVED).data
    again = create_incident(sequence=3).data
    assert merge(merge(None, firing), resolved).resolved
    assert merge(merge(None, resolved), firing).resolved
    assert not merge(merge(merge(None, again), resolved), firing).resolved
    assert merge(None, firing).kind is CaseKind.INCIDENT


def test_a_report_of_another_kind_is_refused() -> None:
    with pytest.raises(CaseMismatchError, match="opened as complaint"):
        merge(merge(None, create_complaint().data), create_incident(sequence=2).data)


def test_a_missing_value_does_not_erase_a_known_one() -> None:
    known = create_complaint(topic="billing", city="成都").data
    bare = ComplaintReceivedV1(**(known.model_dump() | {"sequence": 2, "topic": None, "place": Place()}))
    view = merge(merge(None, known), bare).view(uuid4(), "demo")
    assert (view.topic, view.place.city) == ("billing", "成都")


def test_what_a_split_moved_is_neither_known_nor_told_here_any_more() -> None:
    first = create_complaint(narrative="网络中断").data
    second = create_complaint(sequence=2, narrative="账单重复", facts={"amount": 80, "people": 2}).data
    parted = create_complaint(sequence=3).data.model_copy(
        update={"moved_facts": ("amount",), "moved_reports": (2,), "facts": {"people": 1}}
    )
    for several in ([first, second, parted], [parted, second, first]):
        state = merged(several)
        assert state.narrative == "网络中断"
        assert {name: state.view(uuid4(), "demo").facts.get(name) for name in ("amount", "people")} == {
            "amount": None,
            "people": 1,
        }
