"""The door to durable-rules: one test for each hazard that was measured on 2.0.28."""

from __future__ import annotations

import resource
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from rules import engine as door
from rules.conditions import ALWAYS, holds, parse, trace
from rules.engine import Engine
from rules.errors import RuleFailed, RuleSetInvalid


def engine(checked: bool = True, **conditions: object) -> Engine:
    return Engine("test", {name: parse(one, name) for name, one in conditions.items()}, checked=checked)


def test_engine_many_more_evaluations_than_sessions_it_can_hold() -> None:
    one = engine(eu={"region": "EU"})
    assert [bool(one.applicable({"region": f"R{n}"})) for n in range(3000)] == [False] * 3000


def test_engine_four_threads_agree() -> None:
    one = engine(eu={"region": "EU"}, other={"not": {"region": "EU"}})
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda n: one.applicable({"region": "EU" if n % 2 else f"R{n}"}), range(2000)))
    assert found == [frozenset({"eu"}) if n % 2 else frozenset({"other"}) for n in range(2000)]


def test_engine_lone_negative_condition_answers_once() -> None:
    assert engine(other={"not": {"region": "EU"}}).applicable({"region": "US"}) == {"other"}


def test_engine_all_rules_that_hold_are_collected() -> None:
    one = engine(a={"x": "1"}, b={"fact": "x", "in": ["1", "2"]}, c={"x": "2"})
    assert one.applicable({"x": "1"}) == {"a", "b"}


def test_engine_text_never_satisfies_a_threshold() -> None:
    one = engine(large={"fact": "amount", "at_least": 100})
    assert one.applicable({"amount": "5"}) == frozenset()
    assert one.applicable({"amount": "500"}) == frozenset()
    assert one.applicable({"amount": 500}) == {"large"}


def test_engine_truth_is_not_a_number() -> None:
    one = engine(small={"fact": "amount", "at_most": 1000}, one={"amount": 1})
    assert one.applicable({"amount": True}) == frozenset()


@pytest.mark.parametrize("value", [Decimal("1.5"), 1.5, 10**12, "x" * 65, None])
def test_engine_refuses_what_is_no_fact(value: object) -> None:
    with pytest.raises(RuleFailed):
        engine(eu={"region": "EU"}).applicable({"region": value})  # type: ignore[dict-item]


def test_engine_same_content_is_registered_once() -> None:
    before = len(door._registered)
    first, second = engine(unique_rule={"region": "only here"}), engine(unique_rule={"region": "only here"})
    assert len(door._registered) == before + 1
    assert first.applicable({"region": "only here"}) == second.applicable({"region": "only here"}) == {"unique_rule"}


def test_engine_failing_evaluation_leaves_no_state_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    one = engine(eu={"region": "EU"})
    ask = door._host.assert_fact

    def broken(*_: object) -> None:
        raise RuntimeError("the library failed")

    monkeypatch.setattr(door._host, "assert_fact", broken)
    with pytest.raises(RuntimeError):
        one.applicable({"region": "EU"})
    monkeypatch.setattr(door._host, "assert_fact", ask)
    assert one.applicable({"region": "EU"}) == {"eu"}


def test_engine_exception_inside_an_action_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(_fired: list[str], _rule: str) -> object:
        def action(_context: object) -> None:
            raise ValueError("inside a rule")

        return action

    monkeypatch.setattr(door, "_note", failing)
    one = engine(checked=False, poisoned={"region": "poison"})
    with pytest.raises(RuleFailed, match="inside a rule"):
        one.applicable({"region": "poison"})
    monkeypatch.undo()
    assert engine(eu={"region": "EU"}).applicable({"region": "EU"}) == {"eu"}


def test_engine_memory_stays_flat_over_many_evaluations() -> None:
    one = engine(checked=False, eu={"region": "EU"})
    for number in range(5000):
        one._evaluate((("region", str, f"A{number}"),))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(25_000):
        one._evaluate((("region", str, f"B{number}"),))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # KiB


def test_engine_disagreement_is_counted_and_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    one = engine(eu={"region": "EU"})
    monkeypatch.setattr(door, "holds", lambda *_: False)
    with pytest.raises(RuleFailed, match="disagree"):
        one.applicable({"region": "EU"})
    assert one.disagreements == 1


def test_engine_always_needs_no_evaluation() -> None:
    assert Engine("test", {"all": ALWAYS}).applicable({}) == {"all"}


@pytest.mark.parametrize(
    "wrong",
    [[], "x", {}, {"all": []}, {"fact": "a"}, {"fact": "a", "is": 1.5}, {"fact": "a", "at_least": "5"}, {"a": []}],
)
def test_conditions_wrong_form_is_refused(wrong: object) -> None:
    with pytest.raises(RuleSetInvalid):
        parse(wrong, "here")


def test_conditions_trace_shows_both_operands() -> None:
    condition = parse({"all": [{"region": "EU"}, {"fact": "age", "at_least": 30}]}, "here")
    assert [(t.fact, t.values, value, held) for t, value, held in trace(condition, {"region": "US", "age": 40})] == [
        ("region", ("EU",), "US", False),
        ("age", (30,), 40, True),
    ]
    assert not holds(condition, {"region": "US", "age": 40})
