"""The `when` of a rule: a condition over facts, parsed strictly, with a plain-Python evaluator.

Facts are small categorical values: texts, truth values, whole numbers in a stated range; a fact may
be missing, and then only `missing: true` and `not` hold of it. durable-rules decides in production
(`rules.engine`); `holds` is the second opinion that checks it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rules.errors import RuleSetInvalid

Scalar = str | bool | int
Facts = Mapping[str, Scalar]
LEAST, MOST = -1_000_000_000, 1_000_000_000  # the range of a whole number in a condition
LONGEST = 64  # characters of a text in a condition


@dataclass(frozen=True, slots=True)
class Always:
    """Holds whatever the facts are."""


@dataclass(frozen=True, slots=True)
class FactTest:
    """One fact compared with constants: `in`, `at_least`, `at_most` or `missing`."""

    fact: str
    operator: str
    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """Some part holds."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: Condition


Condition = Always | FactTest | All | Some | Not
ALWAYS = Always()


def parse(document: object, where: str) -> Condition:
    """The condition that a document states. `{region: EU}` is short for `{fact: region, is: EU}`."""
    if not isinstance(document, Mapping) or not document:
        raise RuleSetInvalid(f"{where}: a condition is a mapping, such as {{fact: status, is: active}}.")
    if "fact" in document:
        return _test(document, where)
    parts = [_part(str(word), inner, where) for word, inner in document.items()]
    return parts[0] if len(parts) == 1 else All(tuple(parts))


def holds(condition: Condition, facts: Facts) -> bool:
    """Whether the condition holds, in plain Python."""
    match condition:
        case Always():
            return True
        case FactTest():
            return _holds(condition, facts)
        case All(parts):
            return all(holds(part, facts) for part in parts)
        case Some(parts):
            return any(holds(part, facts) for part in parts)
        case Not(part):
            return not holds(part, facts)


def facts_of(condition: Condition) -> frozenset[str]:
    """The facts that the condition asks for."""
    return frozenset(test.fact for test in tests_of(condition))


def tests_of(condition: Condition) -> Iterator[FactTest]:
    """Every comparison in the condition, in the order written."""
    match condition:
        case FactTest():
            yield condition
        case All(parts) | Some(parts):
            for part in parts:
                yield from tests_of(part)
        case Not(part):
            yield from tests_of(part)
        case Always():
            return


def trace(condition: Condition, facts: Facts) -> tuple[tuple[FactTest, Scalar | None, bool], ...]:
    """Each comparison with what the fact was (None: missing) and whether it held."""
    return tuple((test, facts.get(test.fact), _holds(test, facts)) for test in tests_of(condition))


def _holds(test: FactTest, facts: Facts) -> bool:
    value = facts.get(test.fact)
    if test.operator == "missing":
        return (value is None) is test.values[0]
    return value is not None and _OPERATORS[test.operator](value, test.values)


def _among(value: Scalar, values: tuple[Scalar, ...]) -> bool:
    return any(type(value) is type(other) and value == other for other in values)


def _whole(value: Scalar) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_OPERATORS: dict[str, Callable[[Scalar, tuple[Scalar, ...]], bool]] = {
    "in": _among,
    "at_least": lambda value, values: _whole(value) and value >= values[0],  # type: ignore[operator]
    "at_most": lambda value, values: _whole(value) and value <= values[0],  # type: ignore[operator]
}


def _part(word: str, inner: object, where: str) -> Condition:
    if word in ("all", "any"):
        if not isinstance(inner, list) or not inner:
            raise RuleSetInvalid(f"{where}: `{word}` takes a list of conditions.")
        parts = tuple(parse(part, where) for part in inner)
        return All(parts) if word == "all" else Some(parts)
    if word == "not":
        return Not(parse(inner, where))
    return FactTest(word, "in", _constants(inner, where))


def _test(document: Mapping[Any, Any], where: str) -> FactTest:
    operators = {str(key): value for key, value in document.items() if key != "fact"}
    if len(operators) != 1:
        raise RuleSetInvalid(f"{where}: a comparison has one of is, in, at_least, at_most, missing.")
    (word, operand), fact = next(iter(operators.items())), str(document["fact"])
    if word in ("is", "in"):
        return FactTest(fact, "in", _constants(operand, where))
    if word == "missing" and isinstance(operand, bool):
        return FactTest(fact, word, (operand,))
    if word in ("at_least", "at_most") and _whole(operand):
        return FactTest(fact, word, _constants(operand, where))
    raise RuleSetInvalid(f"{where}: {word!r} does not take {operand!r}.")


def _constants(operand: object, where: str) -> tuple[Scalar, ...]:
    values = tuple(operand) if isinstance(operand, list) else (operand,)
    for value in values:
        if isinstance(value, str) and len(value) <= LONGEST:
            continue
        if isinstance(value, int) and LEAST <= value <= MOST:
            continue
        raise RuleSetInvalid(f"{where}: {value!r} is not a text, a truth value or a whole number of at most 9 digits.")
    if not values:
        raise RuleSetInvalid(f"{where}: an empty list holds of nothing.")
    return values
