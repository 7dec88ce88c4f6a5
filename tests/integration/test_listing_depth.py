"""A page deep in a list reads what the first one does, also where the planner merges the two tables."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa

from hub.store import listing
from hub.store.conditions import Every, Scope
from hub.store.engine import reading
from hub.store.listing import Slice, Sort
from hub.wiring import Hub
from tests.benchmarks.graphql import fill, golden_id

SIZE, DEEP = 11, 449


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("backward", [False, True])
def test_deep_page_reads_no_more_rows_than_it_has(hub: Hub, backward: bool) -> None:
    fill(hub, 500)
    mark = (None, golden_id(500 - DEEP if backward else DEEP))
    part = Slice(Sort(), SIZE, before=mark, backward=True) if backward else Slice(Sort(), SIZE, after=mark)
    asked: list[tuple[str, object]] = []

    def note(_c: object, _k: object, statement: str, given: object, *_rest: object) -> None:
        asked.append((statement, given))

    with reading(hub.engine) as connection:
        for way in ("nestloop", "hashjoin", "seqscan", "bitmapscan", "sort"):
            connection.execute(sa.text(f"set local enable_{way} = off"))
        sa.event.listen(hub.engine, "before_cursor_execute", note)
        rows = listing.page(connection, Scope("account"), Every(()), part)
        sa.event.remove(hub.engine, "before_cursor_execute", note)
        statement, given = asked[0]
        plan = connection.exec_driver_sql(f"explain analyze {statement}", given).scalars().all()  # type: ignore[call-overload]
    assert len(rows) == SIZE
    read = [int(found[1]) for line in plan if "Scan" in line and (found := re.search(r"actual .*rows=(\d+)", line))]
    assert len(read) == 2, plan
    assert max(read) <= SIZE + 1, plan
