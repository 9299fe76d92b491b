"""Makes a person who may sign in, or gives an existing one a new password and role."""

from services.console.app.verify_password import Passwords
from services.console.domain.accounts import Role, name_problem, password_problem
from services.console.store.people import save_user
from services.console.store.sessions import delete_sessions_of
from shared.db.engine import Database

DEFAULT_ORG = "demo"


async def provision_user(
    database: Database, name: str, password: str, role: Role | str, *, org: str = DEFAULT_ORG
) -> None:
    """Safe to run again. Sessions the person had end. Raises ValueError naming what cannot be used."""
    problem = name_problem(name) or password_problem(password)
    if problem is not None:
        raise ValueError(problem)
    hashed = await Passwords().hash(password)
    async with database.transaction() as tx:
        await save_user(tx, name=name, org=org, password_hash=hashed, role=Role(role).value)
        await delete_sessions_of(tx, name)


__all__ = ["DEFAULT_ORG", "Role", "provision_user"]
