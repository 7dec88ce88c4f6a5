"""The feed of changes on both stores: complete, in order, resumable, and honest about a cursor that it never told."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from hub.errors import CursorUnknown
from hub.store import access, changes
from hub.store.access import Principal
from hub.store.engine import reading, writing
from hub.web.app import create_app
from hub.web.graphql.schema import build
from hub.wiring import Hub
from tests.worlds import account, deliver, golden_of

SCHEMA = build()
TAX = {"tax": "GB980780684", "country": "GB"}


def told(hub: Hub, since: str = changes.START, most: int = 1000) -> list[tuple[str, str, int]]:
    with reading(hub.engine) as connection:
        return [(row["golden_id"], row["kind"], row["version"]) for row in changes.after(connection, since, most).rows]


@pytest.mark.promise("A-24")
def test_every_change_is_told_once_in_its_order(hub: Hub) -> None:
    deliver(hub, [account("crm", "a", name="Acorn Ltd"), account("billing", "b", name="Birch AG")])
    a, b = (golden_of(hub, key)["id"] for key in ("crm:account:a", "billing:account:b"))
    with reading(hub.engine) as connection:
        seen = changes.last(connection)
    assert sorted(told(hub)) == sorted([(a, "created", 1), (b, "created", 1)])
    deliver(hub, [account("crm", "a", name="Acorn PLC", at="2026-02-01T00:00:00Z", **TAX)])
    deliver(hub, [account("billing", "b", name="Acorn PLC", at="2026-02-01T00:00:00Z", **TAX)])
    deliver(hub, [account("crm", key, gone=True, at="2026-03-01T00:00:00Z") for key in ("a",)])
    heir = golden_of(hub, "billing:account:b")["id"]
    (other,) = {a, b} - {heir}
    kinds = [(kind, golden) for golden, kind, _ in told(hub, seen)]
    assert ("updated", a) in kinds
    assert kinds.count(("merged", other)) == 1
    assert not told(hub, _last(hub))


def test_pages_go_on_where_they_ended(hub: Hub) -> None:
    deliver(hub, [account("crm", str(n), name=f"Company {'abcdefghij'[n] * 6}") for n in range(10)])
    cursor, found = changes.START, []
    with reading(hub.engine) as connection:
        while True:
            page = changes.after(connection, cursor, 3)
            found += [row["golden_id"] for row in page.rows]
            cursor = page.cursor
            if not page.more:
                break
    assert len(found) == len(set(found)) == 10


@pytest.mark.parametrize("cursor", ["999999", "nonsense", "", "01"])
def test_cursor_that_was_never_told_is_an_error(hub: Hub, cursor: str) -> None:
    deliver(hub, [account("crm", "a", name="Acorn Ltd")])
    with pytest.raises(CursorUnknown), reading(hub.engine) as connection:
        changes.after(connection, cursor, 10)


def test_whoever_ends_last_is_told_last_however_early_it_began(hub: Hub) -> None:
    """A transaction that began first and ends last: nobody may see what comes after it before it."""
    if hub.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer at a time, so nobody can be overtaken")
    begun, go = threading.Event(), threading.Event()

    def slow() -> None:
        with writing(hub.engine) as connection:
            changes.note(connection, [("account", "acc_SLOW", 1, "created", None, hub.clock())])
            begun.set()
            go.wait(30)

    writer = threading.Thread(target=slow)
    writer.start()
    begun.wait(30)
    with writing(hub.engine) as connection:
        changes.note(connection, [("account", "acc_FAST", 1, "created", None, hub.clock())])
    seen = _last(hub)
    assert [golden for golden, _, _ in told(hub)] == ["acc_FAST"]
    go.set()
    writer.join()
    assert [golden for golden, _, _ in told(hub, seen)] == ["acc_SLOW"]


def test_feed_over_graphql_and_as_events(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    deliver(hub, [account("crm", "a", name="Acorn Ltd"), account("crm", "b", name="Birch AG")])

    def ask(query: str) -> Any:
        found = SCHEMA.execute(query, context={"hub": hub, "principal": Principal("r", "reader")})
        assert found.errors is None, found.errors
        return found.data

    page = ask("{ changes(first: 1) { nodes { golden kind version entity cursor } cursor more } }")["changes"]
    assert (page["more"], page["nodes"][0]["kind"], page["cursor"]) == (True, "created", page["nodes"][0]["cursor"])
    assert ask("{ changesCursor }")["changesCursor"] == _last(hub)
    with writing(hub.engine) as connection:
        key = access.issue(connection, Principal("r", "reader"), hub.clock())
    monkeypatch.setattr("hub.web.changes.LONGEST", 0.2)
    monkeypatch.setattr("hub.web.changes.PAUSE", 0.05)
    with create_app(hub).test_client() as client:
        headers = {"Authorization": f"Bearer {key}", "Last-Event-ID": page["cursor"]}
        text = client.get("/changes", headers=headers).get_data(as_text=True)
        events = [json.loads(line.removeprefix("data: ")) for line in text.splitlines() if line.startswith("data: ")]
        assert [one["golden"] for one in events] == [row[0] for row in told(hub, page["cursor"])]
        gone = client.get("/changes?since=999", headers={"Authorization": f"Bearer {key}"})
        assert (gone.status_code, gone.get_json()["error"]["code"]) == (410, "HUB-4404")
        assert client.get("/changes").status_code == 401


def test_what_was_tried_or_simulated_is_no_change(hub: Hub) -> None:
    deliver(hub, [account("crm", "a", name="Acorn Ltd")])
    before = _last(hub)
    from hub.flow.simulate import simulate
    from rules.ruleset import load, shipped

    simulate(hub.engine, load(shipped()["account"].text.replace("match: 9", "match: 8"), "d.yaml"), "ana", hub.clock())
    assert _last(hub) == before


def _last(hub: Hub) -> str:
    with reading(hub.engine) as connection:
        return changes.last(connection)
