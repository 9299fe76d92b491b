"""Starts the whole line in the right order and keeps it running."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType

from aiokafka.errors import KafkaError
from pydantic import ValidationError

from services.console.cli.wording import say
from services.line.broker_memory import renew_broker_memory
from services.line.children import (
    SHARED_BY_SERVICES,
    Overrides,
    broker_of,
    kafka_environment,
    message_sink,
    postgres_of,
    service_children,
)
from services.line.layout import Layout
from services.line.recycling import recycle_broker_when_quiet
from services.line.secret_values import SecretValues, load_or_make
from shared.db.provision import DATABASE
from shared.embedded.errors import EmbeddedError
from shared.embedded.processes import preloaded
from shared.embedded.supervisor import ChildStatus, Supervisor, require_free_disk
from shared.kafka.settings import KafkaSettings
from shared.kafka.topic_admin import ensure_topics


@dataclass(frozen=True)
class RunningLine:
    """What a caller may use while the line runs."""

    layout: Layout
    values: SecretValues
    supervisor: Supervisor
    admin_url: str


@asynccontextmanager
async def whole_line(
    layout: Layout,
    *,
    overrides: Overrides | None = None,
    environment: Mapping[str, Mapping[str, str]] | None = None,
    tell: Callable[[str], None],
    on_state: Callable[[ChildStatus], None] | None = None,
) -> AsyncIterator[RunningLine]:
    """Every process started and ready; all of them ended when the block ends.

    Raises EmbeddedError with one clear sentence when a port is taken, the home cannot be used, its disk is full or a
    process does not start.
    """
    values = _home(layout)
    settings = _kafka_settings(layout)

    async def on_restart(name: str) -> None:
        if name == "broker":
            await ensure_topics(settings)

    def note(status: ChildStatus) -> None:
        _write_processes(layout, supervisor)
        if on_state is not None:
            on_state(status)

    supervisor = Supervisor(on_state=note, on_restart=on_restart)
    with preloaded(SHARED_BY_SERVICES):
        async with supervisor:
            # What makes tables takes as long to load as the servers to start: both at once.
            admin_url, provisioning = await asyncio.gather(
                _start_servers(layout, supervisor, tell), asyncio.to_thread(_provisioning)
            )
            urls, _ = await asyncio.gather(
                provisioning.prepare_database(admin_url, layout, values, tell), _topics(settings)
            )
            given = {**(overrides or {}), **layout.plan_overrides}
            provisioning.write_credentials(layout, values, urls, given)
            if layout.kafka is None:
                await renew_broker_memory(admin_url, DATABASE)
            tell(say("启动消息接收器和五个服务", "starting the message sink and the five services"))
            await supervisor.start(
                message_sink(layout, values),
                *service_children(layout, values, urls, given, environment or {}),
            )
            line = RunningLine(layout, values, supervisor, admin_url)
            recycling = asyncio.create_task(recycle_broker_when_quiet(line)) if layout.kafka is None else None
            try:
                yield line
            finally:
                if recycling is not None:
                    recycling.cancel()
                    await asyncio.gather(recycling, return_exceptions=True)


def _provisioning() -> ModuleType:
    return import_module("services.line.provisioning")


def _home(layout: Layout) -> SecretValues:
    """The directory of the installation, which can be written, with its secrets."""
    secrets = layout.home / "secrets.json"
    try:
        layout.home.mkdir(parents=True, exist_ok=True)
        require_free_disk(layout.home, "FENGHUO_HOME")
        return load_or_make(secrets)
    except OSError as error:
        what = error.strerror or type(error).__name__
        raise EmbeddedError(
            f"The directory {layout.home} cannot be used ({what}): set FENGHUO_HOME to one that can be written."
        ) from error
    except ValidationError as error:
        raise EmbeddedError(
            f"The file {secrets} is damaged: bring back a copy of it, or remove {layout.home} to begin anew without "
            "its data."
        ) from error


async def _start_servers(layout: Layout, supervisor: Supervisor, tell: Callable[[str], None]) -> str:
    """PostgreSQL and the broker, unless others were named; the administrator's address of the database."""
    postgres = postgres_of(layout)
    embedded = []
    if layout.database_url is None:
        embedded.append(postgres.child())
    if layout.kafka is None:
        embedded.append(broker_of(layout).child())
    if embedded:
        tell(say("启动 ", "starting ") + ", ".join(child.name for child in embedded))
        await supervisor.start(*embedded)
    return layout.database_url.get_secret_value() if layout.database_url is not None else postgres.url()


def _write_processes(layout: Layout, supervisor: Supervisor) -> None:
    running = {status.name: {"pid": status.pid, "state": status.state} for status in supervisor.status()}
    draft = layout.processes_file.with_suffix(".new")
    draft.write_text(json.dumps(running, indent=2), encoding="utf-8")
    draft.replace(layout.processes_file)


async def _topics(settings: KafkaSettings) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                await ensure_topics(settings)
            except (KafkaError, OSError):
                await asyncio.sleep(0.2)
            else:
                return


def _kafka_settings(layout: Layout) -> KafkaSettings:
    env = kafka_environment(layout)
    return KafkaSettings(
        bootstrap=env["FENGHUO_KAFKA"],
        topic_prefix=env.get("FENGHUO_KAFKA_TOPIC_PREFIX", ""),
        idempotence=layout.kafka is not None,
        partitions=int(env.get("FENGHUO_KAFKA_PARTITIONS", "6")),
    )
