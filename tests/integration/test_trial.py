"""The playground: what would become of a payload is what becomes of it, and nothing is stored."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adapters.decode import decode
from hub.flow.trial import Bench, attempt
from hub.store import audit
from hub.store.engine import reading
from hub.wiring import Hub
from tests.worlds import SOURCE, account, deliver, golden_of, outcome

ACORN = {"name": "Acorn Analytics Ltd", "email": "accounts@acorn.example", "street": "12 Mill Lane", "postcode": "LS1 4AB",
         "country": "GB"}  # fmt: skip


def tried(hub: Hub, *payloads: dict[str, Any]) -> list[dict[str, Any]]:
    bench = Bench(hub.rulesets, SOURCE, {"erp": hub.target("erp")}, hub.clock)
    return attempt(hub.engine, bench, [decode(json.dumps(one), n) for n, one in enumerate(payloads, 1)])


def test_trial_says_what_intake_then_does_and_keeps_nothing(hub: Hub) -> None:
    deliver(hub, [account("crm", "1", **ACORN, industry="software", status="active")])
    before = outcome(hub)
    said = account("billing", "2", **ACORN | {"email": "billing@acorn.example"})
    found = tried(hub, said)
    assert outcome(hub) == before
    (golden,) = found[0]["records"][0]["golden"]
    assert golden["change"] == "update"
    assert golden["changed"]["email"] == {
        "before": "accounts@acorn.example", "after": "billing@acorn.example", "rule": "owner",
    }  # fmt: skip
    candidate = found[0]["records"][0]["candidates"][0]
    assert candidate["key"] == "crm:account:1"
    assert candidate["verdict"] == "match"
    assert {part["comparison"] for part in candidate["parts"]} >= {"name", "street"}
    deliver(hub, [said])
    now = golden_of(hub, "billing:account:2")
    assert now["id"] == golden["id"]
    assert now["values"]["email"] == "billing@acorn.example"


def test_trial_shows_what_a_target_would_see_and_which_rules_fired(hub: Hub) -> None:
    found = tried(
        hub, account("crm", "1", **ACORN, status="active"), account("crm", "2", name="Birch GmbH", status="prospect")
    )
    buys, looks = (one["records"][0]["golden"][0] for one in found)
    assert buys["leaves"][0]["target"] == "erp"
    assert "Acorn Analytics Ltd" in buys["leaves"][0]["body"].values()
    assert looks["leaves"] == []
    (rule,) = [one for one in looks["rules"] if one["rule"] == "to-erp"]
    assert rule == {
        "rule": "to-erp", "fired": False,
        "tests": [{"fact": "status", "asked": ["prospect"], "is": "prospect", "holds": True}],
    }  # fmt: skip


def test_trial_of_a_broken_payload_tells_the_finding(hub: Hub) -> None:
    (found,) = attempt(hub.engine, hub.bench("crm"), [decode("{nonsense", 1)])
    assert found["outcome"] == "rejected"
    assert found["findings"][0]["code"].startswith("HUB-3")
    with reading(hub.engine) as connection:
        assert audit.verify(connection) is None


@pytest.mark.parametrize("gone", ["crm:account:1"])
def test_trial_leaves_no_source_record_behind(hub: Hub, gone: str) -> None:
    tried(hub, account("crm", "1", **ACORN))
    with pytest.raises(Exception, match="no"):
        golden_of(hub, gone)
