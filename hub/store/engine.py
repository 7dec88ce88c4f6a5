"""The two databases behind one engine: connections, transactions, and what differs between them.

SQLite: WAL, and BEGIN IMMEDIATE for whatever writes (its default lost 959 of 12,600 updates without
an error when four processes wrote). PostgreSQL: READ COMMITTED and explicit locks in a fixed order.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial, wraps
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import make_url
from sqlalchemy.pool import ConnectionPoolEntry

from hub.errors import StoreUnavailable, TookTooLong

Connection = sa.Connection  # the two types by which the rest of the hub hands the store its transaction
Engine = sa.Engine
Among = Callable[[sa.ColumnElement[Any]], sa.ColumnElement[bool]]

_PRAGMAS = (
    "busy_timeout=30000", "journal_mode=wal", "synchronous=normal", "foreign_keys=on", "cache_size=-65536",
    "temp_store=memory", "mmap_size=268435456", "wal_autocheckpoint=4000",
)  # fmt: skip


def connect(url: str) -> sa.Engine:
    """An engine for a SQLite or PostgreSQL address. Nothing is opened yet."""
    address = make_url(url)
    if address.drivername in ("postgres", "postgresql"):
        address = address.set(drivername="postgresql+psycopg")
    engine = sa.create_engine(address, json_serializer=_dumps, json_deserializer=orjson.loads, hide_parameters=True)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
    else:
        sa.event.listen(engine, "checkout", partial(_require_alive, engine.dialect))
        sa.event.listen(engine, "begin", _begin_postgresql)
    return engine


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One transaction that writes; committed at the end, rolled back on any error."""
    with _reached(engine), engine.begin() as connection:
        acts: list[Callable[[sa.Connection], None]] = []
        connection.info[_LAST] = acts
        yield connection
        for act in (*acts, *_EACH.get()):
            act(connection)


@contextmanager
def noting(beside: sa.Engine) -> Iterator[sa.Connection]:
    """Notes (`hub.store.beside`), no part of what anybody does in the store; each statement stands by itself."""
    with _reached(beside), _bare(beside) as connection:
        yield connection


@contextmanager
def with_each(act: Callable[[sa.Connection], None]) -> Iterator[None]:
    """Have something written, last of all, in each transaction that is committed meanwhile in this thread."""
    token = _EACH.set((*_EACH.get(), act))
    try:
        yield
    finally:
        _EACH.reset(token)


def last_of_all(connection: sa.Connection, act: Callable[[sa.Connection], None]) -> None:
    """Have something written when everything else of the transaction is: what others would wait for otherwise."""
    connection.info[_LAST].append(act)


_LAST = "last of all"
_EACH: ContextVar[tuple[Callable[[sa.Connection], None], ...]] = ContextVar("with each", default=())


