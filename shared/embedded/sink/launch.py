"""The sink as a child process of something else."""

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import shared
from shared.embedded.errors import EmbeddedPartMissingError
from shared.embedded.processes import Child, Port
from shared.embedded.readiness import LOOPBACK, http_answers

ACCOUNT: Final = "fenghuo"
_STOP_SECONDS: Final = 5.0


def sink_child(
    smtp_port: int,
    http_port: int,
    *,
    password: str = ACCOUNT,
    receipt_delay: float = 0.2,
    reply_url: str | None = None,
    journal: Path | None = None,
    log_file: Path | None = None,
    smtp_setting: str | None = None,
    http_setting: str | None = None,
) -> Child:
    """The process to supervise; its SMS account is `fenghuo` with this password.

    Parameters
    ----------
    receipt_delay
        Seconds from an SMS to its receipts.
    reply_url
        Where an SMS that a phone sends back is delivered, with Kannel's escapes.
    smtp_setting, http_setting
        Names of the settings that a person would change when a port is taken.

    Raises EmbeddedPartMissingError when the SMTP library is not installed.
    """
    if find_spec("aiosmtpd") is None:
        raise EmbeddedPartMissingError("The mail sink is not installed: run `pip install 'fenghuo[embedded]'`.")
    options = {
        "smtp-port": smtp_port,
        "http-port": http_port,
        "dlr-delay": receipt_delay,
        "username": ACCOUNT,
        "password": password,
        "reply-url": reply_url,
        "journal": journal.absolute() if journal is not None else None,
    }
    given = tuple(f"--{name}={value}" for name, value in options.items() if value is not None)
    return Child(
        name="sink",
        argv=(sys.executable, "-m", "shared.embedded.sink", *given),
        ready=lambda: http_answers(f"http://{LOOPBACK}:{http_port}/healthz"),
        cwd=Path(shared.__file__).parents[1],
        log_file=log_file,
        ports=(Port(smtp_port, smtp_setting), Port(http_port, http_setting)),
        stop_within=_STOP_SECONDS,
    )
