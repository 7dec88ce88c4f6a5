"""Taken in now and judged later: the same golden records, whatever is cut off in between."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from adapters.decode import decode
from hub import queries
from hub.errors import InvalidRequest
from hub.flow import replay
from hub.flow.catchup import catch_up, left, put_back
from hub.flow.ingest import Delivery, ingest
from hub.wiring import Hub
from tests.people import customers
from tests.worlds import SOURCE, deliver, empty, outcome


def take_in(hub: Hub, payloads: list[dict[str, Any]]) -> None:
    lines = [decode(json.dumps(payload), number) for number, payload in enumerate(payloads, 1)]
    delivery = Delivery("test", f"later {len(payloads)}", lines)
    ingest(hub.engine, hub.rulesets, SOURCE, delivery, clock=hub.clock, later=True)


def test_a_load_that_is_judged_later_gives_what_one_at_once_gives(hub: Hub) -> None:
    payloads, _ = customers(40)
    deliver(hub, payloads)
    expected = outcome(hub)
    empty(hub)
    take_in(hub, payloads)
    assert outcome(hub).clusters == frozenset()
    sources = queries.overview(hub.engine)["sources"]
    assert sum(row["waiting"] for row in sources) == len(payloads) == left(hub.engine)["account"]
    assert queries.unbalanced(sources) == []
    with pytest.raises(InvalidRequest, match="wait"):
        replay.verify(hub.engine)
    told: list[int] = []
    assert catch_up(hub.engine, hub.rulesets, clock=hub.clock, page=7, progress=told.append) == len(payloads)
    assert told == sorted(told)
    assert len(told) > 5
    assert outcome(hub) == expected
    assert left(hub.engine) == {}
    assert replay.verify(hub.engine).differences == 0


def test_a_run_that_is_cut_goes_on_where_it_was(hub: Hub) -> None:
    payloads, _ = customers(40, seed=3)
    deliver(hub, payloads)
    expected = outcome(hub)
    empty(hub)
    take_in(hub, payloads)

    def cut(judged: int) -> None:
        if judged >= 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        catch_up(hub.engine, hub.rulesets, clock=hub.clock, page=10, progress=cut)
    assert left(hub.engine)["account"] == len(payloads) - 20
    deliver(hub, random.Random(1).sample(payloads, 5))  # some of them come again meanwhile
    catch_up(hub.engine, hub.rulesets, clock=hub.clock)
    assert outcome(hub) == expected


def test_everybody_judged_again_changes_nothing(hub: Hub) -> None:
    payloads, _ = customers(20, seed=5)
    deliver(hub, payloads)
    expected = outcome(hub)
    assert put_back(hub.engine, "account") == len(payloads)
    assert put_back(hub.engine, "account") == len(payloads)
    assert catch_up(hub.engine, hub.rulesets, clock=hub.clock) == len(payloads)
    assert outcome(hub) == expected
