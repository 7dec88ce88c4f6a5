"""Idempotency keys on both stores: one effect and one answer, by several at once, after a kill, for a day."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from hub.store import access
from hub.store.access import Principal
from hub.store.access_tables import answered
from hub.store.engine import reading, writing
from hub.web.app import create_app
from hub.wiring import Hub
from tests.conftest import FixedClock
from tests.worlds import account, deliver

SET = """mutation($reason: String!) { setValue(key: "crm:account:1", field: "industry", value: "\\"food\\"", reason: $reason)
    { decision userErrors { code } } }"""
ISSUE = 'mutation { issueApiKey(name: "x", role: "reader") { key } }'


@pytest.fixture
def key(hub: Hub) -> str:
    deliver(hub, [account("crm", "1", name="Acorn Ltd")])
    return key_of(hub, "admin")


def key_of(hub: Hub, name: str) -> str:
    with writing(hub.engine) as connection:
        return access.issue(connection, Principal(name, "admin"), hub.clock())


def send(hub: Hub, key: str, query: str, once: str | None, app: Flask | None = None, **variables: Any) -> TestResponse:
    headers = {"Authorization": f"Bearer {key}"} | ({"Idempotency-Key": once} if once else {})
    body = {"query": query, "variables": variables}
    return (app or create_app(hub)).test_client().post("/graphql", json=body, headers=headers)


def decisions(hub: Hub) -> int:
    with reading(hub.engine) as connection:
        return int(connection.execute(sa.text("select count(*) from decision")).scalar_one())


@pytest.mark.promise("A-16")
def test_same_request_is_done_once_and_answered_alike(hub: Hub, key: str) -> None:
    first = send(hub, key, SET, '"one"', reason="told so")
    again = send(hub, key, SET, "one", reason="told so")
    assert first.get_json()["data"]["setValue"]["decision"]
    assert (again.status_code, again.data, again.content_type) == (200, first.data, first.content_type)
    assert (first.headers.get("Idempotency-Replayed"), again.headers["Idempotency-Replayed"]) == (None, "true")
    other = send(hub, key, SET, "one", reason="something else")
    assert (other.status_code, other.get_json()["error"]["code"]) == (422, "HUB-4222")
    assert decisions(hub) == 1
    assert send(hub, key_of(hub, "another"), SET, "one", reason="told so").data != first.data
    assert decisions(hub) == 2
    assert send(hub, key, SET, "x" * 256, reason="told so").status_code == 400


@pytest.mark.promise("A-70")
def test_many_at_once_have_one_effect_each(hub: Hub, key: str) -> None:
    app, asked = create_app(hub), [(f"key {n % 6}", f"told so {n % 6}") for n in range(30)]
    with ThreadPoolExecutor(5) as pool:
        replies = list(pool.map(lambda one: send(hub, key, SET, f'"{one[0]}"', app, reason=one[1]), asked))
    assert {reply.status_code for reply in replies} <= {200, 409}
    assert decisions(hub) == 6
    again = {send(hub, key, SET, f'"{name}"', reason=reason).data for name, reason in asked}
    assert again == {reply.data for reply in replies if reply.status_code == 200}


def test_answer_is_kept_for_a_day_and_no_secret_lies_open(hub: Hub, key: str, clock: FixedClock) -> None:
    made = send(hub, key, ISSUE, "one").get_json()["data"]["issueApiKey"]["key"]
    with reading(hub.engine) as connection:
        (kept,) = connection.execute(sa.select(answered.c.body)).scalars()
    assert made.encode() not in kept
    clock.move(hours=23)
    assert send(hub, key, ISSUE, "one").get_json()["data"]["issueApiKey"]["key"] == made
    clock.move(hours=1)
    assert send(hub, key, ISSUE, "one").get_json()["data"]["issueApiKey"]["key"] != made


CUT = """
import os, sys
import sqlalchemy as sa
from flask import Flask
from hub.settings import Settings
from hub.wiring import Hub
from tests.conftest import FixedClock
from tests.integration.test_once import SET, send
hub = Hub(Settings(dir=sys.argv[1], database_url=sys.argv[2]), FixedClock())
@sa.event.listens_for(hub.engine, "before_cursor_execute")
def cut(_c, _k, statement, *_rest):
    if statement.startswith(f"UPDATE answered SET {sys.argv[4]}"):
        os._exit(9)
send(hub, sys.argv[3], SET, "one", reason="told so")
"""


@pytest.mark.promise("A-16")
@pytest.mark.parametrize(("at", "effects"), [("lease_until=", 0), ("status=", 1)])
def test_request_that_was_cut_off_has_at_most_one_effect(
    hub: Hub, key: str, clock: FixedClock, at: str, effects: int
) -> None:
    where = [str(hub.settings.dir), hub.settings.url]
    assert subprocess.run([sys.executable, "-c", CUT, *where, key, at], check=False).returncode == 9
    assert decisions(hub) == effects
    running = send(hub, key, SET, "one", reason="told so")
    assert (running.status_code, running.get_json()["error"]["code"]) == (409, "HUB-4223")
    clock.move(minutes=2)
    reply = send(hub, key, SET, "one", reason="told so")
    if effects:
        assert (reply.status_code, reply.get_json()["error"]["code"]) == (409, "HUB-4224")
    else:
        assert reply.get_json()["data"]["setValue"]["decision"]
    assert decisions(hub) == 1


def test_run_that_was_taken_over_commits_nothing(hub: Hub, key: str, clock: FixedClock) -> None:
    from hub.errors import Conflict
    from hub.store import once
    from hub.store.once import Asked

    slow, fast = (Asked("key x", "one", b"1" * 32, str(uuid4())) for _ in range(2))
    with writing(hub.engine) as connection:
        assert once.begin(connection, slow, clock()) is None
    clock.move(minutes=2)
    with writing(hub.engine) as connection:
        assert once.begin(connection, fast, clock()) is None
    with writing(hub.engine) as connection, pytest.raises(Conflict):
        once.step(connection, slow, clock())


def test_delivery_is_taken_in_once(hub: Hub, key: str) -> None:
    body = json.dumps({"id": "0018W00002AAAAA", "attributes": {"type": "Account"}, "Name": "Acorn Ltd"})
    client = create_app(hub).test_client()
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "one"}
    first, again = (client.post("/ingest/crm", data=body, headers=headers) for _ in range(2))
    assert first.get_json()["payloads"] == 1
    assert again.data == first.data
    assert client.post("/ingest/crm", data=body + "\n\n", headers=headers).status_code == 422
