"""Mappings: every field is mapped, ignored by name, or reported."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.errors import MappingInvalid
from adapters.mapping import load
from canonical.record import SourceRecord

NOW = datetime(2026, 10, 1, tzinfo=UTC)
HEAD = "system: crm\nentities:\n  - entity: account\n    key: id\n    fields:\n"


def one(fields: str, payload: dict[str, Any], rest: str = "") -> SourceRecord:
    made = load(HEAD + "".join(f"      {line}\n" for line in fields.splitlines()) + rest, "m.yaml")
    records = made.translate({"id": "1", **payload}, NOW).records
    assert len(records) == 1
    return records[0]


@pytest.mark.parametrize(
    ("made", "payload", "expected"),
    [
        ("industry: a.b[1].c", {"a": {"b": [{}, {"c": "x"}]}}, "x"),
        ("industry: {constant: x}", {}, "x"),
        ("industry: {first: [a, b]}", {"a": "", "b": "x"}, "x"),
        ("industry: {join: [a, b], with: '-'}", {"a": "x", "b": "y"}, "x-y"),
        ("industry: {path: a, split: '|', take: 1}", {"a": "x|y"}, "y"),
        ("status: {path: a, codes: {A: active}}", {"a": "A"}, "active"),
        ("status: {path: a, codes: {A: active}, otherwise: closed}", {"a": "B"}, "closed"),
        ("parent: {reference: account, key: a}", {"a": 7}, "crm:account:7"),
        ("seller: {reference: legal_entity, key: a, system: erp}", {"a": "1000"}, "erp:legal_entity:1000"),
        (
            "billing_address: {object: {city: a, country: b}}",
            {"a": "Leeds", "b": "UK"},
            {"city": "Leeds", "country": "GB"},
        ),
    ],
)
def test_mapping_makes_the_value(made: str, payload: dict[str, Any], expected: Any) -> None:
    assert list(one(made, payload).values.values()) == [expected]


def test_mapping_absent_null_and_value_stay_apart() -> None:
    assert one("industry: a", {}).values == {}
    assert one("industry: a", {"a": None}).values == {"industry": None}
    assert one("industry: a", {"a": ""}).values == {"industry": None}
    assert one("industry: {path: a, empty: absent}", {"a": ""}).values == {}


@pytest.mark.promise("A-75")
def test_mapping_unmapped_field_is_reported_by_its_path() -> None:
    made = load(HEAD + "      industry: a\n    ignore: [known, deep.ignored]\n", "m.yaml")
    payload = {"id": "1", "a": "x", "known": 1, "deep": {"ignored": 1, "new": [{"leaf": 2}]}}
    found = made.translate(payload, NOW).findings
    assert [(f.code, f.field) for f in found] == [("HUB-3201", "deep.new.leaf")]


def test_mapping_unlisted_code_leaves_the_field_unsaid_with_a_finding() -> None:
    record = one("status: {path: a, codes: {A: active}}", {"a": "Q"})
    assert "status" not in record.values
    assert [(f.code, f.field) for f in record.findings] == [("HUB-3205", "status")]


def test_mapping_missing_required_field_is_a_finding() -> None:
    assert [f.code for f in one("industry: {path: a, required: true}", {}).findings] == ["HUB-3202"]


@pytest.mark.parametrize("key", [None, "", {"x": 1}])
def test_mapping_payload_without_a_key_is_rejected(key: Any) -> None:
    found = load(HEAD + "      industry: a\n", "m.yaml").translate({"id": key}, NOW)
    assert found.records == ()
    assert "HUB-3203" in [f.code for f in found.findings]


def test_mapping_times_and_order_of_the_source() -> None:
    rest = "    version: v\n    asserted_at: t\n"
    record = one("industry: a", {"t": "2026-01-02T03:04:05Z", "v": 7}, rest)
    assert (record.asserted_at, record.version) == (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), 7)
    epoch = one("industry: a", {"t": 1_767_322_245}, rest)
    assert epoch.asserted_at == datetime(2026, 1, 2, 2, 50, 45, tzinfo=UTC)
    assert one("industry: a", {"t": "soon"}, rest).asserted_at == NOW


def test_mapping_lists_from_each_entry_and_from_named_places() -> None:
    text = """
system: billing
entities:
  - entity: invoice
    key: id
    fields:
      lines: {each: rows, as: {key: id, amount: {money: {amount: cents, currency: $.cur, minor: true}}}}
"""
    record = (
        load(text, "m.yaml").translate({"id": 1, "cur": "jpy", "rows": [{"id": "a", "cents": 120}]}, NOW).records[0]
    )
    assert record.values["lines"] == [{"key": "a", "amount": {"amount": "120", "currency": "JPY"}}]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (HEAD + "      legal_nme: a\n", "legal_nme"),
        (HEAD.replace("account", "acount") + "      x: a\n", "acount"),
        (HEAD + "      industry: {pth: a}\n", "m.yaml:6:"),
        (HEAD.replace("key: id", "kye: id") + "      industry: a\n", "Did you mean 'key'?"),
        ("system: [\n", "m.yaml:"),
    ],
)
def test_mapping_that_names_what_is_not_there_is_an_error_with_its_place(text: str, words: str) -> None:
    with pytest.raises(MappingInvalid) as caught:
        load(text, "m.yaml")
    assert words in caught.value.message


def test_mapping_content_hash_follows_what_is_said_not_how() -> None:
    first = one("industry: a", {"a": "Rail"})
    assert first.content_hash == one("industry: a", {"a": " Rail "}).content_hash
    assert first.content_hash != one("industry: a", {"a": "Ships"}).content_hash
