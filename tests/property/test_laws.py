"""The laws of the design that speak of "any": any order, any repetition, any batching, on both stores."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.wiring import Hub
from tests.worlds import account, deliver, empty, outcome

RELAXED = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
THOROUGH = settings(RELAXED, max_examples=300)

NAMES = (
    "Acorn Analytics Ltd",
    "ACORN ANALYTICS LIMITED",
    "Acorn Analytic Ltd",
    "Birch Brewing GmbH",
    "Birch Brewery",
    "Acorn Ltd",
)
EMAILS = ("accounts@acorn.example", "office@birch.example", "test@test.com", None)
TAX = ("GB980780684", "GB434031494", "GB000000000", None)
STREETS = (("12 Mill Lane", "LS1 4AB"), ("9 Quay Street", "HU1 1AA"), (None, None))


@st.composite
def statements(draw: Any) -> dict[str, Any]:
    """What some system says of some account at some time; with few values, so that records meet."""
    street, postcode = draw(st.sampled_from(STREETS))
    said = {
        "name": draw(st.sampled_from(NAMES)),
        "email": draw(st.sampled_from(EMAILS)),
        "tax": draw(st.sampled_from(TAX)),
        "street": street,
        "postcode": postcode,
        "country": "GB",
        "industry": draw(st.sampled_from(("a", "b", None))),
    }
    spoken = {name: value for name, value in said.items() if name == "name" or draw(st.booleans())}
    moment = draw(st.integers(1, 4))
    return account(
        draw(st.sampled_from(("crm", "billing", "shop"))),
        str(draw(st.integers(1, 4))),
        **spoken | {"at": f"2026-0{moment}-01T00:00:00Z", "gone": draw(st.integers(0, 9)) == 0},
    )


def streams() -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.lists(statements(), min_size=1, max_size=12)


def _check_any_order(hub: Hub, stream: list[dict[str, Any]], data: st.DataObject) -> None:
    empty(hub)
    deliver(hub, stream)
    expected = outcome(hub)
    empty(hub)
    shuffled = data.draw(st.permutations(stream))
    repeated = shuffled + data.draw(st.lists(st.sampled_from(stream), max_size=6))
    while repeated:
        size = data.draw(st.integers(1, len(repeated)))
        deliver(hub, repeated[:size])
        repeated = repeated[size:]
    assert outcome(hub) == expected


@pytest.mark.promise("A-16")
@pytest.mark.promise("A-32")
@given(stream=streams(), data=st.data())
@RELAXED
def test_any_order_repetition_and_batching_give_the_same_clusters_values_and_tasks(
    hub: Hub, stream: list[dict[str, Any]], data: st.DataObject
) -> None:
    """Laws 1, 6, 8 and 9."""
    _check_any_order(hub, stream, data)


@pytest.mark.slow
@given(stream=streams(), data=st.data())
@THOROUGH
def test_any_order_many_more_times(hub: Hub, stream: list[dict[str, Any]], data: st.DataObject) -> None:
    _check_any_order(hub, stream, data)


@given(stream=streams())
@RELAXED
def test_no_cluster_holds_two_tax_numbers_of_one_country(hub: Hub, stream: list[dict[str, Any]]) -> None:
    """Law 5: a veto between any two members forbids the automatic join."""
    empty(hub)
    deliver(hub, stream)
    said: dict[str, set[str]] = {}
    for one in stream:
        if one.get("tax") and one["tax"] != "GB000000000":
            said.setdefault(f"{one['system']}:account:{one['key']}", set()).add(one["tax"])
    for cluster in outcome(hub).clusters:
        certain = [said[key] for key in cluster if len(said.get(key, ())) == 1]
        newest = {next(iter(numbers)) for numbers in certain if _always_said(stream, cluster)}
        assert len(newest) <= 1


def _always_said(stream: list[dict[str, Any]], cluster: frozenset[str]) -> bool:
    """Whether each record of the cluster speaks of its tax number in every version."""
    own = [one for one in stream if f"{one['system']}:account:{one['key']}" in cluster]
    return all(one.get("tax") for one in own)


@given(stream=streams())
@RELAXED
def test_the_three_states_of_a_field_stay_apart_and_a_group_survives_whole(
    hub: Hub, stream: list[dict[str, Any]]
) -> None:
    """Law 7: a golden address is one that some system stated; a null never beats a value."""
    import json

    empty(hub)
    deliver(hub, stream)
    stated = {
        json.dumps(
            {
                k: v
                for k, v in (("line1", s.get("street")), ("postcode", s.get("postcode")), ("country", s.get("country")))
                if v
            },
            sort_keys=True,
        )
        for s in stream
    }
    for values in outcome(hub).values.values():
        address = json.loads(values).get("billing_address")
        assert address is None or json.dumps(address, sort_keys=True) in stated


@given(stream=streams())
@RELAXED
def test_the_same_delivery_twice_changes_nothing(hub: Hub, stream: list[dict[str, Any]]) -> None:
    """Law 9."""
    empty(hub)
    deliver(hub, stream)
    before = outcome(hub)
    report = deliver(hub, stream)
    assert outcome(hub) == before
    assert report.repeated == len(stream)
