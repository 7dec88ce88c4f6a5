"""The door to durable-rules: one test for each hazard that was measured on 2.0.28."""

from __future__ import annotations

import resource
import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from enum import StrEnum

import pytest

from rules import engine as door
from rules.conditions import ALWAYS, All, FactTest, Not, Some, holds, parse, trace
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


def test_engine_distinct_facts_from_four_threads_beyond_the_session_limit() -> None:
    one = engine(eu={"region": "EU"}, late={"fact": "age", "at_least": 2000})
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda n: one.applicable({"region": "EU", "age": n}), range(4000)))
    assert found == [frozenset({"eu", "late"} if n >= 2000 else {"eu"}) for n in range(4000)]


def test_engine_failure_in_one_evaluation_does_not_poison_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    failures = [ValueError("inside a rule")]

    def failing_once(fired: list[str | None], rule: str | None) -> object:
        def action(_context: object) -> None:
            if rule is not None and failures:
                raise failures.pop()
            fired.append(rule)

        return action

    monkeypatch.setattr(door, "_note", failing_once)
    one = engine(fails_once={"region": "failing once"})
    with pytest.raises(RuleFailed, match="inside a rule"):
        one.applicable({"region": "failing once"})
    assert one.applicable({"region": "failing once"}) == {"fails_once"}
    assert one.applicable({"region": "other"}) == frozenset()


def test_engine_evaluation_that_lost_its_fact_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    one = engine(eu={"region": "EU"})
    ask = door._host.assert_fact

    def lossy(ruleset: str, fact: object) -> object:
        state = ask(ruleset, fact)
        door._registered[ruleset].clear()
        return state

    monkeypatch.setattr(door._host, "assert_fact", lossy)
    with pytest.raises(RuleFailed, match="lost the fact"):
        one.applicable({"region": "EU"})


@pytest.mark.parametrize("number", [63, 64, 70, 300])
def test_engine_more_rules_satisfied_at_once_than_the_library_survives(number: int) -> None:
    one = engine(**{f"not-{n}": {"not": {"region": f"R{n}"}} for n in range(number)})
    assert len(one.applicable({"region": "EU"})) == number
    assert len(one.applicable({"region": "R3"})) == number - 1


def test_engine_more_values_in_a_list_than_the_library_can_branch_into() -> None:
    values = [f"V{n}" for n in range(600)]
    one = engine(listed={"code": values}, unlisted={"not": {"code": values}})
    assert one.applicable({"code": "V599"}) == {"listed"}
    assert one.applicable({"code": "V600"}) == {"unlisted"}


def test_engine_more_rules_on_one_comparison_than_the_library_takes() -> None:
    one = engine(**{f"rule-{n}": {"region": "EU"} for n in range(300)})
    assert len(one.applicable({"region": "EU"})) == 300


def test_engine_more_facts_than_one_event_may_have() -> None:
    one = engine(**{f"rule-{n}": {f"fact-{n}": "x"} for n in range(300)})
    assert one.applicable({"fact-7": "x", "fact-299": "x"}) == {"rule-7", "rule-299"}


def test_engine_any_inside_all_with_every_branch_true_answers() -> None:
    pairs = [{"any": [{"not": {f"f{n}": "p"}}, {"not": {f"f{n}": "q"}}]} for n in range(8)]
    one = engine(pairs={"all": pairs}, wide={"any": [{f"f{n}": "v", f"g{n}": "v"} for n in range(40)]})
    assert one.applicable({f"f{n}": "v" for n in range(8)}) == {"pairs"}
    assert one.applicable({"f39": "v", "g39": "v"}) == {"pairs", "wide"}


@pytest.mark.parametrize(
    ("entangled", "words"),
    [
        ({"all": [{"any": [{f"a{n}": "x"}, {f"b{n}": "x"}]} for n in range(20)]}, "alternatives"),
        ({f"fact-{n}": "x" for n in range(101)}, "comparisons"),
    ],
)
def test_engine_condition_too_entangled_is_refused_by_name(entangled: object, words: str) -> None:
    with pytest.raises(RuleSetInvalid, match=f"test entangled: .*{words}"):
        engine(entangled=entangled)


@pytest.mark.parametrize(
    "text", ['"', "\\", "a\x00b", "\n", "é", "日本", "😀", "", "-", "v0", '{"f0": "v0"}', "\ud800"]
)
def test_engine_awkward_text_is_equal_only_to_itself(text: str) -> None:
    one = Engine("test", {"same": FactTest("name", "in", (text,))}, checked=True)
    assert one.applicable({"name": text}) == {"same"}
    assert one.applicable({"name": text + "x"}) == one.applicable({}) == frozenset()


@pytest.mark.parametrize("name", ["sid", "id", "known", "$s", "$m", "a.b", "f0"])
def test_engine_fact_called_like_a_word_of_the_library_is_only_a_fact(name: str) -> None:
    one = engine(same={"fact": name, "is": "x"})
    assert one.applicable({name: "x"}) == {"same"}
    assert one.applicable({name: "y"}) == frozenset()


def test_engine_same_name_with_other_content_is_another_ruleset() -> None:
    assert engine(one={"region": "EU"}).applicable({"region": "US"}) == frozenset()
    assert engine(one={"not": {"region": "EU"}}).applicable({"region": "US"}) == {"one"}


def test_engine_subclass_of_text_is_refused() -> None:
    class Region(StrEnum):
        EU = "EU"

    with pytest.raises(RuleFailed, match="Region"):
        engine(eu={"region": "EU"}).applicable({"region": Region.EU})


def test_engine_list_as_a_fact_is_refused() -> None:
    with pytest.raises(RuleFailed, match="'region' is a list"):
        engine(eu={"region": "EU"}).applicable({"region": ["EU"]})  # type: ignore[dict-item]


def test_engine_always_as_a_part_counts_as_true() -> None:
    eu = FactTest("region", "in", ("EU",))
    one = Engine("test", {"all": All((ALWAYS, eu)), "any": Some((ALWAYS, eu)), "never": Not(ALWAYS)}, checked=True)
    assert one.applicable({"region": "EU"}) == {"all", "any"}
    assert one.applicable({}) == {"any"}


def test_engine_starts_no_thread() -> None:
    assert engine(eu={"region": "EU"}).applicable({"region": "EU"})
    assert not [one for one in threading.enumerate() if isinstance(one, threading.Timer)]
