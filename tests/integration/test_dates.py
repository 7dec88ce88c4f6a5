"""Time passes: what depends on a date is judged again on that date, once, and the audit log says so."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from canonical.ids import SourceKey
from hub import queries
from hub.flow.dates import follow
from hub.flow.promote import Will, promote
from hub.flow.replay import verify
from hub.flow.simulate import simulate
from hub.store import schedules
from hub.store.access import Principal
from hub.store.audit import verify as verify_chain
from hub.store.engine import reading, writing
from hub.store.tables import audit, golden_version, schedule
from hub.wiring import Hub
from hub.worker import Worker
from rules.ruleset import load, shipped
from tests.worlds import account, deliver, enforce, golden_of

MIA = Principal("mia", "steward")
KEY = SourceKey("crm", "account", "a")


@pytest.fixture
def world(hub: Hub) -> Hub:
    tax = {"tax": "GB980780684", "country": "GB"}
    deliver(hub, [
        account("crm", "a", name="Acme Ltd", industry="Rail", **tax),
        account("billing", "b", name="Acme Limited", industry="Road", **tax),
        account("crm", "c", name="Birch Brewing", industry="Beer"),
    ])  # fmt: skip
    return hub


def noted(hub: Hub) -> list[dict[str, Any]]:
    with reading(hub.engine) as connection:
        assert verify_chain(connection) is None
        rows = connection.execute(sa.select(audit).where(audit.c.action == "date").order_by(audit.c.id)).mappings()
        return [dict(row) for row in rows]


def versions(hub: Hub) -> int:
    with reading(hub.engine) as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(golden_version)).scalar_one())


def test_override_ends_on_its_date_without_any_delivery(world: Hub) -> None:
    until = world.clock() + timedelta(days=10)
    decision = world.desk(MIA).override(KEY, "industry", "Ships", reason="they said so", until=until)
    world.clock.move(days=9)  # type: ignore[attr-defined]
    assert follow(world.engine, world.clock()) == {}
    assert golden_of(world, str(KEY))["values"]["industry"] == "Ships"
    world.clock.move(days=1)  # type: ignore[attr-defined]
    assert follow(world.engine, world.clock()) == {"account": 1}
    held = golden_of(world, str(KEY))
    assert held["values"]["industry"] == "Rail"
    [entry] = noted(world)
    assert (entry["actor"], entry["subject"], entry["detail"]["golden"]) == ("time", "account", [held["id"]])
    ended = {"decision": decision, "golden": held["id"], "field": "industry"}
    assert entry["detail"]["overrides_ended"] == [ended]
    assert verify(world.engine).first == []


def test_owner_begins_on_its_date_for_every_record(world: Hub) -> None:
    day = (world.clock() + timedelta(days=5)).date().isoformat()
    row = f'  - {{fields: [industry], system: billing, from: {day}, why: "Billing takes the industries over."}}\n'
    text = shipped()["account"].text.replace("ownership:\n", "ownership:\n" + row)
    id_ = simulate(world.engine, load(text, "draft"), "kim", world.clock())
    promote(world.engine, "account", id_, Will("ben", "billing knows better"), world.clock())
    assert golden_of(world, str(KEY))["values"]["industry"] == "Rail"
    assert follow(world.engine, world.clock()) == {}
    world.clock.move(days=5)  # type: ignore[attr-defined]
    changed = follow(world.engine, world.clock())
    assert golden_of(world, str(KEY))["values"]["industry"] == "Road"
    assert changed["account"] >= 1
    assert noted(world)[0]["detail"]["owners_from"] == [day]
    assert verify(world.engine).first == []
    assert follow(world.engine, world.clock()) == {}


def test_followed_twice_nothing_happens_twice(world: Hub) -> None:
    until = world.clock() + timedelta(days=1)
    world.desk(MIA).override(KEY, "industry", "Ships", reason="they said so", until=until)
    world.clock.move(days=2)  # type: ignore[attr-defined]
    follow(world.engine, world.clock())
    before = versions(world)
    assert follow(world.engine, world.clock()) == {}
    assert (versions(world), len(noted(world))) == (before, 1)


def test_worker_follows_dates_by_its_schedule(world: Hub) -> None:
    until = world.clock() + timedelta(days=1)
    world.desk(MIA).override(KEY, "industry", "Ships", reason="they said so", until=until)
    world.clock.move(days=2)  # type: ignore[attr-defined]
    worker = Worker(world)
    assert worker.claim("dates", world.clock())
    worker.run("dates", world.clock())
    assert golden_of(world, str(KEY))["values"]["industry"] == "Rail"
    with reading(world.engine) as connection:
        [row] = schedules.firings(connection)
    assert (row["state"], row["outcome"]) == ("done", "1 account changed")


def test_prepare_leaves_a_schedule_that_somebody_paused(world: Hub) -> None:
    with writing(world.engine) as connection:
        connection.execute(sa.update(schedule).where(schedule.c.id == "dates").values(paused=True))
    world.prepare()
    with reading(world.engine) as connection:
        assert [row["paused"] for row in schedules.every(connection) if row["id"] == "dates"] == [True]


FADING = {
    "ownership": [],
    "survivorship": [
        {"id": "trust", "fields": ["*"], "take": "most_trusted", "why": "A word grows old.",
         "trust": {"crm": {"start": 90, "half_life_days": 30}, "billing": {"start": 60}}},
        {"id": "rest", "fields": ["*"], "take": "most_recent", "why": "What was said last stands otherwise."},
    ],
}  # fmt: skip


def test_trust_that_fades_changes_the_value_on_its_day_and_says_so(hub: Hub) -> None:
    enforce(hub, "account", FADING)
    tax = {"tax": "GB980780684", "country": "GB", "at": hub.clock().isoformat()}
    deliver(hub, [
        account("crm", "a", name="Acme Ltd", industry="Rail", **tax),
        account("billing", "b", name="Acme Ltd", industry="Road", **tax),
        account("crm", "c", name="Birch Brewing", industry="Beer"),
    ])  # fmt: skip
    assert golden_of(hub, str(KEY))["values"]["industry"] == "Rail"
    hub.clock.move(days=15)  # type: ignore[attr-defined]
    assert follow(hub.engine, hub.clock()).get("account", 0) == 0
    assert noted(hub) == []
    hub.clock.move(days=5)  # type: ignore[attr-defined]
    assert follow(hub.engine, hub.clock())["account"] == 1
    assert golden_of(hub, str(KEY))["values"]["industry"] == "Road"
    (entry,) = noted(hub)
    assert entry["detail"]["trust_faded"] == ["trust"]
    assert entry["detail"]["changed"] == 1
    assert verify(hub.engine).first == []


def lapsed(hub: Hub) -> list[str]:
    return [row["reason"] for row in queries.tasks(hub.engine) if row["kind"] == "lapsed"]


def test_value_that_ends_on_a_date_is_asked_about_until_another_is_set(world: Hub) -> None:
    desk = world.desk(MIA)
    desk.override(KEY, "industry", "Ships", reason="they said", until=world.clock() + timedelta(days=3))
    follow(world.engine, world.clock())
    assert lapsed(world) == []
    world.clock.move(days=4)  # type: ignore[attr-defined]
    follow(world.engine, world.clock())
    follow(world.engine, world.clock())
    assert lapsed(world) == ["the value that mia set for industry ended on 2026-10-04"]
    assert golden_of(world, str(KEY))["values"]["industry"] == "Rail"
    world.desk(MIA).override(KEY, "industry", "Ships", reason="they said it again")
    assert lapsed(world) == []
    assert verify(world.engine).first == []


def test_value_that_ended_while_another_record_came_is_asked_about_too(world: Hub) -> None:
    made = world.desk(MIA).override(KEY, "industry", "Ships", reason="so", until=world.clock() + timedelta(days=3))
    world.clock.move(days=4)  # type: ignore[attr-defined]
    tax = {"tax": "GB980780684", "country": "GB"}
    deliver(world, [account("billing", "b", name="Acme Limited", industry="Sea", at="2026-06-01T00:00:00Z", **tax)])
    follow(world.engine, world.clock())
    assert len(lapsed(world)) == 1
    world.desk(MIA).undo(made)
    follow(world.engine, world.clock())
    assert lapsed(world) == []


def test_value_that_its_record_has_outdated_is_asked_about(world: Hub) -> None:
    world.desk(MIA).override(KEY, "industry", "Ships", reason="they said", while_said=True)
    tax = {"tax": "GB980780684", "country": "GB"}
    deliver(world, [account("crm", "a", name="Acme Ltd", industry="Air", at="2026-06-01T00:00:00Z", **tax)])
    assert lapsed(world) == ["the value that mia set for industry ended when crm:account:a said something else"]
