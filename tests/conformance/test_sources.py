"""What every source must keep, by being in the registry; its payloads are those of the seed."""

from __future__ import annotations

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
