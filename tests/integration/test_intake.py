"""Intake on both stores: late and repeated versions, replaced keys, tombstones, counts that add up."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from adapters.errors import UnknownSystem
from hub import queries
from hub.flow import ingest as ingestion
from hub.store import journal
from hub.store.engine import reading, writing
from hub.store.tables import golden, record_version
from hub.wiring import Hub
from tests.worlds import SOURCE, account, deliver, golden_of, outcome


def test_intake_older_version_arriving_late_is_logged_and_does_not_win(hub: Hub) -> None:
    deliver(hub, [account("crm", "1", name="New", at="2026-02-01T00:00:00Z")])
    report = deliver(hub, [account("crm", "1", name="Old", at="2026-01-01T00:00:00Z")])
    assert report.late == 1
    assert golden_of(hub, "crm:account:1")["label"] == "New"
    road = queries.walk(hub.engine, next(r.key for r in SOURCE.translate(account("crm", "1"), hub.clock()).records))
    assert [(v["number"], v["late"]) for v in road["versions"]] == [(2, True), (1, False)]


def test_intake_source_version_orders_before_its_time(hub: Hub) -> None:
    deliver(hub, [account("crm", "1", name="Two", version=2, at="2026-01-01T00:00:00Z")])
    deliver(hub, [account("crm", "1", name="One", version=1, at="2026-09-01T00:00:00Z")])
    assert golden_of(hub, "crm:account:1")["label"] == "Two"


def test_intake_without_any_order_the_later_arrival_stands(hub: Hub, clock: object) -> None:
    deliver(hub, [{"system": "crm", "kind": "account", "key": "1", "name": "First"}])
    clock.move(minutes=1)  # type: ignore[attr-defined]
    deliver(hub, [{"system": "crm", "kind": "account", "key": "1", "name": "Second"}])
    clock.move(minutes=1)  # type: ignore[attr-defined]
    deliver(hub, [{"system": "crm", "kind": "account", "key": "1", "name": "First"}])
    assert golden_of(hub, "crm:account:1")["label"] == "First"
    assert golden_of(hub, "crm:account:1")["version"] == 3


@pytest.mark.promise("A-70")
def test_intake_replaced_key_carries_its_golden_record_over(hub: Hub) -> None:
    deliver(hub, [account("crm", "old", name="Acme Ltd")])
    before = golden_of(hub, "crm:account:old")["id"]
    deliver(hub, [account("crm", "old", name="Acme Ltd", at="2026-02-01T00:00:00Z", replaced_by="new")])
    deliver(hub, [account("crm", "new", name="Acme Holding")])
    assert golden_of(hub, "crm:account:new")["id"] == before
    assert golden_of(hub, "crm:account:old")["id"] == before


def test_intake_two_records_merged_by_their_source_leave_one_and_a_redirect(hub: Hub) -> None:
    deliver(hub, [account("crm", "a", name="Acme Ltd"), account("crm", "b", name="Birch AG")])
    first, second = golden_of(hub, "crm:account:a")["id"], golden_of(hub, "crm:account:b")["id"]
    deliver(hub, [account("crm", "b", name="Birch AG", at="2026-02-01T00:00:00Z", replaced_by="a")])
    kept = golden_of(hub, "crm:account:b")["id"]
    assert kept in (first, second)
    assert queries.record(hub.engine, first).golden["id"] == queries.record(hub.engine, second).golden["id"] == kept


def test_intake_deleted_everywhere_retires_the_golden_record_until_its_source_is_back(hub: Hub) -> None:
    deliver(hub, [account("crm", "1", name="Acme")])
    id_ = golden_of(hub, "crm:account:1")["id"]
    deliver(hub, [account("crm", "1", name="Acme", at="2026-02-01T00:00:00Z", gone=True)])
    assert outcome(hub).clusters == frozenset()
    assert queries.record(hub.engine, id_).golden["state"] == "retired"
    deliver(hub, [account("crm", "1", name="Acme", at="2026-03-01T00:00:00Z")])
    assert golden_of(hub, "crm:account:1")["id"] == id_, "the same thing is back"
    assert golden_of(hub, "crm:account:1")["state"] == "live"


def test_intake_redirects_stay_one_step_long(hub: Hub) -> None:
    tax = {"tax": "GB980780684", "country": "GB"}
    names = ("Acorn Ltd", "Acorn Limited", "ACORN LTD")
    deliver(hub, [account("crm", str(n), name=name) for n, name in enumerate(names)])
    ids = [golden_of(hub, f"crm:account:{n}")["id"] for n in range(3)]
    for n, name in enumerate(names):
        deliver(hub, [account("crm", str(n), name=name, at="2026-02-01T00:00:00Z", email="x@acorn.example", **tax)])
    assert len(outcome(hub).clusters) == 1
    with reading(hub.engine) as connection:
        heirs = dict(connection.execute(sa.select(golden.c.id, golden.c.heir)).all())
    live = [id_ for id_, heir in heirs.items() if heir is None]
    assert len(live) == 1
    assert all(heirs[id_] in (None, live[0]) for id_ in ids)


def test_intake_common_key_brings_nobody_together_until_it_is_rare_again(hub: Hub) -> None:
    limit = hub.rulesets["account"].document.matching.key_limit
    many = [
        account("crm", str(n), name=f"Unlike {n} {'abcdefgh'[n % 8] * 5}", phone="+44 20 7946 0000")
        for n in range(limit + 5)
    ]
    deliver(hub, many)
    assert len(outcome(hub).clusters) == limit + 5
    assert outcome(hub).tasks == frozenset()


def test_intake_counts_add_up_with_bad_input_and_nothing_accepted_is_lost(hub: Hub) -> None:
    bad = [{"system": "crm", "kind": "account"}, {"system": "nobody"}, {"system": "crm", "kind": "mystery", "key": "1"}]
    report = deliver(hub, [account("crm", "1", name="Acme"), *bad, account("crm", "2", name="Birch")])
    assert (report.accepted, report.rejected) == (2, 3)
    lines = queries.overview(hub.engine)["sources"]
    assert queries.unbalanced(lines) == []
    assert sum(line["accepted"] for line in lines) == 5


def test_intake_interrupted_delivery_goes_on_where_it_was(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingestion, "CHUNK", 10)
    path = tmp_path / "accounts.csv"
    rows = "\n".join(f"crm,account,{n},2026-01-01T00:00:00Z,Company {n}" for n in range(35))
    path.write_text(f"system,kind,key,at,name\n{rows}\n")

    def stop(count: int) -> None:
        if count >= 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        hub.ingest_file(SOURCE, path, progress=stop)
    assert len(outcome(hub).clusters) == 20
    report = hub.ingest_file(SOURCE, path)
    assert (report.skipped, report.accepted) == (20, 15)
    assert len(outcome(hub).clusters) == 35
    assert hub.ingest_file(SOURCE, path).skipped == 35
    with reading(hub.engine) as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(record_version)).scalar_one() == 35


def test_intake_a_chunk_that_fails_leaves_nothing_half_done(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("cut off")

    monkeypatch.setattr(ingestion, "resolve", fail)
    with pytest.raises(RuntimeError):
        deliver(hub, [account("crm", "1", name="Acme")])
    monkeypatch.undo()
    assert queries.overview(hub.engine)["sources"] == []
    with writing(hub.engine) as connection:
        assert journal.held(connection, [1]) == {}


def test_intake_same_key_twice_in_one_delivery_is_noted_and_the_later_row_stands(hub: Hub) -> None:
    rows = [{"system": "crm", "kind": "account", "key": "1", "name": name} for name in ("First", "Second")]
    deliver(hub, rows)
    assert golden_of(hub, "crm:account:1")["label"] == "Second"
    findings = queries.record(hub.engine, "crm:account:1").findings
    assert [f["code"] for f in findings] == ["HUB-3204"]


def test_source_that_is_not_registered_is_an_error_with_a_suggestion(hub: Hub) -> None:
    with pytest.raises(UnknownSystem) as caught:
        hub.source("biling")
    assert "billing" in caught.value.hint
