"""Mappings: every field is mapped, ignored by name, or reported."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
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
        (HEAD + "      legal_nme: a\n", "m.yaml:6:7 account has no field 'legal_nme'. Did you mean 'legal_name'?"),
        (
            HEAD.replace("account", "acount") + "      x: a\n",
            "m.yaml:3:5 there is no entity 'acount'. Did you mean 'account'?",
        ),
        (HEAD + "      billing_address: {object: {lin1: a}}\n", "Did you mean 'line1'?"),
        (HEAD + "      identifiers: {list: [{typ: a, value: b}]}\n", "Did you mean 'type'?"),
        (HEAD + "      status: {path: a, codes: {A: actve}}\n", "Did you mean 'active'?"),
        (HEAD + "      status: {constant: actve}\n", "Did you mean 'active'?"),
        (HEAD + "      parent: {reference: contact, key: a}\n", "points to account"),
        (HEAD + "      parent: a\n", "write {reference: account, key: PATH}"),
        (HEAD + "      industry: a..b\n", "expected a path"),
        (HEAD + "      industry: 'a[x]'\n", "expected a path"),
        (HEAD.replace("key: id", "key: {constant: 1}") + "      industry: a\n", "constant key"),
        (
            HEAD.replace("key: id", "key: id\n    when: {path: a}") + "      industry: a\n",
            "one of `is`, `in` and `present`",
        ),
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


def test_mapping_key_with_a_dot_stands_in_quotes() -> None:
    assert one("industry: '\"a.b\".c'", {"a.b": {"c": "x"}}).values == {"industry": "x"}


@pytest.mark.parametrize(
    "made",
    [
        "billing_address: {object: {line1: a, country: {path: b, codes: {D: DE}}}}",
        "trading_name: {join: [a, {path: b, codes: {D: x}}]}",
    ],
)
def test_mapping_unlisted_code_inside_a_value_is_reported_and_never_leaks(made: str) -> None:
    record = one(made, {"a": "Mill Lane", "b": "Q"})
    assert [f.code for f in record.findings] == ["HUB-3205"]
    assert "Mill Lane" in str(record.values)
    assert "unmapped" not in str(record.values)


def test_mapping_code_tables_know_yes_and_no_quoted_or_not() -> None:
    for table in ("{true: active, false: closed}", '{"true": active, "false": closed}'):
        made = f"status: {{path: a, codes: {table}}}"
        assert one(made, {"a": False}).values == {"status": "closed"}
        assert one(made, {"a": "true"}).values == {"status": "active"}


def test_mapping_joined_key_needs_all_its_parts() -> None:
    made = load(HEAD.replace("key: id", "key: {join: [a, b], with: ':'}") + "      industry: c\n", "m.yaml")
    assert str(made.translate({"a": "DE", "b": 7}, NOW).records[0].key) == "crm:account:DE:7"
    for half in ({"a": "DE"}, {"a": "DE", "b": ""}, {"a": "DE", "b": None}):
        assert made.translate(half, NOW).records == ()


@pytest.mark.parametrize("key", [" ", True, [1], "x" * 513])
def test_mapping_what_cannot_be_a_key_is_none(key: Any) -> None:
    found = load(HEAD + "      industry: a\n", "m.yaml").translate({"id": key}, NOW)
    assert found.records == ()
    assert "HUB-3203" in [f.code for f in found.findings]


def test_mapping_key_is_raw() -> None:
    keys = [one("industry: a", {"id": raw}).key.key for raw in ("007", 7, Decimal("1E+3"), " a ")]
    assert keys == ["007", "7", "1000", " a "]


def test_mapping_required_means_filled_unless_the_record_is_gone() -> None:
    made = "industry: {path: a, required: true}"
    rest = "    deleted: {path: gone, is: true}\n"
    for payload in ({}, {"a": None}, {"a": ""}):
        assert [f.code for f in one(made, payload, rest).findings] == ["HUB-3202"]
        assert one(made, {**payload, "gone": True}, rest).findings == ()
    assert one(made, {"gone": "TRUE"}, rest).tombstone


def test_mapping_record_replaced_by_itself_stays() -> None:
    rest = "    replaced_by: heir\n"
    assert one("industry: a", {"heir": "1"}, rest).replaced_by is None
    heir = one("industry: a", {"heir": "2"}, rest)
    assert (str(heir.replaced_by), heir.tombstone) == ("crm:account:2", True)


def test_mapping_guard_on_a_missing_path_holds_for_no_word() -> None:
    text = HEAD.replace("key: id", "key: id\n    when: {path: state, in: [absent, live]}") + "      industry: a\n"
    assert load(text, "m.yaml").translate({"id": 1}, NOW).records == ()
    assert load(text, "m.yaml").translate({"id": 1, "state": "LIVE"}, NOW).records


def test_mapping_version_as_text_is_the_number() -> None:
    assert one("industry: a", {"v": "17"}, "    version: v\n").version == 17


def test_mapping_money_in_one_fixed_currency() -> None:
    text = HEAD.replace("account", "payment") + "      amount: {money: {amount: a, currency: {constant: EUR}}}\n"
    record = load(text, "m.yaml").translate({"id": 1, "a": "12.5"}, NOW).records[0]
    assert record.values == {"amount": {"amount": "12.50", "currency": "EUR"}}


def test_mapping_file_of_several_systems_by_a_column() -> None:
    text = HEAD.replace("system: crm", "system: {path: src, codes: {A: crm, B: shop}}") + "      industry: a\n"
    made = load(text, "m.yaml")
    assert [str(made.translate({"id": 1, "src": one}, NOW).records[0].key) for one in "AB"] == [
        "crm:account:1",
        "shop:account:1",
    ]
    lost = made.translate({"id": 1, "src": "C"}, NOW)
    assert (lost.records, [(f.code, f.field) for f in lost.findings]) == ((), [("HUB-3202", "src")])


def test_mapping_envelope_and_what_stands_beside_it_is_reported() -> None:
    text = HEAD.replace("entities:", "envelope: data.object\nignore: [event]\nentities:") + "      industry: a\n"
    found = load(text, "m.yaml").translate({"event": 1, "extra": 2, "data": {"object": {"id": 1, "b": 3}}}, NOW)
    assert [f.field for f in found.findings] == ["data.object.b", "extra"]
    assert load(text, "m.yaml").translate({"data": 1}, NOW).findings[0].field == "data.object"
