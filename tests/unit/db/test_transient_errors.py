"""Which errors of the database pass by themselves, or once somebody puts the server right."""

import asyncpg
import pytest
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from shared.db.engine import is_transient


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.InvalidPasswordError("password authentication failed"),
        asyncpg.InvalidAuthorizationSpecificationError("no entry in pg_hba.conf"),
        asyncpg.InvalidCatalogNameError("database does not exist"),
        asyncpg.CannotConnectNowError("the database system is starting up"),
        asyncpg.TooManyConnectionsError("too many clients"),
        asyncpg.DeadlockDetectedError("deadlock detected"),
        ConnectionRefusedError("refused"),
        PoolTimeoutError("no connection is free"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_passes_is_tried_again(error: Exception) -> None:
    assert is_transient(error)


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.UniqueViolationError("duplicate key"),
        asyncpg.UndefinedTableError("relation does not exist"),
        asyncpg.InsufficientPrivilegeError("permission denied"),
        ValueError("a mistake in our code"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_does_not_pass_is_not(error: Exception) -> None:
    assert not is_transient(error)
