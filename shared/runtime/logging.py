"""One JSON line per event on standard error, with the case id where there is one and no personal data."""

import logging
import re
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any, Final
from uuid import UUID

import structlog

# Mainland mobile numbers, 18-digit resident identity numbers and 16-19 digit card numbers (GB 11643, ISO/IEC 7812).
_PERSONAL: Final = re.compile(r"(?<!\d)(?:(?:\+?86)?1[3-9]\d{9}|\d{17}[\dXx]|\d{16,19})(?!\d)")
_KEPT: Final = frozenset({"level", "timestamp", "service", "module", "case_id", "event_id"})


def configure_logging(service: str, level: str = "INFO") -> None:
    """Send structured logs of this process, its libraries included, to standard error."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _without_personal_data,
            structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
    root = logging.getLogger()
    root.handlers[:] = [_Forward()]
    root.setLevel(level)
    for chatty in ("aiokafka", "apscheduler", "uvicorn.access", "httpx", "httpcore", "mail.log"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def get_logger(name: str) -> structlog.typing.FilteringBoundLogger:
    """A logger whose first argument is a dotted machine word, e.g. `case.opened`; the rest are fields."""
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger(module=name)
    return logger


@contextmanager
def case_context(case_id: UUID, event_id: UUID | None = None) -> Iterator[None]:
    """Every log line inside carries the case (and event) id."""
    fields: dict[str, Any] = {"case_id": str(case_id)}
    if event_id is not None:
        fields["event_id"] = str(event_id)
    with structlog.contextvars.bound_contextvars(**fields):
        yield


class _Forward(logging.Handler):
    """Library records become structured events of the same form."""

    def emit(self, record: logging.LogRecord) -> None:
        fields: dict[str, Any] = {"module": record.name}
        if record.exc_info:
            fields["exc_info"] = record.exc_info
        level = record.levelno
        if record.name.startswith("aiokafka"):
            # It calls errors what it then retries: a new leader, a broker that starts. What it gives up, it raises.
            level = min(level, logging.WARNING)
        structlog.get_logger().log(level, record.getMessage(), **fields)


def _without_personal_data(_: Any, __: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name, value in entry.items():
        if name not in _KEPT:
            entry[name] = _redacted(value)
    return entry


def _redacted(value: Any) -> Any:
    match value:
        case str():
            return redact(value)
        case dict():
            return {key: _redacted(inner) for key, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_redacted(inner) for inner in value]
        case int() if not isinstance(value, bool):
            return value if redact(str(value)) == str(value) else redact(str(value))
        case _:
            return value


def redact(text: str) -> str:
    """The text with phone, identity-card and bank-card numbers replaced by `***`."""
    return _PERSONAL.sub("***", text)
