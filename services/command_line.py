"""`fenghuo`: every command of the product, put together. The only module that knows all of them.

Commands of other rooms are mounted by name (`services.drill.cli.plans`, `services.line.cli`), and services are started
by name, so that this module imports no service's inside but the console's command line.
"""

import runpy
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Annotated, Any, Final, Literal

import typer
from rich.console import Console

from services.console.cli import cases, databases, dead_letters, roster
from services.console.cli.post import post
from services.console.cli.watch import watch
from services.console.cli.wording import CommandError, say, use_language

SERVICES: Final = ("intake", "classifier", "escalator", "notifier", "console")
_err: Final = Console(stderr=True, highlight=False)

app = typer.Typer(
    name="fenghuo",
    help="烽火：投诉与事件，及时告知对的人 / complaints and incidents: the right people told in time",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
service = typer.Typer(help="单个服务 / one service", no_args_is_help=True)


@app.callback()
def common(
    lang: Annotated[Literal["zh", "en"] | None, typer.Option("--lang", help="语言 / language")] = None,
) -> None:
    use_language(lang)


@service.callback()
def service_group() -> None:
    """单个服务 / one service."""


@service.command("run")
def run_service(
    name: Annotated[str, typer.Argument(help="intake | classifier | escalator | notifier | console")],
) -> None:
    """在前台运行一个服务 / run one service in the foreground, with settings from the environment."""
    if name not in SERVICES:
        raise CommandError(
            f"没有服务 {name}（有：{'、'.join(SERVICES)}）。", f"No service {name} ({', '.join(SERVICES)}).", 2
        )
    runpy.run_module(f"services.{name}.main", run_name="__main__")


def main() -> None:
    """Entry point of the script. Errors are one sentence on standard error and an exit code."""
    try:
        app()
    except CommandError as error:
        _err.print(str(error), style="red", markup=False, soft_wrap=True)
        sys.exit(error.code)


def _mount() -> None:
    app.command()(post)
    app.command()(watch)
    app.add_typer(cases.app, name="case")
    app.add_typer(dead_letters.app, name="dlq")
    app.add_typer(databases.outbox, name="outbox")
    app.add_typer(roster.app, name="roster")
    app.add_typer(databases.keys, name="keys")
    app.add_typer(databases.users, name="users")
    app.command()(databases.migrate)
    app.add_typer(service, name="service")
    _mount_module("services.drill.cli.plans", lambda room: app.add_typer(room.app, name="plans"))
    # `up` and `demo`: commands of the top level.
    _mount_module("services.line.cli", lambda room: app.registered_commands.extend(room.app.registered_commands))


def _mount_module(module: str, mount: Callable[[Any], None]) -> None:
    """Mount a room that an installation may lack."""
    try:
        present = find_spec(module) is not None
    except ModuleNotFoundError:
        present = False
    if present:
        mount(import_module(module))


_mount()

if __name__ == "__main__":
    main()

__all__ = ["app", "main", "say"]
