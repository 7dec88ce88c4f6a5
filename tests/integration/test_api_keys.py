"""API keys on both stores: scope, expiry, rotation with overlap, last use, and who may see and issue them."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from flask.testing import FlaskClient

from hub.cli.keyring import keys
from hub.errors import Conflict, InvalidRequest, NotFound
from hub.store import access, audit
from hub.store.access import Principal
from hub.store.allowance import COST, RATE, Limits
from hub.store.engine import reading, writing
from hub.store.sight import Sight
from hub.web.app import create_app
from hub.wiring import Hub
from tests.conftest import FixedClock

NARROW = Sight.of(["account", "invoice"], ["personal"])


def issued(hub: Hub, role: str = "reader", sight: Sight = NARROW, **more: object) -> str:
    with writing(hub.engine) as connection:
        return access.grant(connection, Principal("shop", role, sight), "ada", hub.clock(), **more)  # type: ignore[arg-type]


def recognised(hub: Hub, key: str) -> Principal | None:
    with reading(hub.engine) as connection:
        return access.recognise(connection, key, hub.clock())


def ask(client: FlaskClient, key: str, query: str) -> dict[str, object]:
    reply = client.post("/graphql", json={"query": query}, headers={"Authorization": f"Bearer {key}"})
    answer: dict[str, object] = reply.get_json()
    return answer


@pytest.mark.promise("A-14")
def test_key_keeps_its_scope_and_ends_at_its_time(hub: Hub, clock: FixedClock) -> None:
    key = issued(hub, expires_at=clock() + timedelta(days=1))
    assert recognised(hub, key) == Principal("shop", "reader", NARROW, key.split("_")[1])
    clock.move(days=1)
    assert recognised(hub, key) is None
    with pytest.raises(InvalidRequest, match="is over"):
        issued(hub, expires_at=clock())


@pytest.mark.promise("A-14")
def test_rotated_key_holds_beside_its_heir_until_the_overlap_is_over(hub: Hub, clock: FixedClock) -> None:
    old = issued(hub)
    id_ = old.split("_")[1]
    with writing(hub.engine) as connection:
        new = access.rotate(connection, id_, "ada", clock(), overlap=timedelta(hours=2))
    assert new != old
    clock.move(hours=1)
    assert (recognised(hub, old), recognised(hub, new)) == (
        Principal("shop", "reader", NARROW, id_),
        Principal("shop", "reader", NARROW, new.split("_")[1]),
    )
    with writing(hub.engine) as connection, pytest.raises(Conflict, match="rotated"):
        access.rotate(connection, id_, "ada", clock())
    clock.move(hours=1)
    assert recognised(hub, old) is None
    assert recognised(hub, new) is not None
    with reading(hub.engine) as connection:
        states = {row["id"]: row["state"] for row in access.every(connection, clock())}
        assert states == {id_: "expired", new.split("_")[1]: "valid"}
        assert audit.verify(connection) is None
    with writing(hub.engine) as connection, pytest.raises(NotFound):
        access.rotate(connection, "none", "ada", clock())


def test_last_use_is_written_at_most_once_a_minute(hub: Hub, clock: FixedClock) -> None:
    key, written = issued(hub, sight=Sight()), []
    client = create_app(hub).test_client()

    def note(_c: object, _k: object, statement: str, *_rest: object) -> None:
        if statement.lower().startswith("update api_key"):
            written.append(statement)

    sa.event.listen(hub.engine, "before_cursor_execute", note)
    for _ in range(5):
        ask(client, key, "{ __typename }")
        clock.move(seconds=10)
    assert len(written) == 1
    clock.move(seconds=10)
    ask(client, key, "{ __typename }")
    assert len(written) == 2
    with reading(hub.engine) as connection:
        assert access.every(connection, clock())[0]["last_used_at"] == clock()


@pytest.mark.promise("A-14")
def test_admin_issues_lists_rotates_and_revokes_over_the_api(hub: Hub) -> None:
    admin, client = issued(hub, "admin", Sight()), create_app(hub).test_client()
    made = ask(client, admin, """mutation { issueApiKey(name: "bi", role: "reader", entities: ["account"],
        hidden: ["money"], expiresAt: "2030-01-01") { key userErrors { code } } }""")  # fmt: skip
    key: str = made["data"]["issueApiKey"]["key"]  # type: ignore[index]
    assert recognised(hub, key) == Principal(
        "bi", "reader", Sight.of(["account"], ["money"]), key.split("_")[1], Limits(RATE, COST)
    )
    listed = ask(client, admin, "{ apiKeys { id name state entities hidden } }")["data"]["apiKeys"]  # type: ignore[index]
    told = {"id": key.split("_")[1], "name": "bi", "state": "valid", "entities": ["account"], "hidden": ["money"]}
    assert told in listed
    assert key.split("_", 2)[2] not in str(listed)
    rotate = f'mutation {{ rotateApiKey(id: "{told["id"]}", overlapHours: 0) {{ key userErrors {{ code }} }} }}'
    new: str = ask(client, admin, rotate)["data"]["rotateApiKey"]["key"]  # type: ignore[index]
    assert recognised(hub, key) is None
    revoke = f'mutation {{ revokeApiKey(id: "{new.split("_")[1]}") {{ done }} }}'
    assert ask(client, admin, revoke)["data"] == {"revokeApiKey": {"done": True}}
    assert recognised(hub, new) is None
    with reading(hub.engine) as connection:
        assert audit.verify(connection) is None


@pytest.mark.parametrize("role", [role for role in access.ROLES if role != "admin"])
def test_keys_are_shown_to_admins_alone(sqlite_hub: Hub, role: str) -> None:
    key, client = issued(sqlite_hub, role, Sight()), create_app(sqlite_hub).test_client()
    assert ask(client, key, "{ apiKeys { id } }")["errors"][0]["extensions"]["code"] == "HUB-4302"  # type: ignore[index]
    for act in ('issueApiKey(name: "x", role: "admin")', 'rotateApiKey(id: "x")', 'revokeApiKey(id: "x")'):
        answer = ask(client, key, f"mutation {{ a: {act} {{ userErrors {{ code }} }} }}")
        assert answer["data"] == {"a": {"userErrors": [{"code": "HUB-4302"}]}}


def test_commands_issue_list_rotate_and_revoke(sqlite_hub: Hub) -> None:
    at, run = ["--dir", str(sqlite_hub.settings.dir)], CliRunner().invoke
    key = run(keys, ["issue", "shop", "reader", "--entity", "account", "--hide", "personal", *at]).output.strip()
    id_ = key.split("_")[1]
    assert "personal" in run(keys, ["ls", *at]).output
    assert run(keys, ["rotate", id_, *at]).output.startswith("hub_")
    assert "revoked" in run(keys, ["revoke", id_, *at]).output
    assert recognised(sqlite_hub, key) is None
