"""durable-rules and the plain evaluator say the same of any condition and any facts."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from rules.conditions import ALWAYS, All, Condition, Facts, FactTest, Not, Some, holds
from rules.engine import Engine

NAMES = st.sampled_from(["region", "status", "d-e", "n"])
SCALARS = st.sampled_from(["EU", "", "-", "s:EU", "1", "true", 1, 0, -5, 30, True, False])
TESTS = st.one_of(
    st.builds(FactTest, NAMES, st.just("in"), st.lists(SCALARS, min_size=1, max_size=3).map(tuple)),
    st.builds(FactTest, NAMES, st.just("missing"), st.booleans().map(lambda b: (b,))),
    st.builds(FactTest, NAMES, st.sampled_from(["at_least", "at_most"]), st.integers(-40, 40).map(lambda n: (n,))),
)
CONDITIONS: st.SearchStrategy[Condition] = st.recursive(
    TESTS,
    lambda inner: st.one_of(
        st.builds(All, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(Some, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(Not, inner),
    ),
    max_leaves=8,
)


@given(
    conditions=st.lists(CONDITIONS, min_size=1, max_size=4), facts=st.lists(st.dictionaries(NAMES, SCALARS), max_size=4)
)
@settings(max_examples=120, deadline=None)
def test_engine_any_condition_and_facts_agrees_with_plain_python(
    conditions: list[Condition], facts: list[Facts]
) -> None:
    rules = {f"rule-{number}": one for number, one in enumerate(conditions)}
    engine = Engine("any", rules, checked=True)
    for known in facts:
        assert engine.applicable(known) == {name for name, one in rules.items() if holds(one, known)}
    assert engine.disagreements == 0


@given(
    parts=st.lists(st.one_of(TESTS, TESTS.map(Not), st.just(ALWAYS)), min_size=60, max_size=140),
    facts=st.lists(st.dictionaries(NAMES, SCALARS), min_size=1, max_size=3),
)
@settings(max_examples=25, deadline=None)
def test_engine_any_large_rule_set_agrees_with_plain_python(parts: list[Condition], facts: list[Facts]) -> None:
    rules: dict[str, Condition] = {f"rule-{number}": one for number, one in enumerate(parts)}
    rules["every"], rules["some"] = All(tuple(parts)), Some(tuple(parts))
    engine = Engine("any", rules, checked=True)
    for known in facts:
        assert engine.applicable(known) == {name for name, one in rules.items() if holds(one, known)}
