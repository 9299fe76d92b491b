"""The nearest deputy who is there: deputies of deputies after them, nobody twice, in no circle."""

from datetime import UTC, datetime

import pytest

from services.notifier.domain.roster_text import parse_roster
from services.notifier.domain.stand_in import stand_in_of

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
ROSTER = parse_roster(
    """
organisation: demo
timezone: Asia/Shanghai
people:
  - {id: a, name: {zh: 甲, en: A}, deputy: [b, c], contacts: [{channel: sms, to: "13800000001"}]}
  - {id: b, name: {zh: 乙, en: B}, deputy: [d, a], leave: [{from: 2026-11-01, to: 2026-11-30}],
     contacts: [{channel: sms, to: "13800000002"}]}
  - {id: c, name: {zh: 丙, en: C}, deputy: a, contacts: [{channel: sms, to: "13800000003"}]}
  - {id: d, name: {zh: 丁, en: D}, contacts: [{channel: sms, to: "13800000004"}]}
roles:
  - {id: head, name: {zh: 主管, en: Head}, duty: [{person: a}]}
""",
    file="r.yaml",
)


@pytest.mark.parametrize(
    ("person", "passed_over", "found"),
    [
        ("a", (), "c"),  # b is on leave
        ("a", ("c",), "d"),  # the deputy of b
        ("a", ("c", "d"), None),
        ("c", (), "a"),
        ("c", ("a",), "d"),  # a's deputies: b is on leave, c is who is missing
        ("d", (), None),
        ("nobody", (), None),
    ],
)
def test_the_nearest_deputy_who_is_there(person: str, passed_over: tuple[str, ...], found: str | None) -> None:
    stand_in = stand_in_of(ROSTER, person, NOW, passed_over=passed_over)
    assert (stand_in.id if stand_in is not None else None) == found
