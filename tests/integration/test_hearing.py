"""Targets heard as sources: what the hub wrote there comes back as nothing, what was edited there as its word."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from adapters.base import Connection
from adapters.peers.odoo import FakeOdoo
from adapters.registry import KINDS
from canonical.ids import SourceKey
from hub.flow import publish
from hub.flow.replay import verify as replay
from hub.store import drift
from hub.store.access import Principal
from hub.store.engine import reading
from hub.store.tables import golden_version, outbox, record_version, task
from hub.wiring import Hub
from tests.integration.test_reconcile import Books, id_of, run
from tests.worlds import account, deliver, golden_of


@pytest.fixture
def books(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Books:
    deliver(hub, [account("crm", str(n), name=name, email=f"a@{n}.example", street="1 Mill Lane", city="Leeds", country="GB")
                  for n, name in enumerate(("Acorn Ltd", "Birch AG", "Cedar SpA"))])  # fmt: skip
    made = Books("erp")
    monkeypatch.setattr(type(hub), "target", lambda _hub, _name: made)
    run(hub, made)
    return made


def stored(hub: Hub) -> list[int]:
    """How many golden versions, messages owed, tasks and versions of records there are."""
    with reading(hub.engine) as connection:
        count = sa.select(sa.func.count())
        return [
            connection.execute(count.select_from(table)).scalar_one()
            for table in (golden_version, outbox, task, record_version)
        ]


def test_what_the_hub_wrote_comes_back_as_nothing(hub: Hub, books: Books) -> None:
    before = stored(hub)
    assert hub.hear("erp") == {"as sent": 3}
    assert stored(hub) == before
    assert run(hub, books) == {}


def test_edit_is_a_word_about_what_was_edited_and_about_nothing_else(hub: Hub, books: Books) -> None:
    books.edit(id_of(hub, "0"), terms="net90")
    assert hub.hear("erp") == {"as sent": 2, "edited there": 1}
    golden = golden_of(hub, "crm:account:0")
    assert golden["id"] == golden_of(hub, f"erp:account:{golden['id']}")["id"]
    assert golden["values"]["payment_terms"] == "net90"
    with reading(hub.engine) as connection:
        said = connection.execute(sa.select(record_version.c["values"]).order_by(record_version.c.received_at.desc()))
        assert {"payment_terms": "net90"} in list(said.scalars())
    before = stored(hub)
    assert hub.hear("erp") == {"as sent": 3}
    assert stored(hub) == before
    assert replay(hub.engine).differences == 0


def test_edit_that_was_published_back_stays_the_word_of_whom_it_is(hub: Hub, books: Books) -> None:
    """Sent back to where it comes from, it must not be taken for an echo: the golden record would fall back."""
    books.edit(id_of(hub, "0"), terms="net90")
    hub.hear("erp")
    run(hub, books)
    deliver(hub, [account("crm", "0", name="Acorn Ltd", email="new@0.example", street="1 Mill Lane", city="Leeds",
                          country="GB", terms="net30", at="2027-01-01")])  # fmt: skip
    assert golden_of(hub, "crm:account:0")["values"]["payment_terms"] == "net90"
    assert hub.hear("erp") == {"as sent": 3}
    assert replay(hub.engine).differences == 0


def test_edit_that_was_undone_there_is_no_word_any_more(hub: Hub, books: Books) -> None:
    id_ = id_of(hub, "0")
    books.edit(id_, terms="net90")
    hub.hear("erp")
    books.edit(id_, terms=None)
    assert hub.hear("erp") == {"as sent": 2, "edited there": 1}
    assert golden_of(hub, "crm:account:0")["values"].get("payment_terms") is None


def test_record_that_nobody_sent_is_left_to_reconciliation(hub: Hub, books: Books) -> None:
    books.add("clerk-1", name="Typed by hand", document="customer")
    before = stored(hub)
    assert hub.hear("erp") == {"as sent": 3, "not sent from here": 1}
    assert stored(hub) == before


def test_record_of_which_a_steward_says_otherwise_stays_apart(hub: Hub, books: Books) -> None:
    id_ = id_of(hub, "0")
    books.edit(id_, terms="net90")
    hub.hear("erp")
    hub.desk(Principal("mia", "steward")).detach(SourceKey("erp", "account", id_), "another one")
    books.edit(id_, terms="net60")
    hub.hear("erp")
    assert golden_of(hub, f"erp:account:{id_}")["id"] != id_


def test_only_what_changed_since_is_read(hub: Hub, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    clock.now = datetime.now(UTC) + timedelta(minutes=1)  # the fake has a clock of its own
    asked: list[datetime | None] = []
    with FakeOdoo() as fake:
        erp = KINDS["odoo"](Connection("erp", "odoo", hub.settings.dir, fake.options))
        read = erp.read
        monkeypatch.setattr(type(hub), "target", lambda _hub, _name: erp)
        monkeypatch.setattr(erp, "read", lambda entity, since=None: (asked.append(since), read(entity, since))[1])
        deliver(hub, [account("crm", "1", name="Acorn Ltd", email="a@acorn.example", city="Leeds", country="GB")])
        plan = publish.make_plan(hub.engine, erp, "ana", clock())
        publish.approve(hub.engine, plan, None, "ben", clock())
        publish.apply(hub.engine, erp, plan, clock)
        before = stored(hub)
        assert hub.hear("erp")["as sent"] == 1
        assert stored(hub) == before
        with reading(hub.engine) as connection:
            until = drift.heard_until(connection, "erp", "account")
        asked.clear()
        hub.hear("erp")
        erp.odoo.wire.transport.close()  # type: ignore[attr-defined]
    assert until is not None
    assert until - timedelta(minutes=5) in asked


def test_command_and_schedule_hear(hub: Hub, books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    from hub.cli import reconciling
    from hub.worker import hear_edits

    monkeypatch.setattr(reconciling, "open_hub", lambda _directory: hub)
    books.edit(id_of(hub, "1"), terms="net90")
    assert hear_edits(hub, {"target": "erp"}).count("1 edited there") == 1
    assert "3 as sent" in CliRunner().invoke(reconciling.hear, ["erp"]).output


def test_replay_proves_an_echo_beside_other_records_of_its_case(hub: Hub, books: Books) -> None:
    deliver(hub, [account("billing", str(n), name=name, email=f"a@{n}.example", street="1 Mill Lane", city="Leeds",
                          country="GB") for n, name in enumerate(("Acorn Ltd", "Birch AG", "Cedar SpA"))])  # fmt: skip
    books.edit(id_of(hub, "2"), terms="net90")
    hub.hear("erp")
    run(hub, books)
    deliver(hub, [account("billing", "2", name="Cedar SpA", email="b@2.example", terms="net30", at="2027-01-01")])
    assert replay(hub.engine).differences == 0
