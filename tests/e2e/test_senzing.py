"""Real input that nobody here made: the public Senzing truth set, from one file to golden records and the ERP."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from canonical.ids import SourceKey
from hub import queries
from hub.flow import publish
from hub.store import reads
from hub.store.engine import reading
from hub.wiring import Hub

DATA = Path(__file__).resolve().parents[3] / "shared" / "datasets" / "senzing"
MAPPING = Path(__file__).parent / "senzing.yaml"

pytestmark = pytest.mark.skipif(not DATA.exists(), reason="the public data sets are not beside this checkout")


def test_senzing_reaches_golden_records_and_a_publish_run(hub: Hub) -> None:
    report = hub.ingest_file(hub.source("senzing", MAPPING), DATA / "records.csv")
    assert (report.payloads, report.accepted, report.rejected, report.failed) == (159, 159, 0, 0)
    found = queries.overview(hub.engine)
    assert queries.unbalanced(found["sources"]) == []
    assert {s["system"] for s in found["sources"]} == {"customers", "reference", "watchlist"}
    view = queries.record(hub.engine, "customers:account:CUSTOMERS:1001")
    assert view.golden["label"] == "Robert Smith"
    target = hub.target("memory")
    plan = publish.make_plan(hub.engine, target, "ana", hub.clock())
    publish.approve(hub.engine, plan, None, "ben", hub.clock())
    counts = publish.apply(hub.engine, target, plan, hub.clock)
    assert sum(counts.values()) == 0, "only the erp target is in the rules"
    erp = hub.target("erp")
    plan = publish.make_plan(hub.engine, erp, "ana", hub.clock())
    publish.approve(hub.engine, plan, None, "ben", hub.clock())
    assert publish.apply(hub.engine, erp, plan, hub.clock)["acknowledged"] >= 0.8 * found["golden"]["account"]


def test_senzing_records_are_joined_with_good_precision(hub: Hub) -> None:
    """A floor for the shipped rules; the matching room is judged by its own measure."""
    hub.ingest_file(hub.source("senzing", MAPPING), DATA / "records.csv")
    with (DATA / "truth.csv").open() as stream:
        truth = {row["record_id"]: row["cluster_id"] for row in csv.DictReader(stream)}
    keys = {key: SourceKey(key.split(":")[0].lower(), "account", key) for key in truth}
    with reading(hub.engine) as connection:
        held = reads.golden_of(connection, list(keys.values()))
    predicted = {key: held[source] for key, source in keys.items()}

    def pairs(counted: Counter[object]) -> int:
        return sum(n * (n - 1) // 2 for n in counted.values())

    right = pairs(Counter((truth[key], predicted[key]) for key in truth))
    precision, recall = right / pairs(Counter(predicted.values())), right / pairs(Counter(truth.values()))
    assert precision >= 0.8
    assert recall >= 0.4
