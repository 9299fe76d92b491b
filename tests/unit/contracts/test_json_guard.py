"""JSON from strangers: what is refused, by name, and what must be taken."""

import json
import time

import pytest

from shared.contracts.json_guard import MAX_DEPTH, UnreadableError, canonical, read_json, read_object
from tests.support.samples import sample_json, sample_path

# Valid by RFC 8259, which leaves them open, and refused here on purpose.
_STRICTER = {
    "y_object_duplicated_key.json": "given twice",
    "y_object_duplicated_key_and_value.json": "given twice",
    "y_object_escaped_null_in_key.json": "NUL",
    "y_string_null_escape.json": "NUL",
}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b'{"a":1}x', "not JSON"),
        (b'{"a":NaN}', "NaN"),
        (b'{"a":-Infinity}', "Infinity"),
        (b'{"a":1e999}', "too large"),
        (b'{"a":9223372036854775808}', "64 bits"),
        (b'{"a":' + b"9" * 100_000 + b"}", "64 bits"),
        (b'{"a":1,"a":2}', "given twice"),
        (b'{"a":"\xff"}', "UTF-8"),
        (b'{"a":"\\ud800"}', "valid Unicode"),
        (b'{"\\udc00":1}', "valid Unicode"),
        (b'{"a":["\\u0000"]}', "NUL"),
        (b"[" * 33 + b"]" * 33, "nested"),
        (b"[" * 200_000, "nested"),
        (b'{"a":' * 200_000, "nested"),
        (b"\xef\xbb\xbf{}", "not JSON"),
    ],
)
def test_what_cannot_be_trusted_is_refused_with_a_reason(body: bytes, reason: str) -> None:
    with pytest.raises(UnreadableError, match=reason):
        read_json(body)


def test_the_place_is_named() -> None:
    for body, field in (
        (b'{"narrative":1,"narrative":2}', "narrative"),
        (b'{"facts":{"text":["ok","\\ud83d"]}}', "facts.text.1"),
    ):
        with pytest.raises(UnreadableError) as caught:
            read_json(body)
        assert caught.value.field == field


def test_brackets_inside_text_are_no_depth() -> None:
    assert read_json(json.dumps({"a": "[{" * 1000 + '\\"[['}).encode()) == {"a": "[{" * 1000 + '\\"[['}
    assert read_json(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)


def test_hostile_text_takes_linear_time() -> None:
    started = time.perf_counter()
    for body in (b'"\\' * 130_000, b'[{"' + b'\\"' * 130_000, b"[" * 33 + b'"' * 260_000, b'\\"' * 130_000):
        with pytest.raises(UnreadableError):
            read_json(body)
    assert time.perf_counter() - started < 5


def test_an_object_is_asked_for() -> None:
    for body in (b"[]", b"1", b'"x"', b"null"):
        with pytest.raises(UnreadableError, match="object"):
            read_object(body)


def test_equal_values_have_equal_bytes() -> None:
    assert canonical(read_json(b'{"b": 1, "a": "\\u4e2d"}')) == canonical(read_json('{"a":"中","b":1}'.encode()))


def test_public_suite_of_parsers() -> None:
    files = sorted(sample_path("conformance", "JSONTestSuite", "test_parsing").glob("*.json"))
    assert len(files) > 250
    # The i_ files are the implementation's choice: refusing them is fine, crashing is not.
    for file in files:
        body = file.read_bytes()
        expected = _STRICTER.get(file.name)
        refusal = _refusal(body)
        if file.name.startswith("n_"):
            assert refusal is not None, file.name
        elif file.name.startswith("y_"):
            assert refusal is None if expected is None else expected in (refusal or ""), (file.name, refusal)


def _refusal(body: bytes) -> str | None:
    try:
        read_json(body)
    except UnreadableError as error:
        return error.reason
    return None


def test_naughty_strings_travel_unchanged_or_are_refused_by_name() -> None:
    strings = sample_json("conformance", "blns", "blns.json")
    assert len(strings) > 400
    for text in strings:
        assert read_json(json.dumps({"title": text}).encode()) == {"title": text}
