"""What every source must keep, by being in the registry; its payloads are those of the seed."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest

from adapters.decode import read_payloads
from adapters.mapping import MappedSource
from adapters.registry import SOURCES
from adapters.registry import source as source_named
from canonical.catalogue import ENTITIES
from canonical.findings import FINDINGS, Severity
from seed import generate

NOW = datetime(2026, 10, 1, tzinfo=UTC)


@cache
def payloads(system: str) -> tuple[dict[str, Any], ...]:
    folder = Path(mkdtemp(prefix="concord-seed-"))
    generate(folder, accounts=120)
    return tuple(p.content for path in sorted((folder / system).iterdir()) for p in read_payloads(path) if p.content)


@pytest.fixture(params=SOURCES)
def system(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def source(system: str) -> MappedSource:
    return source_named(system)


def records(source: MappedSource, system: str) -> Iterator[Any]:
    for payload in payloads(system):
        yield from source.translate(payload, NOW).records


def test_source_every_payload_of_the_seed_becomes_records(source: MappedSource, system: str) -> None:
    assert payloads(system)
    assert all(source.translate(payload, NOW).records for payload in payloads(system))


def test_source_speaks_of_canonical_entities_in_its_own_name(source: MappedSource, system: str) -> None:
    for record in records(source, system):
        assert record.key.system == system
        assert record.key.entity in ENTITIES
        assert record.key.entity in source.entities


def test_source_maps_or_ignores_every_field_of_its_payloads(source: MappedSource, system: str) -> None:
    strays = {f.field for p in payloads(system) for f in source.translate(p, NOW).findings if f.code == "HUB-3201"}
    assert strays == set()


def test_source_values_are_normal_forms(source: MappedSource, system: str) -> None:
    for record in records(source, system):
        fields = ENTITIES[record.key.entity].fields
        for name, value in record.values.items():
            assert fields[name].read(value)[0] == value


def test_source_times_are_aware_and_keys_are_filled(source: MappedSource, system: str) -> None:
    for record in records(source, system):
        assert record.key.key
        assert record.asserted_at.tzinfo is not None


def test_source_error_findings_are_rare_and_explained(source: MappedSource, system: str) -> None:
    found = [f for record in records(source, system) for f in record.findings]
    assert {f.code for f in found} <= FINDINGS.keys()
    errors = [f for f in found if f.severity is Severity.ERROR]
    assert len(errors) <= 0.01 * len(payloads(system))


def test_source_same_payload_gives_the_same_record(source: MappedSource, system: str) -> None:
    payload = payloads(system)[0]
    shuffled = dict(random.Random(1).sample(list(payload.items()), len(payload)))
    first, second = source.translate(payload, NOW).records[0], source.translate(shuffled, NOW).records[0]
    assert (first.key, first.content_hash, first.values) == (second.key, second.content_hash, second.values)


def test_source_unknown_field_is_reported(source: MappedSource, system: str) -> None:
    found = source.translate({**payloads(system)[0], "surprise": 1}, NOW).findings
    assert ("HUB-3201", "surprise") in [(f.code, f.field) for f in found]


@pytest.mark.parametrize("garbage", [{}, {"id": None}, {"object": "nothing"}, {"attributes": [1]}, {"Id": {"x": 1}}])
def test_source_garbage_is_findings_not_exceptions(source: MappedSource, garbage: dict[str, Any]) -> None:
    translated = source.translate(garbage, NOW)
    assert translated.records == ()
    assert any(f.severity is Severity.ERROR for f in translated.findings)


def test_source_every_field_of_wrong_type_is_survived(source: MappedSource, system: str) -> None:
    payload = payloads(system)[0]
    for wrong in ([[]], {"x": {}}, True, 10**15, "\u202e", None):
        for name in payload:
            source.translate({**payload, name: wrong}, NOW)


def test_source_references_are_source_keys(source: MappedSource, system: str) -> None:
    for record in records(source, system):
        for name, entity in ENTITIES[record.key.entity].references.items():
            if record.values.get(name):
                assert record.values[name].split(":", 2)[1] == entity


def test_source_order_and_repetition_of_payloads_do_not_matter(source: MappedSource, system: str) -> None:
    def said(given: list[dict[str, Any]]) -> set[tuple[str, bytes]]:
        return {(str(r.key), r.content_hash) for payload in given for r in source.translate(payload, NOW).records}

    given = list(payloads(system))
    assert said(given) == said([*reversed(given), *given[:10]])


def test_source_time_of_receipt_changes_nothing_that_is_said(source: MappedSource, system: str) -> None:
    later = NOW.replace(year=2027)
    for payload in payloads(system)[:50]:
        for first, second in zip(
            source.translate(payload, NOW).records, source.translate(payload, later).records, strict=True
        ):
            assert (first.key, first.values, first.version, first.content_hash, first.tombstone) == (
                second.key, second.values, second.version, second.content_hash, second.tombstone,
            )  # fmt: skip


def test_source_payload_is_not_changed_by_translating_it(source: MappedSource, system: str) -> None:
    for payload in payloads(system)[:50]:
        before = json.dumps(payload, default=str)
        source.translate(payload, NOW)
        assert json.dumps(payload, default=str) == before


def test_source_null_and_missing_stay_apart(source: MappedSource, system: str) -> None:
    payload = payloads(system)[0]
    whole = source.translate(payload, NOW).records
    for name in payload:
        without = source.translate({k: v for k, v in payload.items() if k != name}, NOW).records
        emptied = source.translate({**payload, name: None}, NOW).records
        for kept in (without, emptied):
            assert len(kept) <= len(whole)
        for left, empty in zip(without, emptied, strict=False):
            if left.key == empty.key:
                assert left.values.keys() <= empty.values.keys()


def test_source_values_survive_json(source: MappedSource, system: str) -> None:
    for record in records(source, system):
        assert json.loads(json.dumps(record.values)) == record.values
