"""Why a field has its value: who spoke, who decided, and what would flip it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canonical.ids import SourceKey
from canonical.record import SourceRecord
from rules.case import Case, Override
from rules.ruleset import RuleSet, load
from rules.strategies import text_of
from rules.why import FlipKind, Ruling, Why, explain, stands

NOW = datetime(2026, 10, 1, tzinfo=UTC)
DOCUMENT = """
entity: account
title: Test
matching: {{keys: [], compare: []}}
ownership:
  - {{fields: [legal_name], system: crm, why: the CRM knows the names}}
  - {{fields: [legal_name], system: erp, from: 2027-01-01, why: from next year the ledger does}}
survivorship:
{rules}
  - {{id: owner, fields: ["*"], take: owner, why: the owner stands while it speaks}}
  - {{id: rest, fields: ["*"], take: source_rank, rank: [crm, billing, erp], why: the usual order of systems}}
"""


def ruleset(*rules: str) -> RuleSet:
    return load(DOCUMENT.format(rules="\n".join(f"  - {{{rule}, why: for this test}}" for rule in rules)), "test.yaml")


def said(system: str, day: int = 1, key: str = "1", **values: Any) -> SourceRecord:
    moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day - 1)
    return SourceRecord(SourceKey(system, "account", key), values, moment, moment)


def ruling(rules: RuleSet, *records: SourceRecord, **case: Any) -> Ruling:
    return Ruling(Case("account", records, **case), rules, NOW, known=True, published=False)


def why(rules: RuleSet, name: str, *records: SourceRecord, **case: Any) -> Why:
    found = explain(ruling(rules, *records, **case), name)
    assert found is not None
    return found


def flip_of(found: Why, kind: FlipKind) -> tuple[str, Any]:
    (one,) = [flip for flip in found.flips if flip.kind is kind]
    return one.words, one.value


def test_why_names_the_rule_the_step_and_each_candidate_in_order() -> None:
    found = why(
        ruleset(),
        "legal_name",
        said("billing", 9, legal_name="ACORN"),
        said("crm", legal_name="Acorn"),
        said("erp", legal_name="Acorn"),
        said("shop", legal_name="n/a"),
    )
    assert (found.value, found.rule, found.owner, found.passed) == ("Acorn", "owner", "crm", ())
    assert found.step == "What the system of record says; nothing while it is silent."
    assert [(v.system, v.outcome.value, v.reason) for v in found.candidates] == [
        ("crm", "won", "rule owner takes owner"),
        ("billing", "lost", "crm is the system of record"),
        ("erp", "agreed", "says the same"),
        ("shop", "set aside", "doubtful value"),
    ]


def test_why_of_an_echo_a_null_and_a_rule_asked_in_vain() -> None:
    erp = said("erp", 9, industry="Rail")
    found = why(
        ruleset(),
        "industry",
        said("crm", industry=None),
        said("billing", industry="Ships"),
        erp,
        published={erp.key: {"industry": "Rail"}},
    )
    assert (found.value, found.rule, found.passed) == ("Ships", "rest", ("owner",))
    assert [(v.system, v.reason) for v in found.candidates][1:] == [
        ("crm", "says that it is empty"),
        ("erp", "echo of what the hub published"),
    ]


def test_flip_of_ownership_is_the_day_it_passes_to_another() -> None:
    found = why(ruleset(), "legal_name", said("crm", legal_name="Acorn"), said("erp", legal_name="Birch"))
    assert found.flip is not None
    assert found.flip.kind is FlipKind.WAIT
    assert (found.flip.words, found.flip.value) == ("from 2027-01-01 00:00:00+00:00 on, by itself", "Birch")
    assert FlipKind.RULE not in {flip.kind for flip in found.flips}, "the rank takes the CRM's too"
    assert flip_of(found, FlipKind.VALUE) == ("were crm:account:1 silent", "Birch")


def test_flip_of_recency_is_the_time_the_loser_would_have_needed() -> None:
    rules = ruleset("id: new, fields: [industry], take: most_recent")
    found = why(rules, "industry", said("crm", 5, industry="Rail"), said("erp", 3, industry="Ships"))
    assert found.flip is not None
    assert found.flip.kind is FlipKind.AGE
    assert 1.9 < found.flip.days < 2.1
    assert found.flip.value == "Ships"


def test_flip_of_trust_is_the_day_it_has_sunk_below_the_other() -> None:
    rules = ruleset(
        "id: t, fields: [industry], take: most_trusted, trust: {crm: {start: 80, half_life_days: 400}, erp: {start: 40}}"
    )
    found = why(rules, "industry", said("crm", 1, industry="Rail"), said("erp", 1, industry="Ships"))
    words, value = flip_of(found, FlipKind.WAIT)
    assert value == "Ships"
    assert words.startswith("from 2027-02-0")  # 400 days after the first of January 2026


def test_flip_of_a_rule_is_that_rule_absent() -> None:
    rules = ruleset("id: long, fields: [trading_name], take: longest")
    found = why(rules, "trading_name", said("erp", trading_name="Acorn Foods"), said("crm", trading_name="Acorn"))
    assert flip_of(found, FlipKind.RULE) == ("without rule long", "Acorn")


def test_flip_of_a_vote_is_one_record_that_says_what_the_other_says() -> None:
    rules = ruleset("id: many, fields: [industry], take: most_frequent")
    votes = [said(s, 1, industry=v) for s, v in (("crm", "Rail"), ("erp", "Rail"), ("billing", "Ships"))]
    _, value = flip_of(why(rules, "industry", *votes), FlipKind.VALUE)
    assert value == "Ships"


def test_override_stands_above_and_what_flips_it_is_to_lift_it() -> None:
    crm = said("crm", industry="Rail")
    word = Override(crm.key, "industry", "Ships", NOW - timedelta(days=1), NOW + timedelta(days=10), "d-1")
    found = why(ruleset(), "industry", crm, overrides=(word,))
    assert [(v.system, v.outcome.value) for v in found.candidates] == [("steward", "won"), ("crm", "lost")]
    assert found.candidates[1].reason == "overridden by a steward"
    assert flip_of(found, FlipKind.OVERRIDE) == ("without override d-1", "Rail")
    assert flip_of(found, FlipKind.WAIT) == ("from 2026-10-11 00:00:00+00:00 on, by itself", "Rail")


def test_one_voice_alone_flips_only_by_its_silence() -> None:
    found = why(ruleset(), "industry", said("crm", industry="Rail"))
    assert [(flip.kind, flip.value) for flip in found.flips] == [(FlipKind.VALUE, None)]


def test_why_of_a_field_that_nobody_fills_is_nothing() -> None:
    assert explain(ruling(ruleset(), said("crm", industry=None)), "industry") is None
    assert explain(ruling(ruleset(), said("crm")), "industry") is None


def test_why_of_a_very_large_record_asks_the_rules_a_bounded_number_of_times(monkeypatch: pytest.MonkeyPatch) -> None:
    from rules import why as room

    asked = []
    monkeypatch.setattr(room, "stands", lambda *given: asked.append(1) or stands(*given))
    rules = ruleset("id: new, fields: [industry], take: most_recent")
    crowd = [said(("crm", "erp", "billing")[n % 3], n, str(n), industry=f"{n % 9}") for n in range(1, 300)]
    assert why(rules, "industry", *crowd).flip is not None
    assert len(asked) < 600
    asked.clear()
    assert explain(ruling(rules, *crowd), "industry", flips=False).flips == ()  # type: ignore[union-attr]
    assert len(asked) == 1


WORDS = ("Rail", "Ships", "n/a", None)
COMPILED = tuple(
    ruleset(f"id: one, fields: [industry, legal_name], {rule}")
    for rule in (
        "take: most_recent",
        "take: oldest",
        "take: longest",
        "take: most_frequent",
        "take: owner, 'null': clears_from_owner",
        "take: most_trusted, trust: {crm: {start: 90, half_life_days: 100}, erp: {start: 60}}",
        "take: same_source_as, of: currency",
        "take: most_recent, verified_only: true",
    )
)


@st.composite
def rulings(draw: Any) -> Ruling:
    records = []
    for number in range(draw(st.integers(1, 4))):
        system, day = draw(st.sampled_from(("crm", "billing", "erp"))), draw(st.integers(1, 4))
        values = {
            name: draw(st.sampled_from(WORDS))
            for name in ("industry", "legal_name", "currency")
            if draw(st.integers(0, 3))
        }
        records.append(said(system, day, str(number), **values))
    overrides = ()
    if draw(st.integers(0, 4)) == 0:
        overrides = (Override(records[0].key, "industry", "Road", NOW - timedelta(days=1), None, "d-1"),)
    return ruling(draw(st.sampled_from(COMPILED)), *records, overrides=overrides)


@pytest.mark.parametrize("name", ["industry", "legal_name"])
@given(one=rulings())
@settings(deadline=None, max_examples=60)
def test_any_flip_does_flip_and_gives_the_value_that_it_names(name: str, one: Ruling) -> None:
    found = explain(one, name)
    if found is None:
        return
    for flip in found.flips:
        then = stands(one, name, flip.change)
        assert text_of(then.value if then else None) == text_of(flip.value)
        assert (then.text if then else None) != text_of(found.value)


@pytest.mark.parametrize("name", ["industry", "legal_name"])
@given(one=rulings())
@settings(deadline=None, max_examples=60)
def test_any_record_that_speaks_is_named_once_with_a_reason(name: str, one: Ruling) -> None:
    found = explain(one, name)
    if found is None:
        return
    speaking = sorted(str(record.key) for record in one.case.records if name in record.values)
    assert sorted(v.key for v in found.candidates if v.system != "steward") == speaking
    assert [v.outcome.value for v in found.candidates].count("won") == 1
    assert found.candidates[0].outcome.value == "won"
    assert all(v.reason for v in found.candidates)
