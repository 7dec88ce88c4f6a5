"""Deliveries that arrive at the same moment, on both stores: each is taken in once, and none for another's sake not."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from threading import Event

import pytest
import sqlalchemy as sa

from adapters.decode import Payload, read_payloads
from hub.flow.ingest import Delivery, Parcel, Report, at_once
from hub.flow.together import Together
from hub.store.engine import reading
from hub.store.tables import batch, payload
from hub.wiring import SMALL, Hub
from tests.worlds import SOURCE, account, golden_of


def delivery(name: str, *rows: dict[str, object]) -> Delivery:
    return Delivery(name, name, read_payloads(BytesIO(b"\n".join(json.dumps(row).encode() for row in rows)), "jsonl"))


def company(number: int) -> dict[str, object]:
    return account("crm", f"{number}", name=f"Company {number} Ltd")


def parcel(number: int) -> Parcel:
    made = delivery(f"d{number}", company(number))
    return Parcel(SOURCE, made, list(enumerate(made.payloads, 1)))


def test_together_threads_share_transactions_and_each_hears_of_its_own(hub: Hub) -> None:
    sizes: list[int] = []
    begun, gathered = Event(), Event()

    def take(some: list[Parcel]) -> list[Report]:
        sizes.append(len(some))
        begun.set()
        assert gathered.wait(30)
        return at_once(hub.engine, hub.rulesets, some, clock=hub.clock)

    door = Together(take)
    with ThreadPoolExecutor(12) as pool:
        first = pool.submit(door, parcel(0))
        assert begun.wait(30)
        rest = [pool.submit(door, parcel(number)) for number in range(1, 12)]
        while len(door._gathered) < 11:  # they wait for their turn
            time.sleep(0.01)
        gathered.set()
        reports = [one.result(60) for one in (first, *rest)]
    assert sizes == [1, 11]
    assert [one.origin for one in reports] == [f"d{number}" for number in range(12)]
    assert all(one.accepted == 1 for one in reports)
    assert len({golden_of(hub, f"crm:account:{number}")["id"] for number in range(12)}) == 12


def test_together_one_that_fails_takes_nobody_along(hub: Hub) -> None:
    def broken() -> Iterator[tuple[int, Payload]]:
        raise RuntimeError("torn off")
        yield

    class Torn(list):  # type: ignore[type-arg]
        def __iter__(self) -> Iterator[tuple[int, Payload]]:
            return broken()

    torn = Parcel(SOURCE, delivery("torn"), Torn())
    some = [parcel(1), torn, parcel(2)]
    door = Together(lambda parcels: at_once(hub.engine, hub.rulesets, parcels, clock=hub.clock))
    with ThreadPoolExecutor(3) as pool:
        good, bad, other = (pool.submit(door, one) for one in some)
        with pytest.raises(RuntimeError, match="torn off"):
            bad.result(60)
        assert (good.result(60).accepted, other.result(60).accepted) == (1, 1)
    with reading(hub.engine) as connection:
        assert sorted(connection.execute(sa.select(batch.c.origin)).scalars()) == ["d1", "d2"]


def test_together_the_same_delivery_by_two_threads_is_taken_in_once(hub: Hub) -> None:
    with ThreadPoolExecutor(8) as pool:
        reports = list(pool.map(lambda _: hub.take_in(SOURCE, delivery("again", company(1))), range(8)))
    assert sum(one.accepted for one in reports) == 1
    assert sum(one.skipped for one in reports) == 7
    with reading(hub.engine) as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(payload)).scalar() == 1


def test_together_a_large_delivery_goes_its_own_way(hub: Hub) -> None:
    rows = [company(number) for number in range(SMALL + 5)]
    assert hub.take_in(SOURCE, delivery("large", *rows)).accepted == len(rows)
