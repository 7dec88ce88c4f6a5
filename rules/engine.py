"""Which rules apply? The only door to durable-rules, and everything that is needed to use it safely.

What was measured on 2.0.28 and how this door answers it: sessions are found by a 32-bit hash and at
most 1,024 live at once, so one session id is used and its state deleted after every evaluation; the
library's own timer thread may swallow an action, so it is off; exceptions in actions are swallowed
into the state, so an action only notes its rule's name; a posted event is consumed by the first rule
that fires, so a fact is asserted, which fires all; text and numbers compare wrongly ("5" satisfies
>= 100), so only equality of typed tokens reaches it: thresholds become facts of their own first.

durable-rules decides *which* rules apply; what an applied rule does, and all order, is ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from hashlib import blake2b
from itertools import count
from threading import Lock
from typing import Any

import durable_rules_engine
from durable.engine import Host

from rules.conditions import (
    ALWAYS,
    LEAST,
    LONGEST,
    MOST,
    All,
    Always,
    Condition,
    Facts,
    FactTest,
    Not,
    Scalar,
    Some,
    holds,
    tests_of,
)  # fmt: skip
from rules.errors import RuleFailed

_MISSING = "-"
_SESSION = "0"
_KNOWN = "known"
REMEMBERED = 100_000  # distinct sets of facts per engine


class _QuietHost(Host):  # type: ignore[misc]
    """A host without the library's background thread: an action runs in the call that fires it, or not at all."""

    def _run(self) -> None:
        return


_host = _QuietHost()
_lock = Lock()
_registered: dict[str, list[str]] = {}
_numbers = count(1)


class Engine:
    """The conditions of one rule set. The same content is registered once in a process."""

    def __init__(self, name: str, conditions: Mapping[str, Condition], *, checked: bool = False) -> None:
        """Compile the conditions. With `checked`, plain Python gives a second opinion on each evaluation."""
        self.name = name
        self.conditions = dict(conditions)
        self.checked = checked
        self.disagreements = 0
        self._always = frozenset(rule for rule, one in self.conditions.items() if one == ALWAYS)
        asked = {rule: one for rule, one in self.conditions.items() if one != ALWAYS}
        self._tests = tuple(dict.fromkeys(test for one in asked.values() for test in tests_of(one)))
        self._facts = tuple(sorted({test.fact for test in self._tests}))
        self._ruleset, self._fired = _register(asked) if asked else ("", [])
        self._decided = lru_cache(maxsize=REMEMBERED)(self._evaluate)

    def applicable(self, facts: Facts) -> frozenset[str]:
        """The names of all rules whose condition holds; facts that no rule asks for do not matter."""
        if not self._ruleset:
            return self._always
        known = tuple((name, type(facts[name]), facts[name]) for name in self._facts if name in facts)
        return self._decided(known)

    def _evaluate(self, known: tuple[tuple[str, type, Scalar], ...]) -> frozenset[str]:
        facts = {name: _sound(self.name, name, value) for name, _, value in known}
        fired = self._always | _ask(self._ruleset, self._fired, self._tokens(facts))
        if self.checked:
            second = frozenset(rule for rule, one in self.conditions.items() if holds(one, facts))
            if second != fired:
                self.disagreements += 1
                raise RuleFailed(f"{self.name}: the evaluators disagree about {sorted(second ^ fired)} for {facts}.")
        return fired

    def _tokens(self, facts: Facts) -> dict[str, str]:
        """The event: each fact as a typed token, each threshold as yes or no. Every name is always there."""
        tokens = {f"f_{_safe(name)}": _token(facts.get(name)) for name in self._facts}
        for test in self._tests:
            if test.operator in ("at_least", "at_most"):
                tokens[_threshold(test)] = "y" if holds(test, facts) else "n"
        return tokens


