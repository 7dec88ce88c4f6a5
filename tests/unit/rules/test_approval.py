"""Which changes wait for whom: by what changed, by the money at stake, by where it goes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.approval import Leaving, facts_of_change, publications
from rules.case import Prior
from rules.conditions import holds
from rules.errors import RuleSetInvalid
from rules.ruleset import RuleSet, load

DOCUMENT = """
entity: invoice
title: Test
facts: {{status: status}}
{at_stake}
matching: {{keys: [], compare: []}}
survivorship:
  - {{id: rest, fields: ["*"], take: most_recent, why: whoever spoke last}}
approval:
{rules}
publication:
  - {{id: to-erp, target: erp, why: the ledger gets them all}}
  - {{id: to-tax, target: tax_office, why: and so does the office}}
"""
EUR = {"currency": "EUR"}


def ruleset(*rules: str, at_stake: str = "at_stake: total") -> RuleSet:
    listed = "\n".join(f"  - {{id: r{n}, {rule}, why: for this test}}" for n, rule in enumerate(rules)) or "  []"
    return load(DOCUMENT.format(rules=listed, at_stake=at_stake), "test.yaml")


def waits(rules: RuleSet, values: dict[str, Any], **sent: dict[str, Any]) -> dict[str, str | None]:
    leaving = Leaving({"status": "open", "change": "update", "sources": 1, "published": bool(sent)}, values, sent)
    found = publications(rules, rules.applicable(leaving.facts), [], leaving)
    return {one.target: one.waits_for for one in found}


def total(amount: str, currency: str = "EUR") -> dict[str, Any]:
    return {"number": "INV-1", "total": {"amount": amount, "currency": currency}}


def test_approval_by_changed_field_asks_what_differs_from_what_the_target_has() -> None:
    rules = ruleset("wait_for: finance, when: {changed.due_on: true}")
    before, after = {"due_on": "2026-01-01"}, {"due_on": "2026-02-01"}
    assert waits(rules, after, erp=before) == {"erp": "finance", "tax_office": None}
    assert waits(rules, after, erp=after) == {"erp": None, "tax_office": None}
    assert waits(rules, {}, erp=before)["erp"] == "finance", "a field that was cleared has changed"


def test_approval_of_what_the_target_has_not_yet_seen_is_asked_by_known_there() -> None:
    rules = ruleset("wait_for: finance, when: {known_there: false, target: erp}")
    assert waits(rules, {"due_on": "2026-02-01"}) == {"erp": "finance", "tax_office": None}
    assert waits(rules, {"due_on": "2026-02-01"}, erp={}) == {"erp": None, "tax_office": None}


MUCH = "wait_for: cfo, when: {all: [{fact: at_stake, at_least: 10000}, {fact: at_stake_currency, is: EUR}]}"


@pytest.mark.parametrize(
    ("after", "before", "role"),
    [
        (total("9999.00"), None, None),
        (total("9999.01"), None, "cfo"),  # rounded up: rather asked once too often
        (total("10000.00"), None, "cfo"),
        (total("-12000.00"), None, "cfo"),
        (total("1.00"), total("12000.00"), "cfo"),
        (total("1.00"), total("2.00"), None),
        (total("12000.00", "USD"), None, None),
        (total("1.00"), total("12000.00", "USD"), None),
        ({}, total("12000.00"), "cfo"),
        ({}, None, None),
    ],
)
def test_approval_by_money_at_stake(after: dict[str, Any], before: dict[str, Any] | None, role: str | None) -> None:
    sent = {} if before is None else {"erp": before}
    assert waits(ruleset(MUCH), after, **sent)["erp"] == role


def test_approval_first_rule_that_applies_to_a_target_decides() -> None:
    rules = ruleset("wait_for: auditor, when: {target: tax_office}", MUCH, "wait_for: clerk")
    assert waits(rules, total("20000.00")) == {"erp": "cfo", "tax_office": "auditor"}
    assert waits(rules, total("2.00")) == {"erp": "clerk", "tax_office": "auditor"}


def test_approval_two_small_steps_not_yet_sent_wait_as_one_change() -> None:
    """The second step changes only the purchase order; what leaves still changes the due date."""
    rules = ruleset("wait_for: finance, when: {changed.due_on: true}")
    after = {"due_on": "2026-02-01", "purchase_order": "PO-2"}
    assert waits(rules, after, erp={"due_on": "2026-01-01", "purchase_order": "PO-1"})["erp"] == "finance"


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (("wait_for: x, when: {changed.due_no: true}",), "Did you mean 'changed.due_on'?"),
        (("wait_for: x, when: {at_steak: 3}",), "Did you mean 'at_stake'?"),
    ],
)
def test_approval_unknown_fact_is_refused_with_the_nearest(rules: tuple[str, ...], words: str) -> None:
    with pytest.raises(RuleSetInvalid) as caught:
        ruleset(*rules)
    assert caught.value.hint == words


def test_facts_of_a_change_are_for_approval_rules_alone_and_at_stake_is_money() -> None:
    with pytest.raises(RuleSetInvalid, match=r"changed\.due_on"):
        load(DOCUMENT.format(rules="  []", at_stake="").replace("take: most_recent,", "take: most_recent, when: {changed.due_on: true},"), "t")  # fmt: skip
    with pytest.raises(RuleSetInvalid, match="due_on is none"):
        ruleset(at_stake="at_stake: due_on")


@given(amount=st.integers(-30_000_00, 30_000_00))
@settings(deadline=None)
def test_any_amount_waits_exactly_from_the_threshold_on(amount: int) -> None:
    rules = RULES
    assert (waits(rules, total(f"{amount / 100:.2f}"))["erp"] == "cfo") == (abs(amount) > 999_900)


RULES = ruleset(MUCH, "wait_for: b, when: {fact: at_stake, at_most: 50}", "wait_for: c, when: {at_stake: [51, 700]}")


@given(number=st.integers(0, 20_000))
@settings(deadline=None)
def test_any_number_and_its_bracket_meet_the_same_conditions(number: int) -> None:
    for condition in RULES.conditions.values():
        facts = {"at_stake": number, "at_stake_currency": "EUR"}
        assert holds(condition, facts) == holds(condition, facts | {"at_stake": RULES.bracket("at_stake", number)})
    brackets = {RULES.bracket("at_stake", one) for one in range(0, 20_000, 7)}
    assert len(brackets) <= 2 * 4 + 1


def test_prior_without_publications_has_sent_nothing() -> None:
    from canonical.ids import SourceKey

    prior = Prior("inv_1", SourceKey("crm", "invoice", "1"), 1, b"", datetime(2026, 1, 1, tzinfo=UTC))
    assert prior.sent == {}
    facts = facts_of_change(RULES, Leaving({}, {}, prior.sent), "erp")
    assert facts["known_there"] is False
    assert "at_stake" not in facts
