"""Local accounts: right and wrong passwords, the pause after failed tries, sessions that end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from hub.errors import Conflict, InvalidRequest, NotAuthenticated, NotFound
from hub.store import people
from hub.store.access import Principal
from hub.store.engine import reading, writing
from hub.web.app import create_app
from hub.wiring import Hub

PASSWORD = "correct horse battery"  # noqa: S105
ANA = Principal("ana", "steward")


@pytest.fixture
def known(hub: Hub) -> Hub:
    with writing(hub.engine) as connection:
        people.add(connection, ANA, PASSWORD, "test", hub.clock())
    return hub


def sign_in(hub: Hub, password: str, name: str = "ana") -> Principal | None:
    with writing(hub.engine) as connection:
        return people.sign_in(connection, name, password, hub.clock())


def browse(hub: Hub, password: str) -> tuple[FlaskClient, Any]:
    client = create_app(hub).test_client()
    client.get("/login")
    with client.session_transaction() as session:
        token = session["token"]
    return client, client.post("/login/password", data={"token": token, "name": "ana", "password": password})


def test_password_is_kept_as_argon2_and_matches_itself_alone(known: Hub) -> None:
    assert sign_in(known, PASSWORD) == ANA
    assert sign_in(known, PASSWORD.upper()) is None
    assert sign_in(known, PASSWORD, "nobody") is None
    with reading(known.engine) as connection:
        stored = str(connection.exec_driver_sql("select password from person").scalar())
        assert "password" not in people.every(connection)[0]
    assert stored.startswith("$argon2id$")


def test_account_pauses_after_failed_tries_and_opens_again(known: Hub, clock: Any) -> None:
    assert [sign_in(known, "wrong wrong wrong") for _ in range(people.TRIES)] == [None] * people.TRIES
    assert sign_in(known, PASSWORD) is None, "even the right one has to wait"
    clock.move(minutes=16)
    assert sign_in(known, PASSWORD) == ANA


def test_account_that_cannot_be_is_refused(known: Hub) -> None:
    with writing(known.engine) as connection:
        with pytest.raises(Conflict):
            people.add(connection, ANA, PASSWORD, "test", known.clock())
        with pytest.raises(InvalidRequest, match="12 to 200"):
            people.add(connection, Principal("kim", "steward"), "short", "test", known.clock())
        with pytest.raises(InvalidRequest, match="no role"):
            people.add(connection, Principal("kim", "king"), PASSWORD, "test", known.clock())
        with pytest.raises(NotFound):
            people.disable(connection, "kim", "test", known.clock())


@pytest.mark.parametrize("ending", ["disable", "password", "idle", "twelve hours"])
def test_session_ends(known: Hub, clock: Any, ending: str) -> None:
    opened = known.clock()
    clock.move(minutes=30)
    now = known.clock()
    with writing(known.engine) as connection:
        assert people.still(connection, "ana", opened, now, now) == ANA
        if ending == "disable":
            people.disable(connection, "ana", "test", now)
        if ending == "password":
            people.change_password(connection, "ana", PASSWORD[::-1], "test", now)
    clock.move(minutes=61 if ending == "idle" else 1)
    if ending == "twelve hours":
        clock.move(hours=12)
    seen = now if ending == "idle" else known.clock() - timedelta(minutes=1)
    with reading(known.engine) as connection, pytest.raises(NotAuthenticated, match="over"):
        people.still(connection, "ana", opened, seen, known.clock())


def test_console_opens_with_a_password_and_closes_when_idle(known: Hub, clock: Any) -> None:
    client, answer = browse(known, PASSWORD)
    assert answer.status_code == 302
    assert "ana · steward" in client.get("/").text
    clock.move(minutes=50)
    assert client.get("/").status_code == 200
    clock.move(minutes=50)
    assert client.get("/").status_code == 200, "it was used in between"
    clock.move(minutes=70)
    assert client.get("/").status_code == 401
    assert browse(known, "wrong wrong wrong")[1].status_code == 401
