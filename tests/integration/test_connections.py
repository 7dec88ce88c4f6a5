"""Connections to the two databases: the pool's after the server has hung up, and what a read sees."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from hub.store.engine import glancing, noting, reading, within, writing
from hub.wiring import Hub

ONE = sa.text("select 1")
ON_POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@ON_POSTGRESQL
def test_connections_that_the_server_has_ended_are_not_used_again(hub: Hub) -> None:
    other = sa.create_engine(hub.engine.url)
    for road in (reading, glancing, writing):
        with road(hub.engine) as connection:
            assert connection.execute(ONE).scalar() == 1
        with other.connect() as ending:
            gone = "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = current_database()"
            ended = ending.execute(sa.text(f"{gone} and pid <> pg_backend_pid()")).all()
        assert ended
        with road(hub.engine) as connection:
            assert connection.execute(ONE).scalar() == 1
    other.dispose()


def test_read_sees_one_state_whatever_is_written_meanwhile(hub: Hub) -> None:
    count = sa.text("select count(*) from schedule")
    with reading(hub.engine) as connection:
        before = connection.execute(count).scalar()
        with writing(hub.engine) as other:
            other.execute(sa.text("delete from schedule"))
        assert connection.execute(count).scalar() == before
    with glancing(hub.engine) as connection:
        assert connection.execute(count).scalar() == 0


def test_note_stays_although_what_comes_after_it_fails(hub: Hub) -> None:
    with pytest.raises(ZeroDivisionError):
        _note_and_fail(hub)
    with noting(hub.beside) as connection:
        assert connection.execute(sa.text("select count(*) from allowance")).scalar() == 1


@ON_POSTGRESQL
def test_read_within_a_time_tells_the_server_and_the_next_one_is_free_of_it(hub: Hub) -> None:
    shown = sa.text("select current_setting('statement_timeout'), current_setting('transaction_isolation')")
    with within(60), reading(hub.engine) as connection:
        limit, isolation = connection.execute(shown).one()
    assert (limit in ("1min", "60s") or limit.endswith("ms"), isolation) == (True, "repeatable read")
    with reading(hub.engine) as connection:
        assert connection.execute(shown).one()[0] == "0"
    with writing(hub.engine) as connection:
        assert tuple(connection.execute(shown).one()) == ("0", "read committed")


def _note_and_fail(hub: Hub) -> None:
    with noting(hub.beside) as connection:
        connection.execute(sa.text("insert into allowance (caller, rate, cost) values ('somebody', 1, 1)"))
        raise ZeroDivisionError
