"""The `when` of a rule: what parses, what is refused and how, and what holds."""

from __future__ import annotations

import pytest

from rules.conditions import ALWAYS, All, Condition, FactTest, Not, Some, facts_of, holds, parse, trace
from rules.errors import RuleSetInvalid


def nested(levels: int) -> object:
    condition: object = {"region": "EU"}
    for _ in range(levels):
        condition = {"not": condition}
    return condition


def test_parse_full_form_gives_the_tree_as_written() -> None:
    document = {
        "all": [
            {"fact": "region", "is": "EU"},
            {"any": [{"fact": "status", "in": ["active", "paused"]}, {"fact": "age_days", "at_least": 30}]},
            {"not": {"fact": "tier", "missing": True}},
        ]
    }
    assert parse(document, "here") == All(
        (
            FactTest("region", "in", ("EU",)),
            Some((FactTest("status", "in", ("active", "paused")), FactTest("age_days", "at_least", (30,)))),
            Not(FactTest("tier", "missing", (True,))),
        )
    )


def test_parse_bare_mapping_is_all_of_is_and_in() -> None:
    long = {"all": [{"fact": "region", "is": "EU"}, {"fact": "status", "in": ["active", "paused"]}]}
    assert parse({"region": "EU", "status": ["active", "paused"]}, "here") == parse(long, "here")


def test_parse_texts_of_a_yaml_reader_become_plain_texts() -> None:
    class Quoted(str):
        __slots__ = ()

    condition = parse({Quoted("region"): Quoted("EU")}, "here")
    assert isinstance(condition, FactTest)
    assert [type(one) for one in (condition.fact, *condition.values)] == [str, str]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("x", "a condition is a mapping"),
        ({}, "a condition is a mapping"),
        ({"all": []}, "takes a list"),
        ({"any": {"region": "EU"}}, "takes a list"),
        ({"not": []}, "a condition is a mapping"),
        ({"fact": "a"}, "exactly one of"),
        ({"fact": "a", "is": "x", "missing": False}, "exactly one of"),
        ({"fact": "a", "at_lest": 3}, "at_least\\?"),
        ({"fact": "a", "in": "x"}, "`in` takes a list"),
        ({"fact": "a", "in": []}, "empty list"),
        ({"fact": "a", "is": ["x"]}, "`is` takes one value"),
        ({"fact": "a", "is": None}, "None is not a text"),
        ({"fact": "a", "is": 1.5}, "1.5 is not a text"),
        ({"fact": "a", "is": "x" * 65}, "at most 64 characters"),
        ({"fact": "a", "is": "\ud800"}, "is not a text"),
        ({"fact": "a", "is": 10**12}, "at most 9 digits"),
        ({"fact": "a", "at_least": "5"}, "a threshold is a whole number"),
        ({"fact": "a", "at_least": True}, "a threshold is a whole number"),
        ({"fact": "a", "missing": 1}, "true or false"),
        ({True: "x"}, "not the name of a fact"),
        ({"": "x"}, "not the name of a fact"),
        (nested(12), "at most 12 levels"),
        (nested(5000), "at most 12 levels"),
    ],
)
def test_parse_wrong_form_is_refused_with_its_place(wrong: object, words: str) -> None:
    with pytest.raises(RuleSetInvalid, match=words) as caught:
        parse(wrong, "account.yaml rule-1")
    assert caught.value.code == "HUB-2101"
    assert caught.value.context == {"where": "account.yaml rule-1"}
    assert caught.value.message.startswith("account.yaml rule-1: ")


@pytest.mark.parametrize(
    ("condition", "held"),
    [
        (ALWAYS, True),
        (FactTest("n", "in", (1,)), True),
        (FactTest("n", "in", (True,)), False),
        (FactTest("n", "in", ("1",)), False),
        (FactTest("yes", "in", (1,)), False),
        (FactTest("n", "at_least", (1,)), True),
        (FactTest("n", "at_most", (0,)), False),
        (FactTest("text", "at_least", (100,)), False),
        (FactTest("yes", "at_most", (1000,)), False),
        (FactTest("gone", "missing", (True,)), True),
        (FactTest("gone", "missing", (False,)), False),
        (FactTest("gone", "at_least", (0,)), False),
        (Not(FactTest("gone", "in", ("x",))), True),
        (All((FactTest("n", "in", (1,)), FactTest("gone", "missing", (False,)))), False),
        (Some((FactTest("n", "in", (2,)), FactTest("yes", "in", (True,)))), True),
    ],
)
def test_holds_each_comparison_keeps_types_apart(condition: Condition, held: bool) -> None:
    assert holds(condition, {"n": 1, "yes": True, "text": "500"}) is held


def test_facts_of_nested_condition_names_each_once() -> None:
    condition = parse({"any": [{"a": "x"}, {"not": {"a": "y", "b": 1}}]}, "here")
    assert facts_of(condition) == {"a", "b"}
    assert facts_of(ALWAYS) == frozenset()


def test_trace_missing_fact_is_shown_as_none() -> None:
    assert trace(parse({"region": "EU"}, "here"), {}) == ((FactTest("region", "in", ("EU",)), None, False),)
