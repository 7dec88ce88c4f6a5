"""The strategies one by one, what a null may do, who may speak over an owner, and the laws that say "any"."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canonical.ids import SourceKey
from canonical.record import Provenance, SourceRecord
from rules.errors import RuleSetInvalid
from rules.ruleset import RuleSet, load, shipped
from rules.strategies import MAY_PASS, ORDERS, STRATEGIES, measured_as
from rules.survivorship import Setting, survive

NOW = datetime(2026, 10, 1, tzinfo=UTC)
DOCUMENT = """
entity: {entity}
title: Test
matching: {{keys: [], compare: []}}
ownership:
{owners}
survivorship:
{rules}
  - {{id: rest, fields: ["*"], take: source_rank, rank: [crm, billing, erp], why: the usual order of systems}}
"""
MONTH = timedelta(days=30)


def ruleset(*rules: str, entity: str = "account", owners: tuple[str, ...] = ()) -> RuleSet:
    listed = "\n".join(f"  - {{{rule}, why: for this test}}" for rule in rules)
    owned = "\n".join(f"  - {{{owner}, why: for this test}}" for owner in owners) or "  []"
    return load(DOCUMENT.format(rules=listed, entity=entity, owners=owned), "test.yaml")


def said(system: str, day: int = 1, key: str = "1", entity: str = "account", **values: Any) -> SourceRecord:
    moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day - 1)
    return SourceRecord(SourceKey(system, entity, key), values, moment, moment)


def agreed(rules: RuleSet, *records: SourceRecord, now: datetime = NOW) -> tuple[dict[str, Any], dict[str, Provenance]]:
    applicable = rules.applicable({})
    return survive(records, Setting(rules, applicable, now, {}))


def value(rules: RuleSet, name: str, *records: SourceRecord, now: datetime = NOW) -> Any:
    return agreed(rules, *records, now=now)[0].get(name)


def money(amount: str, currency: str = "EUR") -> dict[str, str]:
    return {"amount": amount, "currency": currency}


@pytest.mark.parametrize(("take", "expected"), [("min", "90.00"), ("max", "1000.00")])
def test_min_and_max_compare_amounts_as_numbers(take: str, expected: str) -> None:
    rules = ruleset(f"id: one, fields: [total], take: {take}", entity="invoice")
    records = [
        said(system, entity="invoice", total=money(amount))
        for system, amount in (("crm", "100.00"), ("billing", "90.00"), ("erp", "1000.00"))
    ]
    assert value(rules, "total", *records) == money(expected)


def test_max_of_amounts_in_two_currencies_is_nobodys_and_the_next_rule_decides() -> None:
    rules = ruleset("id: one, fields: [total], take: max", entity="invoice")
    records = (
        said("billing", entity="invoice", total=money("500.00", "USD")),
        said("crm", entity="invoice", total=money("1.00")),
    )
    assert value(rules, "total", *records) == money("1.00")


def test_min_of_dates_is_the_earliest_and_quantities_are_numbers() -> None:
    rules = ruleset("id: one, fields: [issued_on], take: min", entity="invoice")
    first, second = (
        said("crm", entity="invoice", issued_on="2026-02-01"),
        said("erp", entity="invoice", issued_on="2025-12-31"),
    )
    assert value(rules, "issued_on", first, second) == "2025-12-31"
    rules = ruleset("id: one, fields: [quantity], take: max", entity="usage_record")
    usage = said("crm", entity="usage_record", quantity="9"), said("erp", entity="usage_record", quantity="10")
    assert value(rules, "quantity", *usage) == "10"


def test_max_of_what_has_no_size_is_refused() -> None:
    with pytest.raises(RuleSetInvalid, match="industry has no small and large"):
        ruleset("id: one, fields: [industry], take: max")


TRUST = "trust: {crm: {start: 90, half_life_days: 30}, erp: {start: 60}}"


def test_trust_decays_with_the_age_of_the_statement() -> None:
    rules = ruleset(f"id: one, fields: [industry], take: most_trusted, {TRUST}")
    records = said("crm", industry="Rail"), said("erp", industry="Ships")
    start = records[0].asserted_at
    assert value(rules, "industry", *records, now=start) == "Rail"
    assert value(rules, "industry", *records, now=start + MONTH) == "Ships"
    assert value(rules, "industry", said("crm", 25, industry="Rail"), records[1], now=start + MONTH) == "Rail"
    proof = agreed(rules, *records, now=start + MONTH)[1]["industry"]
    assert [lost.reason for lost in proof.losers] == ["erp is trusted more"]


def test_trust_sinks_to_its_floor_and_a_system_without_any_has_none() -> None:
    rules = ruleset(
        "id: one, fields: [industry], take: most_trusted, "
        "trust: {crm: {start: 90, half_life_days: 1, floor: 50}, erp: {start: 40}}"
    )
    records = said("crm", industry="Rail"), said("erp", industry="Ships"), said("billing", 200, industry="Air")
    assert value(rules, "industry", *records) == "Rail"


def test_trust_of_a_statement_from_the_future_is_not_more_than_at_first() -> None:
    rules = ruleset(
        "id: one, fields: [industry], take: most_trusted, "
        "trust: {crm: {start: 50, half_life_days: 1}, erp: {start: 60}}"
    )
    ahead = said("crm", industry="Rail"), said("erp", industry="Ships")
    assert value(rules, "industry", *ahead, now=datetime(2025, 1, 1, tzinfo=UTC)) == "Ships"


def test_verified_only_falls_through_while_nobody_is_beyond_doubt() -> None:
    rules = ruleset(
        "id: sure, fields: [email], take: source_rank, rank: [erp], verified_only: true",
        "id: newest, fields: [email], take: most_recent",
    )
    doubtful = said("erp", 1, email="test@test.com"), said("crm", 2, email="none@none.com")
    _, proof = agreed(rules, *doubtful)
    assert proof["email"].rule == "newest"
    _, proof = agreed(rules, said("erp", 1, email="a@acorn.example"), said("crm", 2, email="b@acorn.example"))
    assert (proof["email"].rule, proof["email"].source) == ("sure", SourceKey("erp", "account", "1"))


def test_verified_only_passes_over_a_list_with_one_bad_entry_that_is_not_doubtful_as_a_whole() -> None:
    rules = ruleset("id: sure, fields: [identifiers], take: source_rank, rank: [erp], verified_only: true")
    good, bad = {"type": "lei", "value": "529900T8BM49AURSDO55"}, {"type": "lei", "value": "529900T8BM49AURSDO56"}
    assert not rules.entity.fields["identifiers"].doubtful([good, bad])
    assert value(rules, "identifiers", said("erp", identifiers=[good, bad]), said("crm", identifiers=[good])) == [good]


@pytest.mark.parametrize(
    ("by", "first", "second"),
    [
        ("written_naturally", "Acorn Foods", "ACORN FOODS LIMITED"),
        ("most_words", "Jane Mary Doe", "Jane-Marylou-Doe"),
        ("most_accents", "Müller", "Mullerrrr"),
        ("listed, rank: [Rail, Ships]", "Rail", "Ships"),
    ],
)
def test_first_by_takes_what_stands_first_in_the_named_order(by: str, first: str, second: str) -> None:
    rules = ruleset(f"id: one, fields: [industry], take: first_by, by: {by}")
    assert value(rules, "industry", said("crm", 9, industry=second), said("erp", 1, industry=first)) == first


def test_every_strategy_and_order_says_what_it_takes() -> None:
    assert all(len((one.__doc__ or "").strip()) > 15 for one in (*STRATEGIES.values(), *ORDERS.values()))
    assert STRATEGIES.keys() >= MAY_PASS


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("take: most_recnt", "Did you mean 'most_recent'"),
        ("take: first_by, by: shortest", "There are: listed"),
        ("take: first_by", "There are: listed"),
        ("take: most_trusted", "needs `trust`"),
        ("take: same_source_as", "needs `of`"),
        ("take: source_rank", "needs `rank`"),
        ("take: same_source_as, of: curency", "no field 'curency'"),
    ],
)
def test_rule_that_cannot_be_asked_is_refused(rule: str, words: str) -> None:
    with pytest.raises(RuleSetInvalid) as caught:
        ruleset(f"id: one, fields: [industry], {rule}")
    assert words in f"{caught.value.message} {caught.value.hint}"


def test_same_source_as_works_whatever_the_order_of_the_fields_and_refuses_a_circle() -> None:
    follows = "id: f, fields: [currency], take: same_source_as, of: payment_terms"
    rules = ruleset(follows, "id: last, fields: [payment_terms], take: most_recent")
    records = (
        said("crm", 1, currency="EUR", payment_terms="NET30"),
        said("erp", 2, currency="USD", payment_terms="NET60"),
    )
    assert agreed(rules, *records)[0] == {"currency": "USD", "payment_terms": "NET60"}
    with pytest.raises(RuleSetInvalid, match="circle: currency -> payment_terms -> currency"):
        ruleset(follows, "id: back, fields: [payment_terms], take: same_source_as, of: currency")


OWNER = ("fields: [industry], system: crm",)


@pytest.mark.parametrize(
    ("null", "crm", "erp", "expected"),
    [
        ("loses", None, "Ships", "Ships"),
        ("wins", None, "Ships", None),
        ("clears_from_owner", None, "Ships", None),
        ("clears_from_owner", "Rail", None, "Rail"),
        ("wins", "Rail", None, None),
        ("loses", "Rail", None, "Rail"),
    ],
)
def test_null_does_what_the_rule_says_of_it(null: str, crm: str | None, erp: str | None, expected: str | None) -> None:
    rules = ruleset(f"id: last, fields: [industry], take: most_recent, 'null': {null}", owners=OWNER)
    days = (9, 1) if crm is None else (1, 9)
    assert value(rules, "industry", said("crm", days[0], industry=crm), said("erp", days[1], industry=erp)) == expected


def test_null_of_another_never_clears_and_without_an_owner_nothing_does() -> None:
    cleared = "id: last, fields: [industry], take: most_recent, 'null': clears_from_owner"
    records = said("crm", 1, industry="Rail"), said("erp", 9, industry=None)
    assert value(ruleset(cleared, owners=OWNER), "industry", *records) == "Rail"
    assert value(ruleset(cleared), "industry", said("crm", 9, industry=None), said("erp", 1, industry="A")) == "A"


def test_null_that_may_speak_is_never_the_longest() -> None:
    rules = ruleset("id: one, fields: [industry], take: longest, 'null': wins")
    assert value(rules, "industry", said("crm", 9, industry=None), said("erp", industry="Sea")) == "Sea"


def test_rules_are_asked_in_the_order_written_whether_they_name_a_field_or_all() -> None:
    rules = shipped()["account"]
    records = (
        said("billing", 1, billing_address={"line1": "9 Quay Street"}),
        said("erp", 9, billing_address={"line1": "12 Mill Lane"}),
    )
    values, proof = agreed(rules, *records)
    assert values["billing_address"] == {"line1": "9 Quay Street"}
    assert proof["billing_address"].rule == "owner"


def test_losers_of_the_winners_own_system_say_why_they_lost() -> None:
    rules = ruleset(owners=OWNER)
    records = (
        said("crm", 2, "1", industry="Rail"),
        said("crm", 1, "2", industry="Ships"),
        said("crm", 2, "3", industry="A"),
    )
    reasons = [lost.reason for lost in agreed(rules, *records)[1]["industry"].losers]
    assert reasons == ["asserted earlier", "asserted then too, later by key"]


WORDS = {
    "legal_name": ("Acorn Foods", "ACORN FOODS", "Birch", None),
    "industry": ("Rail", "Ships", None),
    "email": ("a@acorn.example", "test@test.com", None),
    "payment_terms": ("NET30", "NET60", None),
    "currency": ("EUR", "USD", None),
}
RULES = (
    "take: owner",
    "take: source_rank, rank: [erp, crm]",
    "take: most_trusted, trust: {crm: {start: 90, half_life_days: 40}, erp: {start: 60}}",
    "take: most_recent",
    "take: oldest",
    "take: longest",
    "take: most_complete",
    "take: most_frequent",
    "take: first_by, by: written_naturally",
    "take: most_recent, verified_only: true",
    "take: most_recent, 'null': clears_from_owner",
    "take: source_rank, rank: [billing], 'null': wins",
)


@st.composite
def clusters(draw: Any) -> list[SourceRecord]:
    """What some systems say of one account; several records of one system, equal times and nulls included."""
    count = draw(st.integers(1, 5))
    found = []
    for number in range(count):
        values = {name: draw(st.sampled_from(words)) for name, words in WORDS.items() if draw(st.booleans())}
        found.append(
            said(draw(st.sampled_from(("crm", "billing", "erp"))), draw(st.integers(1, 3)), str(number), **values)
        )
    return found


COMPILED = tuple(
    ruleset(f'id: one, fields: ["*"], {rule}', owners=("fields: [industry, legal_name], system: crm",))
    for rule in RULES
)


@given(records=clusters(), rules=st.sampled_from(COMPILED), data=st.data())
@settings(deadline=None)
def test_any_order_of_the_members_gives_the_same_values_and_reasons(
    records: list[SourceRecord], rules: RuleSet, data: st.DataObject
) -> None:
    """Law 6: nothing depends on the order of arrival; ties are broken by a total order."""
    assert agreed(rules, *records) == agreed(rules, *data.draw(st.permutations(records)))


@given(records=clusters(), rules=st.sampled_from(COMPILED))
@settings(deadline=None)
def test_any_value_that_survives_was_stated_by_its_winner_and_every_other_has_a_reason(
    records: list[SourceRecord], rules: RuleSet
) -> None:
    """Law 7: a value or group comes whole from the record that is named."""
    values, proof = agreed(rules, *records)
    by_key = {record.key: record for record in records}
    for name, one in proof.items():
        assert one.source is not None
        assert by_key[one.source].values[name] == values[name]
        others = {record.key for record in records if name in record.values} - {one.source}
        assert {lost.source for lost in one.losers} == others
        assert all(lost.reason for lost in one.losers)


@given(records=clusters())
@settings(deadline=None)
def test_any_time_the_owner_speaks_no_other_system_wins(records: list[SourceRecord]) -> None:
    """Unless a rule that stands before `owner` says so (identifiers are joined)."""
    rules = shipped()["account"]
    applicable = rules.applicable({})
    _, proof = survive(records, Setting(rules, applicable, NOW, {}))
    for name, one in proof.items():
        owner = rules.owner_of(name, applicable, NOW)
        field = rules.entity.fields[name]
        own = [r.values[name] for r in records if r.key.system == owner and r.values.get(name) is not None]
        if any(not field.doubtful(said_) for said_ in own):
            assert one.source is not None
            assert one.source.system == owner


def test_every_shipped_rule_set_asks_the_owner_before_it_ranks_a_field_that_has_one() -> None:
    for rules in shipped().values():
        owned = {name for owner in rules.document.ownership for name in owner.fields}
        for name in owned:
            takes = [rule.take for rule in rules.rules_for(name, rules.applicable({}))]
            assert "owner" in takes
            assert set(takes[: takes.index("owner")]) <= {"union"}, (rules.document.entity, name)


@given(days=st.lists(st.integers(0, 4000), min_size=2, max_size=2, unique=True).map(sorted))
@settings(deadline=None)
def test_any_older_statement_of_a_system_is_never_trusted_more(days: list[int]) -> None:
    rules = ruleset("id: one, fields: [industry], take: most_trusted, trust: {crm: {start: 90, half_life_days: 30}}")
    older, newer = said("crm", days[0], "1", industry="old"), said("crm", days[1], "2", industry="new")
    assert value(rules, "industry", older, newer, now=newer.asserted_at + MONTH) == "new"


def test_what_has_a_size_is_numbers_amounts_and_times() -> None:
    kinds = {measured_as(field) for rules in shipped().values() for field in rules.entity.fields.values()}
    assert kinds == {None, "number", "money", "time"}
