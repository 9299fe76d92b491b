"""Apache Kafka as one KRaft node from the jars that `deploy/kafka/pom.xml` pins.

Needs Java 17 and Maven. The jars are fetched once into Maven's repository; the class path is kept under
`.fenghuo/kafka`, so that later starts need neither Maven nor a network.
"""

import base64
import fcntl
import hashlib
import os
import re
import secrets
import shutil
import subprocess
from pathlib import Path
from string import Template
from typing import Final

from shared.embedded.errors import ChildFailedError, EmbeddedPartMissingError
from shared.embedded.part import Part
from shared.embedded.processes import Child, Port, environment, free_port, tail
from shared.embedded.readiness import LOOPBACK, kafka_answers

_ROOT: Final = Path(__file__).resolve().parents[2]
_DEPLOY: Final = _ROOT / "deploy" / "kafka"
_CACHE: Final = _ROOT / ".fenghuo" / "kafka"
_OLDEST_JAVA: Final = 17
_FETCH_SECONDS: Final = 600
_FORMAT_SECONDS: Final = 60


def available() -> str | None:
    """None when Kafka can be started here, else the reason why not."""
    java = _java()
    if java is None:
        return "Java is not installed"
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(\d+)', said)
    if found is None or int(found[1]) < _OLDEST_JAVA:
        return f"Java {_OLDEST_JAVA} or newer is needed, {java} says: {said.splitlines()[0] if said else 'nothing'}"
    if _kept_class_path() is None and shutil.which("mvn") is None:
        return "Maven is not installed, and the jars were not fetched before"
    return None


class ApacheKafka(Part):
    """One broker with its data under the given directory; records survive stop, kill and restart."""

    def __init__(self, data_dir: Path, port: int) -> None:
        super().__init__()
        self.data_dir = data_dir.absolute()
        self.port = port
        self.bootstrap = f"{LOOPBACK}:{port}"
        self.log_file = self.data_dir / "kafka.log"
        self._controller_port = free_port()
        self._properties = self.data_dir / "server.properties"

    def child(self) -> Child:
        """The server; its storage is formatted before its first start. Raises EmbeddedPartMissingError with why."""
        reason = available()
        if reason is not None:
            raise EmbeddedPartMissingError(f"Apache Kafka cannot be started: {reason}.")
        return Child(
            name="kafka",
            argv=(*_java_command("-Xms256m", "-Xmx512m"), "kafka.Kafka", str(self._properties)),
            ready=lambda: kafka_answers(self.port),
            cwd=self.data_dir,
            log_file=self.log_file,
            ports=(Port(self.port), Port(self._controller_port)),
            before_start=self._prepare,
            ready_within=90,
            stop_within=30,
        )

    def _prepare(self) -> None:
        self.data_dir.mkdir(parents=True, exist_ok=True)
        if not self._properties.exists():
            self._format()

    def _format(self) -> None:
        template = Template((_DEPLOY / "server.properties.template").read_text(encoding="utf-8"))
        values = {"port": self.port, "controller_port": self._controller_port, "data": self.data_dir / "data"}
        text = template.substitute({name: str(value) for name, value in values.items()})
        unfinished = self.data_dir / "server.properties.unfinished"
        unfinished.write_text(text, encoding="utf-8")
        # A cluster id is a UUID in Kafka's spelling: 16 bytes, base64 for URLs, without padding.
        cluster = base64.urlsafe_b64encode(b"\x01" + secrets.token_bytes(15)).decode().rstrip("=")
        tool = ("kafka.tools.StorageTool", "format", "--ignore-formatted", "-t", cluster, "-c", str(unfinished))
        with self.log_file.open("ab") as log:
            result = subprocess.run(
                [*_java_command("-Xmx256m"), *tool],
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment({}),
                timeout=_FORMAT_SECONDS,
                check=False,
            )
        if result.returncode != 0:
            raise ChildFailedError("kafka", "could not format its storage", tail(self.log_file))
        unfinished.rename(self._properties)


def _java() -> str | None:
    home = os.environ.get("JAVA_HOME")
    if home and (Path(home) / "bin" / "java").exists():
        return str(Path(home) / "bin" / "java")
    return shutil.which("java")


def _java_command(*heap: str) -> tuple[str, ...]:
    java = _java()
    if java is None:
        raise EmbeddedPartMissingError("Java is not installed.")
    return (
        java,
        *heap,
        # Short lives: a small collector and the quick compiler start in half the time.
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-Djava.awt.headless=true",
        f"-Dlog4j2.configurationFile={_DEPLOY / 'log4j2.properties'}",
        "-cp",
        _class_path(),
    )


def _kept_file() -> Path:
    digest = hashlib.sha256((_DEPLOY / "pom.xml").read_bytes()).hexdigest()[:16]
    return _CACHE / f"classpath-{digest}.txt"


def _kept_class_path() -> str | None:
    """The class path resolved earlier for this very pom, unless a jar has gone since."""
    kept = _kept_file()
    if not kept.exists():
        return None
    path = kept.read_text(encoding="utf-8").strip()
    return path if path and all(Path(jar).exists() for jar in path.split(os.pathsep)) else None


def _class_path() -> str:
    kept = _kept_class_path()
    if kept is not None:
        return kept
    _CACHE.mkdir(parents=True, exist_ok=True)
    # Parallel test processes wait for the first instead of fetching the same jars.
    with (_CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _kept_class_path() or _resolve()


def _resolve() -> str:
    target = _kept_file()
    unfinished = target.with_suffix(".unfinished")
    maven = ("mvn", "-q", "-B", "-f", str(_DEPLOY / "pom.xml"))
    goal = ("dependency:build-classpath", f"-Dmdep.outputFile={unfinished}")
    said = ""
    # Without the network first: jars that are there already need none.
    for mode in (("-o",), ()):
        result = subprocess.run(
            [*maven, *mode, *goal], capture_output=True, text=True, timeout=_FETCH_SECONDS, check=False
        )
        if result.returncode == 0:
            unfinished.rename(target)
            path = _kept_class_path()
            if path is not None:
                return path
        said = result.stdout + result.stderr
    raise EmbeddedPartMissingError(f"Maven could not fetch Apache Kafka: {' '.join(said.split())[:500]}")
