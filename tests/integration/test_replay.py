"""Replay: what stands is what sources, decisions, rules and publications make of it, and a changed byte shows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given

from canonical.ids import SourceKey
from hub.flow import publish, rejudge
from hub.flow.replay import verify
from hub.store.access import Principal
from hub.store.engine import reading, writing
from hub.store.overlay import DERIVED, overlay
from hub.store.tables import evidence, finding, golden, golden_version, link, match_key, metadata, record, task
from hub.wiring import Hub
from tests.property.test_laws import RELAXED, streams
from tests.worlds import account, deliver, empty, golden_of, invoice

MIA = Principal("mia", "steward")


@pytest.fixture
def world(hub: Hub) -> Hub:
    """Joins, a question, a decision, an override, a tombstone, a replaced key and a publication."""
    tax = {"tax": "GB980780684", "country": "GB", "email": "x@acorn.example"}
    deliver(hub, [account("crm", k, name="Acorn Foods Ltd", **tax) for k in "ab"])
    deliver(hub, [account("billing", k, name="Birch Brewing GmbH", email="b@birch.example") for k in "cd"])
    deliver(hub, [account("crm", "p", name="Oak Rail Ltd"), account("erp", "q", name="Oak Rail Limited", industry="R")])
    deliver(hub, [account("crm", "e", name="Elm"), account("crm", "f", name="Fir"), account("crm", "g", name="Gum")])
    deliver(hub, [account("crm", "e", name="Elm", at="2026-02-01", gone=True, replaced_by="f")])
    deliver(hub, [invoice("billing", "1", number="1", account="c", net="1.00", gross="1.20", currency="EUR")])
    hub.clock.move(days=1)  # type: ignore[attr-defined]
    _publish(hub)
    hub.clock.move(days=1)  # type: ignore[attr-defined]
    until = hub.clock() + timedelta(days=10)
    desk = hub.desk(MIA)
    desk.override(SourceKey("crm", "account", "g"), "industry", "Gums", reason="they said", until=until)
    desk.decide("different", SourceKey("crm", "account", "a"), SourceKey("crm", "account", "g"), "known")
    hub.clock.move(days=30)  # type: ignore[attr-defined]
    deliver(hub, [account("crm", "h", name="Oak Rail")])
    return hub


def _publish(hub: Hub) -> None:
    target = hub.target("erp")
    plan = publish.make_plan(hub.engine, target, "a", hub.clock())
    publish.approve(hub.engine, plan, None, "b", hub.clock())
    publish.apply(hub.engine, target, plan, hub.clock)


def test_replay_rebuilds_everything_and_writes_nothing(world: Hub) -> None:
    before = _rows(world)
    proof = verify(world.engine)
    assert proof.first == []
    assert (proof.records, proof.golden > 4, proof.tasks > 0) == (11, True, True)
    assert _rows(world) == before


def test_replay_in_pages_of_two_finds_the_same(world: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = verify(world.engine)
    monkeypatch.setattr(rejudge, "PAGE", 2)
    paged = verify(world.engine)
    assert paged.first == []
    assert (paged.records, paged.golden, paged.tasks) == (whole.records, whole.golden, whole.tasks)


def _change(hub: Hub, table: sa.Table, **values: Any) -> None:
    """Change one row of a table behind the hub's back."""
    with writing(hub.engine) as connection:
        key = list(table.primary_key)
        query = sa.select(*key).order_by(*key).limit(1)
        if table is link:
            query = query.where(link.c.until.is_(None))
        if table is task:
            query = query.where(task.c.state == "open")
        if table in (golden, golden_version):
            held = golden_of(hub, "crm:account:a")["id"]
            query = query.where((table.c.id if table is golden else table.c.golden_id) == held)
        one = connection.execute(query).one()
        connection.execute(sa.update(table).where(*(c == v for c, v in zip(key, one, strict=True))).values(values))


@pytest.mark.parametrize(
    ("table", "values", "field"),
    [
        (golden_version, {"values": {"legal_name": "Acorn Foods Lfd"}}, "values."),
        (golden_version, {"provenance": {}}, "provenance."),
        (golden, {"content_hash": bytes(16)}, "content hash"),
        (golden, {"label": "Somebody"}, "label"),
        (task, {"reason": "because"}, "task reason"),
        (task, {"state": "closed"}, "task"),
        (record, {"status": "failed"}, "status"),
        (evidence, {"score": 99.0}, "row"),
        (match_key, {"key": 1}, "row"),
    ],
)
def test_replay_names_what_was_changed(world: Hub, table: sa.Table, values: dict[str, Any], field: str) -> None:
    _change(world, table, **values)
    proof = verify(world.engine)
    assert proof.differences >= 1
    assert any(one.field.startswith(field) for one in proof.first), proof.first


