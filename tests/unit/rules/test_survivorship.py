"""Which value wins: ownership, rank, doubt, null, echo, ties."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import combinations
from typing import Any

import pytest

from canonical.ids import SourceKey
from canonical.record import SourceRecord
from rules.case import Case, Ties
from rules.judge import judge
from rules.ruleset import RuleSet, load, shipped

NOW = datetime(2026, 10, 1, tzinfo=UTC)
DOCUMENT = """
entity: account
title: Test
facts: {{status: status}}
matching:
  keys: [{{name: name, of: [legal_name]}}]
  compare:
    - name: name
      fields: [legal_name]
      by: exact
      levels: [{{at_least: 1, weight: 20}}]
      otherwise: 20
      why: all are one here
ownership:
  - {{fields: [industry], system: crm, why: the CRM knows what they do}}
  - {{fields: [industry], system: erp, from: 2027-01-01, why: from next year the ledger does}}
survivorship:
{rules}
  - {{id: rest, fields: ["*"], take: source_rank, rank: [crm, billing, erp], why: the usual order of systems}}
"""


def ruleset(*rules: str) -> RuleSet:
    return load(DOCUMENT.format(rules="\n".join(f"  - {{{rule}, why: for this test}}" for rule in rules)), "test.yaml")


def record(system: str, day: int = 1, key: str = "1", **values: Any) -> SourceRecord:
    moment = datetime(2026, 1, day, tzinfo=UTC)
    return SourceRecord(SourceKey(system, "account", key), {"legal_name": "Acme", **values}, moment, moment)


def winner(
    rules: RuleSet, field: str, *records: SourceRecord, now: datetime = NOW, **case: Any
) -> tuple[Any, str | None, dict[str, str]]:
    together = tuple(sorted(records, key=lambda one: one.key))
    pairs = [(a, b, 20.0) for a, b in combinations(range(len(records)), 2)]
    draft = judge(Case("account", together, Ties.of(range(len(records)), pairs), **case), rules, now).drafts[0]
    proof = draft.provenance[field]
    losers = {lost.source.system: lost.reason for lost in proof.losers}
    return draft.values[field], proof.source.system if proof.source else None, losers


@pytest.mark.promise("A-08")
def test_survive_owner_wins_over_newer_words_of_others() -> None:
    rules = ruleset("id: owner, fields: [industry], take: owner")
    value, system, losers = winner(
        rules, "industry", record("crm", 1, industry="Rail"), record("billing", 9, industry="Ships")
    )
    assert (value, system) == ("Rail", "crm")
    assert losers == {"billing": "crm is the system of record"}


def test_survive_ownership_changes_on_its_date() -> None:
    rules = ruleset("id: owner, fields: [industry], take: owner")
    records = record("crm", industry="Rail"), record("erp", industry="Ships")
    assert winner(rules, "industry", *records)[0] == "Rail"
    assert winner(rules, "industry", *records, now=datetime(2027, 1, 2, tzinfo=UTC))[0] == "Ships"


def test_survive_silent_owner_gives_way_to_the_next_rule() -> None:
    rules = ruleset("id: owner, fields: [industry], take: owner")
    assert winner(rules, "industry", record("billing", industry="Ships"), record("crm"))[1] == "billing"


@pytest.mark.parametrize(
    ("take", "expected"),
    [
        ("most_recent", "new"),
        ("oldest", "oldest value"),
        ("longest", "oldest value"),
        ("source_rank, rank: [erp]", "mid"),
    ],
)
def test_survive_strategy_picks_its_value(take: str, expected: str) -> None:
    rules = ruleset(f"id: one, fields: [industry], take: {take}")
    said = (
        record("crm", 1, industry="oldest value"),
        record("erp", 5, industry="mid"),
        record("billing", 9, industry="new"),
    )
    assert winner(rules, "industry", *said)[0] == expected


def test_survive_most_frequent_counts_equal_values() -> None:
    rules = ruleset("id: one, fields: [industry], take: most_frequent")
    said = record("crm", 9, industry="a"), record("erp", 1, industry="b"), record("billing", 2, industry="b")
    assert winner(rules, "industry", *said)[0] == "b"


def test_survive_doubtful_value_loses_against_any_clean_one() -> None:
    value, system, losers = winner(
        ruleset(), "email", record("crm", email="test@test.com"), record("erp", email="a@acme.example")
    )
    assert (value, system) == ("a@acme.example", "erp")
    assert losers == {"crm": "doubtful value"}


def test_survive_null_loses_and_stands_alone() -> None:
    assert winner(ruleset(), "industry", record("crm", industry=None), record("erp", industry="Rail"))[0] == "Rail"
    draft = judge(Case("account", (record("crm", industry=None),)), ruleset(), NOW).drafts[0]
    assert "industry" not in draft.values


def test_survive_null_that_wins_clears_the_field() -> None:
    rules = ruleset("id: one, fields: [industry], take: owner, 'null': wins")
    assert winner(rules, "industry", record("crm", industry=None), record("erp", industry="Rail"))[0] is None


def test_survive_group_comes_whole_from_one_system() -> None:
    mill, quay = {"line1": "12 Mill Lane", "postcode": "LS1 4AB"}, {"line1": "9 Quay Street", "city": "Hull"}
    value, *_ = winner(
        ruleset(), "billing_address", record("crm", billing_address=mill), record("erp", billing_address=quay)
    )
    assert value == mill


def test_survive_same_source_as_keeps_two_fields_together() -> None:
    rules = ruleset("id: cur, fields: [payment_terms], take: same_source_as, of: currency")
    said = record("crm", payment_terms="NET30"), record("billing", currency="EUR", payment_terms="NET60")
    assert winner(rules, "payment_terms", *said)[0] == "NET60"


def test_survive_union_joins_lists_without_repeating() -> None:
    rules = ruleset("id: all, fields: [identifiers], take: union")
    one, two = {"type": "duns", "value": "111"}, {"type": "lei", "value": "222"}
    value, *_ = winner(rules, "identifiers", record("crm", identifiers=[one, two]), record("erp", identifiers=[two]))
    assert value == [one, two]


def test_survive_echo_is_no_witness() -> None:
    rules = ruleset("id: recent, fields: [industry], take: most_recent")
    erp = record("erp", 9, industry="Rail")
    value, system, losers = winner(
        rules, "industry", record("crm", 1, industry="Ships"), erp, published={erp.key: {"industry": "Rail"}}
    )
    assert (value, system) == ("Ships", "crm")
    assert losers == {"erp": "echo of what the hub published"}


def test_survive_tie_is_broken_by_system_and_key() -> None:
    rules = ruleset("id: recent, fields: [industry], take: most_recent")
    said = [record("erp", 1, industry="b"), record("billing", 1, industry="a")]
    assert winner(rules, "industry", *said)[1] == winner(rules, "industry", *said[::-1])[1] == "billing"


def test_judge_twice_gives_the_same_answer() -> None:
    case = Case("account", (record("crm", industry="Rail"), record("erp", industry="Ships")))
    assert judge(case, shipped()["account"], NOW) == judge(case, shipped()["account"], NOW)
