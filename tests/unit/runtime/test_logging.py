"""No telephone, identity-card or bank-card number reaches a log line."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from shared.runtime.logging import configure_logging, get_logger, redact


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("call 13800001234 now", "call *** now"),
        ("+8613800001234", "***"),
        ("card 6222020000000000000", "card ***"),
        ("id 11010519491231002X", "id ***"),
        ("case 2026-11-000123 level 5", "case 2026-11-000123 level 5"),
        ("01a20098-047b-70eb-9a33-0bdad46323c2", "01a20098-047b-70eb-9a33-0bdad46323c2"),
    ],
)
def test_numbers_of_people_are_masked_and_our_own_are_not(text: str, kept: str) -> None:
    assert redact(text) == kept


@pytest.fixture
def logs() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.mark.usefixtures("logs")
def test_a_line_is_json_and_personal_numbers_in_any_field_are_masked(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("intake")
    get_logger("tests").info(
        "complaint.registered",
        note="tel 13800001234",
        number="2026-11-000123",
        nested={"phones": ["13800001234"], "as_number": 13800001234},
    )
    logging.getLogger("some.library").warning("cannot reach 13900005678")
    logging.getLogger("aiokafka.consumer").error("a new leader was elected")
    text = capsys.readouterr().err
    first, second, third = (json.loads(line) for line in text.splitlines())
    assert first["event"] == "complaint.registered"
    assert first["service"] == "intake"
    assert first["note"] == "tel ***"
    assert first["number"] == "2026-11-000123"
    assert second["event"] == "cannot reach ***"
    assert third["level"] == "warning", "what aiokafka retries by itself is no error"
    assert "13800001234" not in text
