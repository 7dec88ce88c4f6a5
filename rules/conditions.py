"""The `when` of a rule: a condition over facts, parsed strictly, with a plain-Python evaluator.

Facts are small categorical values: texts, truth values, whole numbers in a stated range; a fact may
be missing, and then only `missing: true` and `not` hold of it. durable-rules decides in production
(`rules.engine`); `holds` is the second opinion that checks it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from rules.errors import RuleSetInvalid

Scalar = str | bool | int
Facts = Mapping[str, Scalar]
LEAST, MOST = -1_000_000_000, 1_000_000_000  # the range of a whole number in a condition
LONGEST = 64  # characters of a text in a condition
DEEPEST = 12  # levels of all, any and not


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
    """The condition that a document states. `{region: EU}` is short for `{fact: region, is: EU}`.

    Raises RuleSetInvalid; `where` names the place in its message and its context.
    """
    return _condition(document, where, DEEPEST)


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


def _condition(document: object, where: str, levels: int) -> Condition:
    if not levels:
        raise _invalid(where, f"a condition has at most {DEEPEST} levels")
    if not isinstance(document, Mapping) or not document:
        raise _invalid(where, "a condition is a mapping, such as {fact: status, is: active}")
    if "fact" in document:
        return _test(document, where)
    parts = [_part(word, inner, where, levels - 1) for word, inner in document.items()]
    return parts[0] if len(parts) == 1 else All(tuple(parts))


def _part(word: object, inner: object, where: str, levels: int) -> Condition:
    if word in ("all", "any"):
        if not isinstance(inner, list) or not inner:
            raise _invalid(where, f"`{word}` takes a list of conditions")
        parts = tuple(_condition(part, where, levels) for part in inner)
        return All(parts) if word == "all" else Some(parts)
    if word == "not":
        return Not(_condition(inner, where, levels))
    values = _list(inner, where) if isinstance(inner, list) else (_constant(inner, where),)
    return FactTest(_fact(word, where), "in", values)


def _test(document: Mapping[Any, Any], where: str) -> FactTest:
    operators = {key: value for key, value in document.items() if key != "fact"}
    if len(operators) != 1:
        raise _invalid(where, f"a comparison has exactly one of {', '.join(_READERS)}")
    (word, operand), fact = next(iter(operators.items())), _fact(document["fact"], where)
    if word not in _READERS:
        near = get_close_matches(str(word), _READERS, n=1)
        raise _invalid(where, f"{word!r} is none of {', '.join(_READERS)}" + (f"; {near[0]}?" if near else ""))
    operator, read = _READERS[word]
    return FactTest(fact, operator, read(operand, where))


def _fact(name: object, where: str) -> str:
    if not isinstance(name, str) or not name or len(name) > LONGEST:
        raise _invalid(where, f"{name!r} is not the name of a fact (quote on, off, yes, no and numbers)")
    return str(name)


def _constant(value: object, where: str) -> Scalar:
    """The value as a plain text, truth value or whole number (YAML readers make subclasses of them)."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and len(value) <= LONGEST and _encodable(value):
        return str(value)
    if isinstance(value, int) and LEAST <= value <= MOST:
        return int(value)
    raise _invalid(
        where,
        f"{value!r} is not a text of at most {LONGEST} characters, a truth value or a whole number of at most 9 digits",
    )


def _encodable(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _list(operand: object, where: str) -> tuple[Scalar, ...]:
    if not isinstance(operand, list):
        raise _invalid(where, f"`in` takes a list, not {operand!r}; one value is `is`")
    if not operand:
        raise _invalid(where, "an empty list holds of nothing")
    return tuple(_constant(value, where) for value in operand)


def _one(operand: object, where: str) -> tuple[Scalar, ...]:
    if isinstance(operand, list):
        raise _invalid(where, "`is` takes one value; a list is `in`")
    return (_constant(operand, where),)


def _number(operand: object, where: str) -> tuple[Scalar, ...]:
    if isinstance(operand, bool) or not isinstance(operand, int):
        raise _invalid(where, f"a threshold is a whole number, not {operand!r}")
    return (_constant(operand, where),)


def _yes_or_no(operand: object, where: str) -> tuple[Scalar, ...]:
    if not isinstance(operand, bool):
        raise _invalid(where, f"`missing` is true or false, not {operand!r}")
    return (operand,)


def _invalid(where: str, words: str) -> RuleSetInvalid:
    return RuleSetInvalid(f"{where}: {words}.", where=where)


_READERS: dict[Any, tuple[str, Callable[[object, str], tuple[Scalar, ...]]]] = {
    "is": ("in", _one),
    "in": ("in", _list),
    "at_least": ("at_least", _number),
    "at_most": ("at_most", _number),
    "missing": ("missing", _yes_or_no),
}
