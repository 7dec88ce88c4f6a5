"""What a target does not take, on both stores: tried again in its time, given up, replayed, parked; plans discarded."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from adapters.base import Message, Receipt, Status
from adapters.errors import TargetRefuses
from adapters.targets.memory import MemoryTarget
from hub import queries
from hub.errors import Conflict, InvalidRequest, NotFound, NotPermitted
from hub.flow import failures, publish
from hub.store.access import Principal
from hub.store.audit import verify
from hub.store.engine import reading
from hub.wiring import Hub
from hub.worker import try_again
from tests.conftest import FixedClock
from tests.worlds import account, deliver, golden_of, invoice

OLA = Principal("ola", "operator")


class Ledger(MemoryTarget):
    """A ledger that says to a record what it is told to, until it is told otherwise."""

    def __init__(self, **says: Receipt) -> None:
        super().__init__("erp", self.answer)
        self.says, self.tries = says, list[str]()

    def answer(self, message: Message) -> Receipt | None:
        self.tries.append(str(message.body.get("name")))
        return self.says.get(str(message.body.get("name")))


def run(hub: Hub, erp: MemoryTarget) -> tuple[int, Mapping[str, int]]:
    plan = publish.make_plan(hub.engine, erp, "ana", hub.clock())
    publish.approve(hub.engine, plan, None, "ben", hub.clock())
    return plan, publish.apply(hub.engine, erp, plan, hub.clock, pause=lambda _seconds: None)


def two(hub: Hub) -> tuple[str, str]:
    deliver(hub, [account("crm", "1", name="Acorn Ltd"), account("crm", "2", name="Birch AG")])
    return golden_of(hub, "crm:account:1")["id"], golden_of(hub, "crm:account:2")["id"]


def test_waiting_time_doubles_is_drawn_by_chance_and_capped() -> None:
    for tries in range(1, 60):
        drawn = [failures.waiting(tries) for _ in range(200)]
        most = min(failures.FIRST * 2 ** min(tries - 1, 20), failures.SLOWEST)
        assert timedelta() <= min(drawn) < most / 4
        assert most * 3 / 4 < max(drawn) <= most


@pytest.mark.promise("A-69")
def test_message_is_not_tried_before_its_time_by_anybody(
    hub: Hub, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    acorn, _ = two(hub)
    erp = Ledger(**{"Acorn Ltd": Receipt(Status.THROTTLED, says="later", wait=timedelta(minutes=10))})
    monkeypatch.setattr(type(hub), "target", lambda _hub, _name: erp)
    plan, counts = run(hub, erp)
    assert counts == {"acknowledged": 1, "planned": 1}
    (one,) = failures.failed(hub.engine)
    assert (one["golden_id"], one["state"], one["tries"]) == (acorn, "waiting", 1)
    assert one["next_at"] == clock() + timedelta(minutes=10)
    tried = len(erp.tries)
    clock.move(minutes=7)
    assert try_again(hub, {}) == "nothing waited"
    assert publish.apply(hub.engine, erp, plan, hub.clock, pause=lambda _seconds: None)["planned"] == 1
    assert len(erp.tries) == tried
    erp.says.clear()
    clock.move(minutes=3)
    assert try_again(hub, {}) == f"went on with P-{plan}"
    assert queries.plan(hub.engine, plan)["state"] == "done"
    assert failures.failed(hub.engine) == []


def test_retries_keep_out_of_the_blackout_of_the_targets_schedule(
    hub: Hub, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hub.store import schedules
    from hub.store.engine import writing

    two(hub)
    erp = Ledger(**{"Acorn Ltd": Receipt(Status.THROTTLED, wait=timedelta(minutes=10))})
    monkeypatch.setattr(type(hub), "target", lambda _hub, _name: erp)
    run(hub, erp)
    nightly = {"id": "nightly", "job": "publish", "target": "erp", "cron": "0 1 * * *", "timezone": "UTC",
               "paused": False, "blackouts": ["00:00-24:00"]}  # fmt: skip
    with writing(hub.engine) as connection:
        schedules.put_if_none(connection, nightly)
    clock.move(hours=1)
    assert try_again(hub, {}) == "nothing waited"


def test_refused_message_is_given_up_holds_nothing_else_up_and_goes_again_once_replayed(hub: Hub) -> None:
    acorn, _ = two(hub)
    erp = Ledger(**{"Acorn Ltd": Receipt(Status.INVALID, code="vat", says="the VAT number is wrong")})
    for _ in range(failures.REFUSALS):
        assert run(hub, erp)[1]["rejected"] == 1
    plan, counts = run(hub, erp)
    assert counts == {"held": 1}
    (entry,) = queries.plan_with_entries(hub.engine, plan)[1]
    assert entry["reason"] == "given up after 3 tries: the VAT number is wrong"
    (one,) = failures.failed(hub.engine, "erp")
    assert (one["state"], one["next"]) == ("dead", "correct it in its source, or the set-up there and replay")
    assert erp.tries.count("Acorn Ltd") == failures.REFUSALS
    erp.says.clear()
    assert failures.replay(hub.engine, "erp", [], OLA, reason="set up there", now=hub.clock()) == [acorn]
    assert run(hub, erp)[1] == {"acknowledged": 1}
    assert failures.failed(hub.engine) == []
    with reading(hub.engine) as connection:
        assert verify(connection) is None


def test_given_up_message_is_tried_anew_when_there_is_a_newer_version(hub: Hub) -> None:
    two(hub)
    erp = Ledger(**{"Acorn Ltd": Receipt(Status.INVALID, says="no")})
    for _ in range(failures.REFUSALS):
        run(hub, erp)
    deliver(hub, [account("crm", "1", name="Acorn PLC", at="2026-02-01T00:00:00Z")])
    assert run(hub, erp)[1] == {"acknowledged": 1}
    assert failures.failed(hub.engine) == []


def test_parked_record_stays_out_of_every_plan_until_it_is_replayed_by_name(hub: Hub) -> None:
    acorn, _ = two(hub)
    erp = Ledger()
    draft = publish.make_plan(hub.engine, erp, "ana", hub.clock())
    failures.park(hub.engine, "erp", acorn, OLA, reason="sold next week", now=hub.clock())
    publish.approve(hub.engine, draft, None, "ben", hub.clock())
    assert publish.apply(hub.engine, erp, draft, hub.clock) == {"acknowledged": 1, "parked": 1}
    deliver(hub, [account("crm", "1", name="Acorn PLC", at="2026-02-01T00:00:00Z")])
    plan, counts = run(hub, erp)
    assert counts == {"held": 1}
    assert queries.plan_with_entries(hub.engine, plan)[1][0]["reason"] == "parked by ola: sold next week"
    with pytest.raises(InvalidRequest, match="already"):
        failures.park(hub.engine, "erp", acorn, OLA, reason="again", now=hub.clock())
    assert failures.replay(hub.engine, "erp", [], OLA, reason="all", now=hub.clock()) == []
    assert failures.replay(hub.engine, "erp", [acorn], OLA, reason="not sold", now=hub.clock()) == [acorn]
    assert run(hub, erp)[1] == {"acknowledged": 1}
    assert erp.tries == ["Birch AG", "Acorn PLC"]


def test_parking_and_replaying_are_refused_where_there_is_nothing_to_do(hub: Hub) -> None:
    acorn, _ = two(hub)
    run(hub, Ledger())
    with pytest.raises(NotFound, match="nothing of"):
        failures.park(hub.engine, "erp", acorn, OLA, reason="why not", now=hub.clock())
    with pytest.raises(NotFound, match="has not failed"):
        failures.replay(hub.engine, "erp", [acorn], OLA, reason="why not", now=hub.clock())
    with pytest.raises(NotPermitted):
        failures.replay(hub.engine, "erp", [], Principal("rae", "reader"), reason="why not", now=hub.clock())
    with pytest.raises(InvalidRequest):
        failures.park(hub.engine, "erp", acorn, OLA, reason=" ", now=hub.clock())


@pytest.mark.promise("A-51")
def test_child_of_a_record_that_the_target_refuses_is_held_and_not_sent(hub: Hub) -> None:
    deliver(
        hub,
        [
            account("billing", "c1", name="Acme Ltd", status="active"),
            invoice("billing", "i1", number="INV-1", status="open", account="c1"),
        ],
    )
    erp = Ledger(**{"Acme Ltd": Receipt(Status.INVALID, says="no")})
    plan, counts = run(hub, erp)
    assert counts == {"held": 1, "rejected": 1}
    held = queries.plan_with_entries(hub.engine, plan)[1][1]
    assert held["reason"] == f"{golden_of(hub, 'billing:account:c1')['id']} is not in erp"
    erp.says.clear()
    assert run(hub, erp)[1] == {"acknowledged": 2}


def test_child_waits_while_its_parent_is_to_be_tried_again(hub: Hub, clock: FixedClock) -> None:
    deliver(
        hub,
        [
            account("billing", "c1", name="Acme Ltd", status="active"),
            invoice("billing", "i1", number="INV-1", status="open", account="c1"),
        ],
    )
    erp = Ledger(**{"Acme Ltd": Receipt(Status.THROTTLED, wait=timedelta(minutes=10))})
    plan, counts = run(hub, erp)
    assert counts == {"planned": 2}
    assert list(erp.read("invoice")) == []
    erp.says.clear()
    clock.move(minutes=11)
    assert publish.resume(hub.engine, erp, hub.clock, pause=lambda _seconds: None) == [plan]
    assert publish.counted(hub.engine, plan) == {"acknowledged": 2}


def test_discarded_plan_sends_nothing_says_why_and_owes_its_records_again(hub: Hub) -> None:
    two(hub)
    erp = Ledger()
    plan = publish.make_plan(hub.engine, erp, "ana", hub.clock())
    with pytest.raises(NotPermitted):
        publish.discard(hub.engine, plan, Principal("rae", "reader"), "no", hub.clock())
    publish.discard(hub.engine, plan, Principal("ana", "reader"), "too early", hub.clock())
    head = queries.plan(hub.engine, plan)
    assert (head["state"], head["reason"]) == ("stale", "discarded by ana: too early")
    assert failures.status(hub.engine, "erp") == [
        {"target": "erp", "owed": 2, "failed": {"waiting": 0, "dead": 0, "parked": 0}, "gate": None, "plans": []}
    ]
    with pytest.raises(Conflict, match="stale"):
        publish.approve(hub.engine, plan, None, "ben", hub.clock())
    done, counts = run(hub, erp)
    assert counts == {"acknowledged": 2}
    with pytest.raises(Conflict, match="done"):
        publish.discard(hub.engine, done, OLA, "too late", hub.clock())


def test_commands_tell_what_failed_and_replay_it(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    from hub.cli import failing
    from hub.cli.publishing import publish as command

    acorn, _ = two(hub)
    erp = Ledger(**{"Acorn Ltd": Receipt(Status.INVALID, says="no VAT number")})
    run(hub, erp)
    monkeypatch.setattr(failing, "open_hub", lambda _directory=None: hub)
    cli = CliRunner()
    assert "erp: 1 owed and in no plan; failed: 1 waiting" in cli.invoke(command, ["status"]).output
    assert "no VAT number" in cli.invoke(command, ["failed", "erp"]).output
    parked = cli.invoke(command, ["park", "erp", acorn, "--as", "ola", "--reason", "asked them"])
    assert parked.exit_code == 0, parked.output
    assert "1 parked" in cli.invoke(command, ["status", "erp"]).output
    again = cli.invoke(command, ["replay", "erp", acorn, "--as", "ola", "--reason", "they answered"])
    assert "1 go into the next plan" in again.output
    draft = publish.make_plan(hub.engine, erp, "ana", hub.clock())
    assert cli.invoke(command, ["discard", f"P-{draft}", "--as", "ana", "--reason", "wrong"]).exit_code == 0


def test_graphql_replays_parks_and_discards_for_whom_it_may(hub: Hub) -> None:
    from hub.web.graphql.schema import build

    schema = build()

    def ask(query: str, role: str = "operator") -> Any:
        found = schema.execute(query, context={"hub": hub, "principal": Principal("ola", role)})
        assert found.errors is None, found.errors
        return found.data

    acorn, _ = two(hub)
    erp = Ledger(**{"Acorn Ltd": Receipt(Status.INVALID, says="no VAT number")})
    run(hub, erp)
    (failed,) = ask('{ publishFailures(target: "erp") { golden state says } }')["publishFailures"]
    assert failed == {"golden": acorn, "state": "waiting", "says": "no VAT number"}
    park = f'mutation {{ parkPublication(golden: "{acorn}", target: "erp", reason: "asked") {{ done userErrors {{ code }} }} }}'
    assert ask(park, "reader")["parkPublication"] == {"done": False, "userErrors": [{"code": "HUB-4302"}]}
    assert ask(park)["parkPublication"] == {"done": True, "userErrors": []}
    assert run(hub, erp)[1] == {"held": 1}
    replay = 'mutation {{ replayFailures(target: "erp", {} reason: "answered") {{ golden userErrors {{ code }} }} }}'
    assert ask(replay.format(""))["replayFailures"]["golden"] == []  # the parked stay parked unless they are named
    again = replay.format(f'golden: ["{acorn}"]')
    assert ask(again, "reader")["replayFailures"] == {"golden": [], "userErrors": [{"code": "HUB-4302"}]}
    assert ask(again)["replayFailures"] == {"golden": [acorn], "userErrors": []}
    draft = publish.make_plan(hub.engine, erp, "ana", hub.clock())
    discard = f'mutation {{ discardPlan(plan: {draft}, reason: "wrong") {{ plan {{ state }} userErrors {{ code }} }} }}'
    assert ask(discard, "reader")["discardPlan"] == {"plan": None, "userErrors": [{"code": "HUB-4302"}]}
    assert ask(discard)["discardPlan"] == {"plan": {"state": "stale"}, "userErrors": []}
    assert ask(discard)["discardPlan"]["userErrors"] == [{"code": "HUB-4220"}]
    erp.says.clear()
    assert run(hub, erp)[1] == {"acknowledged": 1}
    assert ask("{ publishFailures { golden } }")["publishFailures"] == []


def test_graphql_tells_of_a_target_that_does_not_let_us_in(hub: Hub) -> None:
    from hub.web.graphql.schema import build

    two(hub)
    with pytest.raises(TargetRefuses):
        run(hub, Ledger(**{"Acorn Ltd": Receipt(Status.FORBIDDEN, says="not allowed")}))
    query = '{ publishStatus(target: "erp") { target trouble opensAt } }'
    found = build().execute(query, context={"hub": hub, "principal": OLA})
    assert found.errors is None, found.errors
    assert found.data["publishStatus"] == [
        {"target": "erp", "trouble": "not allowed", "opensAt": (hub.clock() + timedelta(minutes=15)).isoformat()}
    ]
