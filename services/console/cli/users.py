"""Commands about the people who sign in to the console."""

import sys
from dataclasses import asdict
from typing import Annotated

import typer

from services.console.app.create_user import DEFAULT_ORG, Role, provision_user
from services.console.app.disable_user import disable_user
from services.console.app.end_sessions import end_sessions
from services.console.app.list_users import ListedUser, list_users
from services.console.cli.databases import Json, Url, database_address, with_database
from services.console.cli.output import OUT, named, print_json, table
from services.console.cli.wording import CommandError, say
from shared.db.engine import Database

app = typer.Typer(help="控制台用户 / people who sign in to the console", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="用户名 / name")]


@app.command()
def create(
    name: Name,
    role: Annotated[Role, typer.Option(help="viewer | operator | admin")] = Role.OPERATOR,
    org: Annotated[str, typer.Option(help="组织 / organisation")] = DEFAULT_ORG,
    database_url: Url = None,
) -> None:
    """建立用户或重设其密码与角色；密码从终端或标准输入读取 / create a person or reset password and role."""
    password = (
        typer.prompt(say("密码", "Password"), hide_input=True, confirmation_prompt=True)
        if sys.stdin.isatty()
        else sys.stdin.readline().rstrip("\r\n")
    )

    async def work(database: Database) -> None:
        await provision_user(database, name, password, role, org=org)

    try:
        with_database(database_address("console", database_url), work)
    except ValueError as error:
        raise CommandError(f"不能使用：{error}", f"Cannot be used: {error}", 2) from error
    OUT.print(say(f"{name} 可以登录了。", f"{name} can sign in."))


@app.command("list")
def show(database_url: Url = None, as_json: Json = False) -> None:  # noqa: FBT002  # a flag
    """用户、角色与登录数 / people, their roles and in how many places they are signed in."""

    async def work(database: Database) -> list[ListedUser]:
        return await list_users(database=database)

    found = with_database(database_address("console", database_url), work)
    if as_json:
        print_json({"users": [asdict(one) for one in found]})
        return
    rows = table(say("用户", "Name"), say("组织", "Organisation"), say("角色", "Role"), say("登录处", "Signed in"))
    for one in found:
        where = say("已停用", "disabled") if one.disabled else str(one.sessions)
        rows.add_row(one.name, one.org, named("role", one.role), where)
    OUT.print(rows)


@app.command()
def disable(name: Name, database_url: Url = None) -> None:
    """停用用户，其登录随即失效；历史中的名字保留 / let a person in no more and end their sessions."""

    async def work(database: Database) -> bool:
        return await disable_user(name, database=database)

    if not with_database(database_address("console", database_url), work):
        raise CommandError(f"没有可登录的用户 {name}。", f"There is nobody called {name} who may sign in.")
    OUT.print(say(f"{name} 已停用，所有登录已失效。", f"{name} is disabled and signed out everywhere."))


@app.command("sign-out")
def sign_out(name: Name, database_url: Url = None) -> None:
    """使其所有登录失效，可重新登录 / end every session of a person, who may sign in again."""

    async def work(database: Database) -> int:
        return await end_sessions(name, database=database)

    ended = with_database(database_address("console", database_url), work)
    OUT.print(say(f"{name}：{ended} 处登录已失效。", f"{name}: {ended} sessions ended."))
