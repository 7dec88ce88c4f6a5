"""A model learned from the hub's own records: fitted, rehearsed, promoted, and the same one by one and in bulk."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from canonical.errors import UnknownField
from hub.errors import InvalidRequest
from hub.flow.promote import Will, promote
from hub.flow.simulate import get, simulate
from hub.match.fitting import Costs, Proposal, fit
from hub.match.lookup import lookup
from hub.store import journal, standing
from hub.store.engine import reading
from hub.wiring import Hub
from rules.matching import weigh
from rules.ruleset import load
from tests.people import customers, scores
from tests.worlds import Outcome, deliver, empty, enforce, golden_of, outcome

RELAXED = settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def proposal(hub: Hub, **options: Any) -> Proposal:
    with reading(hub.engine) as connection:
        return fit(connection, hub.rulesets["account"], options.get("most", 10_000), options.get("costs", Costs()))


def clusters(found: Outcome) -> dict[str, str]:
    return {key: min(cluster) for cluster in found.clusters for key in cluster}


def test_a_promoted_model_finds_more_and_does_what_the_simulation_said(hub: Hub) -> None:
    payloads, truth = customers(150)
    deliver(hub, payloads)
    shipped = scores(clusters(outcome(hub)), truth)
    draft = load(proposal(hub).text, "draft.yaml")
    simulation_id = simulate(hub.engine, draft, "ana", hub.clock())
    with reading(hub.engine) as connection:
        said = get(connection, simulation_id)
    assert said.counts["merges"] > 0
    promote(hub.engine, "account", simulation_id, Will("ben", "learned from our own records"), hub.clock())
    precision, recall = scores(clusters(outcome(hub)), truth)
    assert precision >= 0.98
    assert recall >= 0.85
    assert recall > shipped[1] + 0.1


def test_one_by_one_in_any_order_gives_what_a_bulk_load_gives(hub: Hub) -> None:
    payloads, _ = customers(60, seed=2)
    deliver(hub, payloads)
    matching = load(proposal(hub).text, "draft.yaml").document.matching.model_dump(mode="json", exclude_defaults=True)
    empty(hub)
    enforce(hub, "account", {"matching": matching})
    deliver(hub, payloads)
    bulk = outcome(hub)
    assert any(len(cluster) > 2 for cluster in bulk.clusters)
    empty(hub)
    random.Random(5).shuffle(payloads)
    for one in payloads:
        deliver(hub, [one])
    assert outcome(hub) == bulk


@given(data=st.data())
@RELAXED
def test_any_batching_of_any_order_gives_the_same_with_a_model(sqlite_hub: Hub, data: st.DataObject) -> None:
    hub = sqlite_hub
    empty(hub)
    enforce(hub, "account", {})
    deliver(hub, customers(60, seed=9)[0])
    matching = load(proposal(hub).text, "draft.yaml").document.matching.model_dump(mode="json", exclude_defaults=True)
    enforce(hub, "account", {"matching": matching | {"match": 1.0}})
    payloads, _ = customers(25, seed=data.draw(st.integers(1, 4)))
    empty(hub)
    deliver(hub, payloads)
    expected = outcome(hub)
    empty(hub)
    left = data.draw(st.permutations(payloads))
    while left:
        size = data.draw(st.integers(1, len(left)))
        deliver(hub, left[:size])
        left = left[size:]
    assert outcome(hub) == expected


def test_what_a_model_says_of_two_records_does_not_depend_on_who_else_is_there(sqlite_hub: Hub) -> None:
    payloads, _ = customers(60, seed=3)
    deliver(sqlite_hub, payloads)
    ruleset = load(proposal(sqlite_hub).text, "draft.yaml")
    with reading(sqlite_hub.engine) as connection:
        ids = standing.ids_after(connection, "account", -1, 1000)
        records = [one.values for one in journal.load_records(connection, ids).values()]
    pairs = [(a, b) for k, a in enumerate(records) for b in records[k + 1 : k + 9]]
    together = weigh(ruleset, pairs)
    assert len({one.score for one in together}) > 50
    assert [weigh(ruleset, [pair])[0] for pair in pairs] == together
    assert [weigh(ruleset, [(b, a)])[0].score for a, b in pairs] == [one.score for one in together]


def test_too_few_records_are_refused_with_a_next_step(sqlite_hub: Hub) -> None:
    deliver(sqlite_hub, customers(5)[0])
    with pytest.raises(InvalidRequest, match="too few"):
        proposal(sqlite_hub)


def test_dearer_mistakes_move_the_bands_apart() -> None:
    assert Costs(wrong=100).match > Costs(wrong=20).match > 0 > Costs(missed=5).review > Costs(missed=50).review


def test_the_draft_keeps_the_comments_and_every_other_rule(sqlite_hub: Hub) -> None:
    deliver(sqlite_hub, customers(60)[0])
    before, made = sqlite_hub.rulesets["account"], proposal(sqlite_hub)
    after = load(made.text, "draft.yaml")
    assert made.text.startswith(before.text.splitlines()[0])
    assert after.document.survivorship == before.document.survivorship
    assert after.document.matching.compare == before.document.matching.compare
    assert proposal(sqlite_hub).text == made.text, "the same records and seed give the same model"


def test_lookup_tells_who_a_record_would_be_and_stores_nothing(hub: Hub) -> None:
    payloads, _ = customers(60, seed=4)
    deliver(hub, payloads)
    draft = load(proposal(hub).text, "draft.yaml")
    promote(hub.engine, "account", simulate(hub.engine, draft, "ana", hub.clock()), Will("ben", "learned"), hub.clock())
    before = outcome(hub)
    known = next(one for one in payloads if one.get("email") and one.get("phone"))
    values = {"legal_name": known["name"].upper(), "email": known["email"], "phone": known["phone"]}
    with reading(hub.engine) as connection:
        found = lookup(connection, hub.rulesets["account"], values)
        assert found[0].verdict == "match"
        assert found[0].golden_id == golden_of(hub, f"{known['system']}:account:{known['key']}")["id"]
        assert [one.evidence.score for one in found] == sorted((one.evidence.score for one in found), reverse=True)
        assert lookup(connection, hub.rulesets["account"], {"legal_name": "Nobody At All Ltd"}) == []
        with pytest.raises(UnknownField):
            lookup(connection, hub.rulesets["account"], {"nme": "Acorn"})
    assert outcome(hub) == before
