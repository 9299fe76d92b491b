"""The connection pool of one service and the only way to open a transaction."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

import asyncpg
from sqlalchemy import AdaptedConnection, event
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from shared.db.outbox import OutboxRow, PendingRecords
from shared.db.tx import NotNewError, Tx
from shared.runtime.clock import Clock, SystemClock

_COMMAND_TIMEOUT_S: Final = 30.0
_CONNECT_TIMEOUT_S: Final = 5.0
_RETRIABLE_SQLSTATES: Final = frozenset({"40001", "40P01", "55P03", "57014"})
# Lost, no room, shutting down; and not let in, which whoever changes passwords or names puts right.
_CONNECTION_CLASSES: Final = ("08", "53", "57P", "28", "3D")
_ARRAYS: Final = "SELECT " + ", ".join(
    f"CAST(${number} AS {name}[])"
    for number, name in enumerate(
        (
            "uuid",
            "timestamptz",
            "bigint",
            "integer",
            "smallint",
            "boolean",
            "bytea",
            "double precision",
            "interval",
            "tid",
        ),
        1,
    )
)


DATABASE_ERRORS: Final[tuple[type[Exception], ...]] = (
    OSError,
    PoolTimeoutError,
    DBAPIError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
"""Everything a transaction may raise because of the database rather than of the code in it."""


OutboxListener = Callable[[Sequence[OutboxRow] | None], None]


class TransactionAbortedError(RuntimeError):
    """A statement failed, its error was swallowed, and so nothing could be committed."""


def is_transient(error: BaseException) -> bool:
    """True when the same statement may succeed later: connection lost or refused, deadlock, lock timeout."""
    # A connection that was lost in the middle of an answer knows its own state no more, and the driver says so.
    if isinstance(
        error, OSError | PoolTimeoutError | TimeoutError | asyncpg.InterfaceError | asyncpg.InternalClientError
    ):
        return True
    if isinstance(error, asyncpg.PostgresError):
        return _may_pass(error.sqlstate)
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated or isinstance(error, InterfaceError):
        return True
    state = str(getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None) or "")
    return _may_pass(state) if state else isinstance(error, OperationalError)


def _may_pass(state: str | None) -> bool:
    return bool(state) and (state in _RETRIABLE_SQLSTATES or str(state).startswith(_CONNECTION_CLASSES))


def create_engine(url: str, *, application: str, pool_size: int = 8) -> AsyncEngine:
    """An asyncpg engine: UTC session, statement timeout, no JIT (its start-up costs more than our queries).

    The connection used last is used next: few of them are warm at a time, and those have every statement prepared.
    A prepared statement keeps the plan made when its table (or today's partition) was empty, and then reading all of
    it looked cheapest: where an index serves, it is used from the first row on.
    """
    engine = create_async_engine(
        url.replace("postgresql://", "postgresql+asyncpg://", 1),
        pool_size=pool_size,
        max_overflow=4,
        pool_timeout=5,
        pool_pre_ping=False,
        pool_use_lifo=True,
        pool_recycle=1800,
        connect_args={
            "timeout": _CONNECT_TIMEOUT_S,
            "command_timeout": _COMMAND_TIMEOUT_S,
            "server_settings": {
                "application_name": application,
                "timezone": "UTC",
                "jit": "off",
                "enable_seqscan": "off",
            },
        },
    )
    event.listen(engine.sync_engine, "connect", _learn_types)
    return engine


def _learn_types(connection: AdaptedConnection, _: object) -> None:
    """The driver asks the catalog about each array type it meets, some milliseconds each: once, before any event."""
    connection.run_async(lambda driver: driver.prepare(_ARRAYS))


class Database:
    """One service's database."""

    def __init__(self, engine: AsyncEngine, *, clock: Clock | None = None) -> None:
        self.engine = engine
        self.clock = clock or SystemClock()
        self._listeners: list[OutboxListener] = []

    @classmethod
    def connect(cls, url: str, *, application: str, pool_size: int = 8, clock: Clock | None = None) -> "Database":
        """Connect lazily: the first transaction opens the first connection."""
        return cls(create_engine(url, application=application, pool_size=pool_size), clock=clock)

    def on_commit(self, listener: OutboxListener) -> None:
        """Call `listener` after each commit with outbox rows: with the rows, or with None when it has to read them."""
        self._listeners.append(listener)

    @asynccontextmanager
    async def opening(self) -> AsyncIterator[Tx]:
        """A transaction for what is expected to be new, such as the first event of a case: half the trips.

        What is read before the first write is read without a transaction, for there is nothing to hold. The inbox and
        all rows are written together at the end. Raises NotNewError, with nothing written, when a locking query found
        a row or a row that was to be new is there: then do the same in `transaction`.
        """
        try:
            async with self._transaction(opening=True) as tx:
                yield tx
        except asyncpg.UniqueViolationError as error:
            raise NotNewError(str(error)) from error

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Tx]:
        """A transaction that commits when the block ends and rolls back when it raises.

        What was added to `tx.outbox` is inserted in one statement just before the commit, so state and events are
        durable together or not at all. A block that reads nothing needs no BEGIN: its one statement is the transaction.
        """
        async with self._transaction(opening=False) as tx:
            yield tx

    @asynccontextmanager
    async def _transaction(self, *, opening: bool) -> AsyncIterator[Tx]:
        async with self.engine.connect() as connection:
            driver = await driver_connection(connection)
            tx = Tx(driver, PendingRecords(), self.clock.now(), opening=opening)
            try:
                yield tx
                recorded = await tx.write_rest()
                if tx.begun:
                    await _commit(driver)
            except BaseException:
                if tx.begun:
                    await tx.give_up()
                    await _abandon(connection, driver)
                raise
        for committed in tx.after_commit:
            committed()
        if recorded is None or recorded:
            for listener in self._listeners:
                listener(recorded)

    async def probe(self) -> str | None:
        """None when a trivial query answers; else why not. For readiness."""
        try:
            async with self.engine.connect() as connection:
                await (await driver_connection(connection)).execute("SELECT 1")
        except DATABASE_ERRORS as error:
            return f"PostgreSQL does not answer: {type(error).__name__}"
        return None

    async def close(self) -> None:
        await self.engine.dispose()


async def driver_connection(connection: AsyncConnection) -> asyncpg.Connection:
    """The driver's connection behind one of the pool."""
    driver = (await connection.get_raw_connection()).driver_connection
    assert isinstance(driver, asyncpg.Connection)  # noqa: S101  # the engine is created for asyncpg only
    if driver.is_closed():
        await connection.invalidate()
        driver = (await connection.get_raw_connection()).driver_connection
        assert isinstance(driver, asyncpg.Connection)  # noqa: S101  # as above
    return driver


async def _commit(driver: asyncpg.Connection) -> None:
    """PostgreSQL answers ROLLBACK when an error inside the transaction was swallowed."""
    if await driver.execute("COMMIT") != "COMMIT":
        raise TransactionAbortedError("the transaction was rolled back instead of committed")


async def _abandon(connection: AsyncConnection, driver: asyncpg.Connection) -> None:
    """Roll back; a connection that cannot even do that is not given back to the pool."""
    try:
        await driver.execute("ROLLBACK")
    except DATABASE_ERRORS:
        await connection.invalidate()
