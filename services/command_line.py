"""`fenghuo`: every command of the product, put together. The only module that knows all of them.

Each command is loaded when it is asked for, by name: so a small command starts fast, no service's inside is imported
here, and a room that an installation lacks is simply not there.
"""

import runpy
import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Annotated, Any, Final, Literal

import typer
from rich.console import Console
from typer.core import TyperGroup
from typer.main import get_command, get_group

from services.console.cli.wording import CommandError, use_language

SERVICES: Final = ("intake", "classifier", "escalator", "notifier", "console")
# Command: the module and what in it holds the command (a Typer) or is it (a function).
_ROOMS: Final = {
    "up": ("services.line.cli", "up"),
    "demo": ("services.line.cli", "demo"),
    "post": ("services.console.cli.post", "post"),
    "watch": ("services.console.cli.watch", "watch"),
    "case": ("services.console.cli.cases", "app"),
    "plans": ("services.drill.cli.plans", "app"),
    "drill": ("services.drill.cli.drills", "drill"),
    "calendar": ("services.drill.cli.calendars", "app"),
    "clocks": ("services.drill.cli.clocks", "app"),
    "roster": ("services.drill.cli.rosters", "app"),
    "silences": ("services.console.cli.silences", "app"),
    "messages": ("services.drill.cli.messages", "app"),
    "dlq": ("services.console.cli.dead_letters", "app"),
    "outbox": ("services.console.cli.databases", "outbox"),
    "keys": ("services.console.cli.databases", "keys"),
    "users": ("services.console.cli.users", "app"),
    "migrate": ("services.console.cli.databases", "migrate"),
}
# What another room adds to a group of commands.
_ADDED: Final = {
    "clocks": {"explain": ("services.escalator.cli.clocks", "explain")},
    "plans": {"migrate": ("services.line.moves_cli", "migrate")},
}


class _Rooms(TyperGroup):
    """The commands of `_ROOMS` beside those of this module."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [*(name for name, (module, _) in _ROOMS.items() if _is_there(module)), *super().list_commands(ctx)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in _ROOMS:
            return super().get_command(ctx, cmd_name)
        module, attribute = _ROOMS[cmd_name]
        if not _is_there(module):
            return None
        found = getattr(import_module(module), attribute)
        if isinstance(found, typer.Typer):
            command: Any = get_group(found)
            for name, (room, function) in _ADDED.get(cmd_name, {}).items():
                if _is_there(room):
                    command.add_command(_alone(name, getattr(import_module(room), function)), name)
        else:
            command = _alone(cmd_name, found)
        command.name = cmd_name
        return command


def _alone(name: str, function: Any) -> Any:
    alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    alone.command(name)(function)
    return get_command(alone)


app = typer.Typer(
    name="fenghuo",
    cls=_Rooms,
    help="烽火：投诉与事件，及时告知对的人 / complaints and incidents: the right people told in time",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
service = typer.Typer(help="单个服务 / one service", no_args_is_help=True)
app.add_typer(service, name="service")


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
        Console(stderr=True, highlight=False).print(str(error), style="red", markup=False, soft_wrap=True)
        sys.exit(error.code)


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


if __name__ == "__main__":
    main()