def _ask(ruleset: str, fired: list[str], tokens: dict[str, str]) -> frozenset[str]:
    """One self-contained evaluation in one session, whose state is gone afterwards whatever happens."""
    with _lock:
        fired.clear()
        try:
            # a fact is known by its content, so each gets an id of its own; nothing is ever "observed already"
            state = _host.assert_fact(ruleset, {"sid": _SESSION, "id": str(next(_numbers)), _KNOWN: "y", **tokens})
        except BaseException:
            with suppress(durable_rules_engine.error):  # there may be no state yet; the first error is the one to hear
                _host.delete_state(ruleset, _SESSION)
            raise
        _host.delete_state(ruleset, _SESSION)
        if isinstance(state, dict) and state.get("exception"):
            raise RuleFailed(f"{ruleset}: {state['exception']}")
        return frozenset(fired)


def _register(conditions: Mapping[str, Condition]) -> tuple[str, list[str]]:
    """The name under which durable-rules knows these conditions, and the list that its actions write to."""
    patterns = {rule: _pattern(one, negated=False) for rule, one in conditions.items()}
    name = "r" + blake2b(repr(sorted(patterns.items())).encode(), digest_size=12).hexdigest()
    with _lock:
        if name not in _registered:
            fired: list[str] = []
            rules = {
                f"r{number}": {"all": [{"m": pattern}], "run": _note(fired, rule)}
                for number, (rule, pattern) in enumerate(patterns.items())
            }
            # the library raises for a fact that no rule handles, so one rule handles every fact
            rules["known"] = {"all": [{"m": {_KNOWN: "y"}}], "run": _ignore}
            _host.register_rulesets({name: rules})
            _registered[name] = fired
    return name, _registered[name]


def _note(fired: list[str], rule: str) -> Any:
    def action(_context: object) -> None:
        fired.append(rule)

    return action


def _ignore(_context: object) -> None:
    """What a rule does that only says that a fact was seen."""


def _pattern(condition: Condition, *, negated: bool) -> dict[str, Any]:
    """The condition in the library's words, with negation pushed down to single comparisons."""
    match condition:
        case Not(part):
            return _pattern(part, negated=not negated)
        case All(parts) | Some(parts):
            both = isinstance(condition, All) is not negated
            return _combined("$and" if both else "$or", [_pattern(part, negated=negated) for part in parts])
        case FactTest():
            return _comparison(condition, negated=negated)
        case Always():
            raise RuleFailed("a condition that always holds cannot be a part of another")


def _comparison(test: FactTest, *, negated: bool) -> dict[str, Any]:
    if test.operator in ("at_least", "at_most"):
        return {_threshold(test): "n" if negated else "y"}
    name = f"f_{_safe(test.fact)}"
    if test.operator == "missing":
        return {name: _MISSING} if test.values[0] is not negated else {"$neq": {name: _MISSING}}
    if negated:
        return _combined("$and", [{"$neq": {name: _token(value)}} for value in test.values])
    return _combined("$or", [{name: _token(value)} for value in test.values])


def _combined(word: str, parts: list[dict[str, Any]]) -> dict[str, Any]:
    return parts[0] if len(parts) == 1 else {word: parts}


def _sound(engine: str, name: str, value: Scalar) -> Scalar:
    """The fact, if it is one: a text, a truth value or a whole number in range. Raises RuleFailed."""
    if isinstance(value, str) and len(value) <= LONGEST:
        return value
    if isinstance(value, int) and LEAST <= value <= MOST:
        return value
    raise RuleFailed(f"{engine}: the fact {name!r} is a {type(value).__name__} that rules cannot look at.")


def _token(value: Scalar | None) -> str:
    if value is None:
        return _MISSING
    kind = "b" if isinstance(value, bool) else "i" if isinstance(value, int) else "s"
    return f"{kind}:{value}"


def _threshold(test: FactTest) -> str:
    return f"t_{_safe(test.fact)}_{test.operator}_{str(test.values[0]).replace('-', 'm')}"


def _safe(name: str) -> str:
    """A name that the library cannot take for one of its own words."""
    return "".join(c if c.isalnum() else f"_{ord(c):x}_" for c in name)
