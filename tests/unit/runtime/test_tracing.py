"""The trace of the first request is carried on; a malformed one begins anew."""

import pytest

from shared.runtime.tracing import next_span, trace_id

GIVEN = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_the_next_hop_has_the_same_trace_and_another_span() -> None:
    following = next_span(GIVEN)
    assert trace_id(following) == "0af7651916cd43dd8448eb211c80319c"
    assert following.split("-")[2] != "b7ad6b7169203331"


@pytest.mark.parametrize(
    "broken",
    [
        None,
        "",
        "nonsense",
        GIVEN.upper(),
        "01" + GIVEN[2:] + "-extra",
        "00-" + "0" * 32 + "-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-" + "0" * 16 + "-01",
    ],
)
def test_what_is_not_a_trace_begins_a_new_one(broken: str | None) -> None:
    assert trace_id(broken) is None
    assert trace_id(next_span(broken)) is not None