def test_replay_names_golden_id_field_stored_and_rebuilt(world: Hub) -> None:
    row = golden_of(world, "crm:account:a")
    _change(world, golden_version, values=dict(row["values"]) | {"legal_name": "Acorn Foods Lfd"})
    first = verify(world.engine, ["account"]).first[0]
    assert (first.subject, first.field) == (row["id"], "values.legal_name")
    assert (first.stored, first.rebuilt) == ("Acorn Foods Lfd", "Acorn Foods Ltd")


def test_replay_finds_a_finding_that_nothing_gives(world: Hub) -> None:
    held = golden_of(world, "crm:account:a")["id"]
    with writing(world.engine) as connection:
        row = {"golden_id": held, "code": "HUB-3501", "severity": "error", "message": "made up"}
        connection.execute(sa.insert(finding).values(row))
    assert [(one.subject, one.field) for one in verify(world.engine).first] == [(held, "findings")]


def test_replay_finds_a_link_that_was_moved(world: Hub) -> None:
    other = golden_of(world, "crm:account:g")["id"]
    with writing(world.engine) as connection:
        moved = link.c.record_id == SourceKey("crm", "account", "a").record_id
        connection.execute(sa.update(link).where(moved, link.c.until.is_(None)).values(golden_id=other))
    assert verify(world.engine).differences > 0


def test_replay_judges_with_the_time_of_the_decision(world: Hub) -> None:
    """The override has lapsed since, and nobody has looked again: what stands is what was believed then."""
    assert golden_of(world, "crm:account:g")["values"]["industry"] == "Gums"
    assert verify(world.engine).differences == 0


def test_replay_judges_with_what_had_been_sent_by_then(hub: Hub) -> None:
    """What the target has got since is no longer what it says, and was when the record was judged."""
    tax = {"tax": "GB980780684", "country": "GB"}
    deliver(hub, [account("crm", "a", name="Acorn Foods Ltd", **tax)])
    _publish(hub)
    hub.clock.move(hours=1)  # type: ignore[attr-defined]
    held = golden_of(hub, "crm:account:a")["id"]
    deliver(hub, [account("erp", held, name="Acorn Foods Ltd", industry="Food", **tax)])
    assert golden_of(hub, f"erp:account:{held}")["id"] == held
    assert "echo" in str(golden_of(hub, "crm:account:a")["provenance"])
    hub.clock.move(hours=1)  # type: ignore[attr-defined]
    deliver(hub, [account("crm", "a", name="Acorn Foods PLC", at="2026-02-01T00:00:00Z", **tax)])
    hub.clock.move(hours=1)  # type: ignore[attr-defined]
    _publish(hub)
    assert verify(hub.engine).first == []


def test_overlay_writes_nothing_but_its_own(world: Hub) -> None:
    with overlay(world.engine) as connection, pytest.raises(sa.exc.DBAPIError):
        connection.execute(sa.update(record).values(status="failed"))
    with overlay(world.engine) as connection:
        for table in DERIVED:
            connection.execute(sa.delete(table))
    assert verify(world.engine).differences == 0


def test_replay_asks_no_more_of_the_store_for_more_records(world: Hub) -> None:
    def statements() -> int:
        count = 0

        def counted(*_: object) -> None:
            nonlocal count
            count += 1

        sa.event.listen(world.engine, "before_cursor_execute", counted)
        verify(world.engine, ["account"])
        sa.event.remove(world.engine, "before_cursor_execute", counted)
        return count

    few = statements()
    deliver(world, [account("shop", str(n), name=f"Company {n * 7919}") for n in range(60)])
    assert statements() == few


@given(stream=streams())
@RELAXED
def test_replay_of_any_stream_is_exact(hub: Hub, stream: list[dict[str, Any]]) -> None:
    empty(hub)
    for one in range(0, len(stream), 3):
        deliver(hub, stream[one : one + 3])
    assert verify(hub.engine, ["account"]).first == []


def _rows(hub: Hub) -> dict[str, list[Any]]:
    with reading(hub.engine) as connection:
        return {t.name: sorted(map(repr, connection.execute(sa.select(t)))) for t in metadata.sorted_tables}