@contextmanager
def trying(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction that may write and of which nothing stays."""
    with _reached(engine), engine.connect() as connection, connection.begin() as transaction:
        connection.info[_LAST] = []
        yield connection
        transaction.rollback()


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One transaction that only reads: never waits for a writer, sees one state throughout."""
    options = {"readonly": True} | ({} if engine.dialect.name == "sqlite" else {"isolation_level": "AUTOCOMMIT"})
    with _reached(engine), engine.connect().execution_options(**options) as connection:
        _require_time()
        with connection.begin():
            yield connection


@contextmanager
def glancing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """For one statement that reads: it sees one state by itself, so that no transaction is begun and ended for it."""
    with _reached(engine), _bare(engine) as connection:
        yield connection


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Have what this thread reads meanwhile end after so many seconds, with TookTooLong."""
    token = _UNTIL.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _UNTIL.reset(token)


_UNTIL: ContextVar[float | None] = ContextVar("until", default=None)
_STEPS = 20_000  # of SQLite's machine between two looks at the clock: less than a millisecond


def among(connection: sa.Connection, column: sa.ColumnElement[Any], values: Sequence[Any]) -> sa.ColumnElement[bool]:
    """`column in values` with one parameter however many there are: one statement serves any batch."""
    if connection.dialect.name == "postgresql":
        return column == sa.func.any(sa.bindparam(None, list(values), type_=ARRAY(column.type)))
    listed = sa.func.json_each(sa.bindparam(None, _dumps(list(values)), type_=sa.Text())).table_valued("value")
    return column.in_(sa.select(listed.c.value))


def inserting(connection: sa.Connection, table: sa.Table) -> Any:
    """An INSERT that can say what to do where the row is there already (`on_conflict_…`), on either database."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def built_once(build: Callable[[sa.Connection], sa.Executable]) -> Callable[[sa.Connection], sa.Executable]:
    """What builds a statement that the two databases say differently, and builds it once for each."""
    made: dict[str, sa.Executable] = {}

    @wraps(build)
    def found(connection: sa.Connection) -> sa.Executable:
        name = connection.dialect.name
        if name not in made:
            made[name] = build(connection)
        return made[name]

    return found


class Prepared:
    """A statement about any number of values that is built once for each database.

    Building a small statement costs more than running it. `build` is given what says "among the values"
    of a column; other parameters are bound by name.
    """

    def __init__(self, build: Callable[[Among], sa.Executable]) -> None:
        """Keep the recipe."""
        self._build, self._made = build, dict[str, sa.Executable]()

    def __call__(self, connection: sa.Connection, values: Collection[Any], **more: Any) -> Any:
        """Run it for these values; the result of the statement."""
        name = connection.dialect.name
        if name not in self._made:
            self._made[name] = self._build(_among_any if name == "postgresql" else _among_listed)
        given = list(values) if name == "postgresql" else _dumps(list(values))
        return connection.execute(self._made[name], {"values": given, **more})


def _among_any(column: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    return column == sa.func.any(sa.bindparam("values", type_=ARRAY(column.type)))


def _among_listed(column: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    listed = sa.func.json_each(sa.bindparam("values", type_=sa.Text())).table_valued("value")
    return column.in_(sa.select(listed.c.value))


def _dumps(value: Any) -> str:
    return orjson.dumps(value).decode()


def _prepare_sqlite(connection: Any, _record: ConnectionPoolEntry) -> None:
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(f"pragma {pragma}")
    connection.set_progress_handler(_late, _STEPS)


def _late() -> bool:
    until = _UNTIL.get()
    return until is not None and time.monotonic() > until


@contextmanager
def _bare(engine: sa.Engine) -> Iterator[sa.Connection]:
    options = {"bare": True} if engine.dialect.name == "sqlite" else {"isolation_level": "AUTOCOMMIT"}
    with engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection


def _require_time() -> None:
    if _UNTIL.get() is not None and _late():
        raise TookTooLong("the query took longer than one may, and was ended.")


def _begin_sqlite(connection: sa.Connection) -> None:
    options = connection.get_execution_options()
    if not options.get("bare"):
        connection.exec_driver_sql("BEGIN" if options.get("readonly") else "BEGIN IMMEDIATE")


def _begin_postgresql(connection: sa.Connection) -> None:
    """Begin to read, and say how long it may take, in one message; psycopg takes two. It begins to write by itself."""
    if not connection.get_execution_options().get("readonly"):
        return
    until, said = _UNTIL.get(), "begin isolation level repeatable read"
    if until is not None:
        said += f"; set local statement_timeout = {1 + max(0, int((until - time.monotonic()) * 1000))}"
    driver: Any = connection.connection.driver_connection
    try:
        driver.execute(said, prepare=False)
    except connection.dialect.loaded_dbapi.OperationalError as error:
        connection.invalidate(error)
        raise sa.exc.OperationalError(said, None, error, connection_invalidated=True) from error


def _require_alive(dialect: sa.Dialect, driver: Any, _record: ConnectionPoolEntry, _held: object) -> None:
    """Let the pool connect anew when the server has hung up.

    A connection at rest has nothing to read unless the server has ended it, which is seen without asking the server.
    """
    try:
        if driver.closed or _readable(driver.fileno()):
            dialect.do_ping(driver)
    except dialect.loaded_dbapi.Error as error:
        raise sa.exc.InvalidatePoolError from error


def _readable(number: int) -> bool:
    if not hasattr(select, "poll"):  # Windows
        return bool(select.select([number], [], [], 0)[0])
    poll = select.poll()
    poll.register(number, select.POLLIN)
    return bool(poll.poll(0))


_ENDED = {"interrupted", "timeout"}  # how SQLite and PostgreSQL say that a statement was ended


@contextmanager
def _reached(engine: sa.Engine) -> Iterator[None]:
    try:
        yield
    except sa.exc.OperationalError as error:
        if _UNTIL.get() is not None and _ENDED & set(str(error.orig).split()):
            raise TookTooLong("the query took longer than one may, and was ended.") from error
        if error.connection_invalidated or "connection" in str(error.orig) or "unable to open" in str(error.orig):
            where = engine.url.render_as_string(hide_password=True)
            raise StoreUnavailable(f"the database {where} cannot be reached: {error.orig}") from error
        raise
