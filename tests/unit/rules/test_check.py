"""What `hub rules check` remarks on: rules that can never fire, fields that nobody decides; and where."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.cli import cli
from rules.check import remarks
from rules.conditions import holds, parse
from rules.errors import RuleSetInvalid
from rules.ruleset import load, shipped

DOCUMENT = """\
entity: account
title: Test
facts: {{status: status, country: billing_address.country}}
matching: {{keys: [], compare: []}}
ownership:
  - {{fields: [industry], system: crm, why: the CRM knows what they do}}
  - {{fields: [industry], system: erp, {owner} why: the ledger knows it too}}
survivorship:
  - {{id: first, {first} why: for this test}}
  - {{id: second, {second} why: for this test}}
  - {{id: rest, fields: ["*"], take: most_recent, {rest} why: whoever spoke last}}
approval:
  - {{id: one, wait_for: finance, {one} why: for this test}}
  - {{id: two, wait_for: sales, {two} why: for this test}}
publication:
  - {{id: to-erp, target: erp, why: everything goes there}}
"""
GOOD = {
    "owner": "from: 2027-01-01,",
    "first": "fields: [industry], take: owner,",
    "second": "fields: [industry], take: longest,",
    "rest": "",
    "one": "when: {known_there: false},",
    "two": "",
}


def remarked(**parts: str) -> list[tuple[str, str, tuple[str | int, ...]]]:
    ruleset = load(DOCUMENT.format(**GOOD | parts), "test.yaml")
    return [(one.rule, one.words, one.path) for one in remarks(ruleset)]


def test_check_finds_nothing_in_what_is_meant() -> None:
    assert remarked() == []
    assert {name: remarks(one) for name, one in shipped().items()} == {name: [] for name in shipped()}


@pytest.mark.parametrize(
    "when",
    [
        "{all: [{fact: status, is: active}, {fact: status, is: closed}]}",
        "{status: actve}",  # no status of the catalogue
        "{all: [{fact: sources, at_least: 3}, {fact: sources, at_most: 2}]}",
        "{fact: country, at_least: 3}",  # a text is not a number
        "{all: [{fact: country, is: DE}, {fact: country, missing: true}]}",
        "{change: remove}",
    ],
)
def test_check_condition_that_nothing_can_meet_is_named(when: str) -> None:
    ((rule, words, path),) = remarked(second=GOOD["second"] + f"when: {when},")
    assert (rule, path) == ("second", ("survivorship", 1, "when"))
    assert words.startswith("never applies")


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"first": "fields: [industry], take: oldest,"}, "never fires: first decides before it"),
        ({"first": 'fields: ["*"], take: oldest,'}, "never fires: first decides before it"),
        (
            {"first": "fields: [industry], take: oldest, when: {status: [active, closed]},", "second": "fields: [industry], take: longest, when: {status: active},"},
            "never fires: first decides before it",
        ),
        ({"second": "fields: [industry], take: owner,"}, "never fires: first decides before it"),
        ({"first": "fields: [industry], take: oldest,", "second": "fields: [industry, email], take: longest,"}, "never decides industry: first does before it"),
        ({"second": "fields: [email], take: owner,"}, "never finds anybody: no system owns any of its fields"),
        ({"owner": ""}, "never owns: owner-1 owns the same from the same day on and stands before it"),
        ({"one": ""}, "never fires: one decides before it"),
    ],
)  # fmt: skip
def test_check_rule_in_the_shadow_of_another_is_named(parts: dict[str, str], words: str) -> None:
    assert words in [found for _, found, _ in remarked(**parts)]


@pytest.mark.parametrize(
    "parts",
    [
        {"first": "fields: [industry], take: oldest, when: {status: active},"},
        {"first": "fields: [industry], take: oldest, verified_only: true,"},
        {"first": "fields: [industry], take: oldest,", "second": "fields: [industry], take: longest, 'null': wins,"},
        {"first": "fields: [birth_date], take: min,", "second": "fields: [industry], take: longest,"},
        {"first": "fields: [industry], take: same_source_as, of: email,"},
    ],
)
def test_check_rule_that_may_still_be_asked_is_not_remarked_on(parts: dict[str, str]) -> None:
    assert remarked(**parts) == []


@pytest.mark.parametrize("rest", ["when: {status: active},", "verified_only: true,"])
def test_check_field_without_a_last_word_is_named(rest: str) -> None:
    found = {rule for rule, words, _ in remarked(rest=rest) if "no rule that always finds a value" in words}
    assert "email" in found
    assert "industry" not in found


def test_check_two_rules_that_together_cover_everything_leave_no_field_undecided() -> None:
    second = 'fields: ["*"], take: oldest, when: {not: {status: active}},'
    assert remarked(second=second, rest="when: {status: active},") == []


def test_check_field_without_any_rule_is_refused_with_line_and_all_names() -> None:
    text = DOCUMENT.format(**GOOD).replace('["*"]', "[email]")
    with pytest.raises(RuleSetInvalid, match=r"test.yaml:8:1 no survivorship rule covers 'kind', 'legal_name'"):
        load(text, "test.yaml")


def test_command_rules_check_prints_file_line_and_rule(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(DOCUMENT.format(**GOOD | {"first": "fields: [industry], take: oldest,"}))
    done = CliRunner().invoke(cli, ["rules", "check", str(path)])
    assert done.exit_code == 1
    assert "mine.yaml:10:5 second: never fires: first decides before it." in done.output
    path.write_text(DOCUMENT.format(**GOOD))
    done = CliRunner().invoke(cli, ["rules", "check", str(path)])
    assert (done.exit_code, "well" in done.output) == (0, True)


TESTS = st.sampled_from(
    (
        {"status": "active"},
        {"status": ["closed", "prospect"]},
        {"country": "DE"},
        {"fact": "country", "missing": True},
        {"fact": "sources", "at_least": 2},
        {"fact": "sources", "at_most": 3},
        {"published": True},
    )
)
CONDITIONS = st.recursive(
    TESTS,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"all": parts}),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"any": parts}),
        inner.map(lambda part: {"not": part}),
    ),
    max_leaves=5,
)
FACTS = st.fixed_dictionaries(
    {"sources": st.integers(1, 5), "published": st.booleans(), "change": st.sampled_from(("create", "update"))},
    optional={
        "status": st.sampled_from(("active", "closed", "prospect", "churned")),
        "country": st.sampled_from(("DE", "FR")),
    },
)


@given(wide=CONDITIONS, narrow=CONDITIONS, facts=st.lists(FACTS, min_size=5, max_size=20))
@settings(deadline=None, max_examples=80)
def test_any_remark_is_right(wide: Any, narrow: Any, facts: list[dict[str, Any]]) -> None:
    """What is said never to apply applies to no facts; what is in a shadow never applies without the other."""
    import json

    found = remarked(
        first=f"fields: [industry], take: oldest, when: {json.dumps(wide)},",
        second=f"fields: [industry], take: longest, when: {json.dumps(narrow)},",
    )
    said = {(rule, words.split(":")[0]) for rule, words, _ in found}
    one, other = parse(wide, "wide"), parse(narrow, "narrow")
    for each in facts:
        assert not (("first", "never applies") in said and holds(one, each))
        assert not (("second", "never applies") in said and holds(other, each))
        assert not (("second", "never fires") in said and holds(other, each) and not holds(one, each))
