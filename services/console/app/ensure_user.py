"""Makes the first person who may sign in, at every start of an installation."""

from services.console.app.create_user import Role, provision_user
from services.console.app.verify_password import Passwords
from services.console.store.people import find_user
from shared.db.engine import Database


async def ensure_user(database: Database, name: str, password: str, role: Role, *, org: str) -> None:
    """The person exists with this password and role, unless somebody disabled them: then they stay so.

    Nothing is touched where it is so already: a restart signs nobody out. Raises ValueError as `provision_user`.
    """
    async with database.transaction() as tx:
        known = await find_user(tx, name)
    if known is not None:
        same = (known.org, known.role) == (org, role.value)
        if known.disabled_at is not None or (same and await Passwords().matches(known.password_hash, password)):
            return
    await provision_user(database, name, password, role, org=org)
