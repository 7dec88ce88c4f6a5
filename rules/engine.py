"""Which rules apply? The only door to durable-rules, and everything that is needed to use it safely.

What was measured on 2.0.28 and how this door answers it:

- Sessions are found by a 32-bit hash and at most 1,024 live at once: there is one session, one lock,
  and its state is deleted after every evaluation, whatever happened.
- The library's own timer threads may swallow an action: they are off.
- Exceptions in actions are swallowed into the state: an action only notes its rule's name, and what
  the state confesses is raised. An event is consumed by the first rule that fires, a fact fires all.
- Text and numbers compare wrongly ("5" satisfies >= 100, True <= 1000): nothing is compared there
  but equality of tokens of ours. `f3: v7` says that the fourth fact has the eighth constant that the
  rules name, `v` that it has a value that no rule names, `-` that it is missing. A number, a truth value
  and a text never share a token, and no text of a customer reaches the library. What asks for a set
  or a range (`in` with several values, at_least, at_most) is a yes or no of its own: `t2: y`.
- A lone negative (`$nex`) fires without end: each name is always there, so a negative is an inequality.
- 64 comparisons that one fact satisfies are a segmentation fault, 511 siblings an endless loop, 257
  rules after one comparison and 252 names an error; nested any and all end at 31 parts, and
  overlapping ones fire once per combination: so each condition becomes alternatives that are flat
  conjunctions, and few of them share one registered ruleset.

durable-rules decides *which* rules apply; what an applied rule does, and all order, is ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from hashlib import blake2b
from itertools import count, product
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
from rules.errors import RuleFailed, RuleSetInvalid

REMEMBERED = 20_000  # distinct sets of facts per engine
ALTERNATIVES = 256  # flat conjunctions that one condition may come to
COMPARISONS = 100  # names that one of them may look at
_TOGETHER = 40  # conjunctions in one registered ruleset; the library dies at 64 satisfied at once
_NAMES = 200  # names in one event; the library refuses 252
_MISSING, _OTHER = "-", "v"
_SESSION = "0"
_KNOWN = "known"

Literal = tuple[str, str, bool]  # name, token, and whether they are to be equal
Clause = tuple[Literal, ...]  # all of these
Known = tuple[tuple[str, type, Scalar], ...]


class _QuietHost(Host):  # type: ignore[misc]
    """A host without the library's background threads: an action runs in the call that fires it, or not at all."""

    def _run(self) -> None:
        return


_host = _QuietHost()
_lock = Lock()
_registered: dict[str, list[str | None]] = {}  # ruleset -> where its actions note what fired (None: the fact was seen)
_numbers = count(1)


class Engine:
    """The conditions of one rule set. The same content is registered once in a process."""

    def __init__(self, name: str, conditions: Mapping[str, Condition], *, checked: bool = False) -> None:
        """Compile the conditions. With `checked`, plain Python gives a second opinion on each evaluation.

        `disagreements` counts how often the two differed; it must stay 0. Raises RuleSetInvalid for a
        condition that comes to more alternatives or comparisons than the library can be trusted with.
        """
        self.name = name
        self.conditions = dict(conditions)
        self.checked = checked
        self.disagreements = 0
        self._always = frozenset(rule for rule, one in self.conditions.items() if one == ALWAYS)
        asked = {rule: one for rule, one in self.conditions.items() if rule not in self._always}
        self._encoding = _Encoding(test for one in asked.values() for test in tests_of(one))
        self._rulesets = tuple(_registration(part) for part in _parts(_clauses(name, asked, self._encoding)))
        self._decided = lru_cache(maxsize=REMEMBERED)(self._evaluate)

    def applicable(self, facts: Facts) -> frozenset[str]:
        """The names of all rules whose condition holds; facts that no rule asks for do not matter.

        Raises RuleFailed for a fact that is not a text (64 characters), a truth value or a whole number.
        """
        asked = self._encoding.facts
        return self._decided(tuple(_sound(self.name, name, facts[name]) for name in asked if name in facts))

    def _evaluate(self, known: Known) -> frozenset[str]:
        facts = {name: value for name, _, value in known}
        event = self._encoding.event(facts)
        fired = self._always.union(*(_ask(ruleset, names, event) for ruleset, names in self._rulesets))
        if self.checked:
            second = frozenset(rule for rule, one in self.conditions.items() if holds(one, facts))
            if second != fired:
                self.disagreements += 1
                raise RuleFailed(f"{self.name}: the evaluators disagree about {sorted(second ^ fired)} for {facts}.")
        return fired


class _Encoding:
    """The closed alphabet in which facts are put to durable-rules: every name and token is ours."""

    def __init__(self, tests: Iterable[FactTest]) -> None:
        asked = list(tests)
        self.facts = tuple(sorted({test.fact for test in asked}))
        self._names = {fact: f"f{number}" for number, fact in enumerate(self.facts)}
        self._tokens: dict[tuple[str, type, Scalar], str] = {}
        self._own: dict[object, tuple[str, FactTest]] = {}
        for test in asked:
            if _is_equality(test):
                self._tokens.setdefault(_constant(test), f"{_OTHER}{len(self._tokens)}")
            elif test.operator != "missing":
                self._own.setdefault(_identity(test), (f"t{len(self._own)}", test))

    def literal(self, test: FactTest, *, negated: bool) -> Literal:
        """The comparison as one name, one token, and whether they are to be equal."""
        if test.operator == "missing":
            return self._names[test.fact], _MISSING, bool(test.values[0]) is not negated
        if _is_equality(test):
            return self._names[test.fact], self._tokens[_constant(test)], not negated
        return self._own[_identity(test)][0], "n" if negated else "y", True

    def event(self, facts: Facts) -> dict[str, str]:
        """Every name with its token; none is ever absent."""
        event = {name: self._token(fact, facts.get(fact)) for fact, name in self._names.items()}
        event.update((name, "y" if holds(test, facts) else "n") for name, test in self._own.values())
        return event

    def _token(self, fact: str, value: Scalar | None) -> str:
        return _MISSING if value is None else self._tokens.get((fact, type(value), value), _OTHER)


def _is_equality(test: FactTest) -> bool:
    return test.operator == "in" and len(test.values) == 1


def _constant(test: FactTest) -> tuple[str, type, Scalar]:
    return test.fact, type(test.values[0]), test.values[0]


def _identity(test: FactTest) -> object:
    """What makes two comparisons the same one; True and 1 are not."""
    return test.fact, test.operator, tuple((type(value), value) for value in test.values)


def _clauses(name: str, conditions: Mapping[str, Condition], encoding: _Encoding) -> Iterator[tuple[str, Clause]]:
    """Each rule with each of its alternatives."""
    for rule, condition in conditions.items():
        for clause in _alternatives(condition, encoding, f"{name} {rule}"):
            if len({looked_at for looked_at, _, _ in clause}) > COMPARISONS:
                raise RuleSetInvalid(f"{name} {rule}: more than {COMPARISONS} comparisons at once.", where=rule)
            yield rule, clause


def _alternatives(condition: Condition, encoding: _Encoding, where: str, *, negated: bool = False) -> list[Clause]:
    """The condition as flat conjunctions of which one must hold (none: it never holds; an empty one: always)."""
    match condition:
        case Always():
            return [] if negated else [()]
        case FactTest():
            return [(encoding.literal(condition, negated=negated),)]
        case Not(part):
            return _alternatives(part, encoding, where, negated=not negated)
        case All(parts) | Some(parts):
            each = [_alternatives(part, encoding, where, negated=negated) for part in parts]
            return _every(each, where) if isinstance(condition, All) is not negated else _either(each, where)


def _either(each: Iterable[list[Clause]], where: str) -> list[Clause]:
    return _bounded({clause for clauses in each for clause in clauses}, where)


def _every(each: Iterable[list[Clause]], where: str) -> list[Clause]:
    found: list[Clause] = [()]
    for clauses in each:
        found = _bounded({tuple(sorted({*left, *right})) for left, right in product(found, clauses)}, where)
    return found


def _bounded(clauses: set[Clause], where: str) -> list[Clause]:
    """The clauses in an order that is always the same, if they are few enough."""
    if len(clauses) > ALTERNATIVES:
        raise RuleSetInvalid(
            f"{where}: the condition comes to more than {ALTERNATIVES} alternatives.",
            hint="Write several rules, or `in` with a list in place of `any` over one fact.",
            where=where,
        )
    return sorted(clauses)


def _parts(clauses: Iterable[tuple[str, Clause]]) -> Iterator[list[tuple[str, Clause]]]:
    """The clauses in groups that the library can bear."""
    part: list[tuple[str, Clause]] = []
    names: set[str] = set()
    for rule, clause in clauses:
        more = {name for name, _, _ in clause}
        if part and (len(part) == _TOGETHER or len(names | more) > _NAMES):
            yield part
            part, names = [], set()
        part.append((rule, clause))
        names |= more
    if part:
        yield part


def _registration(clauses: list[tuple[str, Clause]]) -> tuple[str, frozenset[str]]:
    """The name under which durable-rules knows these clauses, registered if new, and the names they look at."""
    ruleset = "r" + blake2b(repr(clauses).encode(), digest_size=16).hexdigest()
    with _lock:
        if ruleset not in _registered:
            fired: list[str | None] = []
            rules = {
                f"r{number}": {"all": [{"m": _pattern(clause)}], "run": _note(fired, rule)}
                for number, (rule, clause) in enumerate(clauses)
            }
            # the library raises for a fact that no rule handles, so one rule handles every fact
            rules[_KNOWN] = {"all": [{"m": {_KNOWN: "y"}}], "run": _note(fired, None)}
            _host.register_rulesets({ruleset: rules})
            _registered[ruleset] = fired
    return ruleset, frozenset(name for _, clause in clauses for name, _, _ in clause)


def _pattern(clause: Clause) -> dict[str, Any]:
    """The clause in the library's words."""
    parts: list[dict[str, Any]] = [{name: token} if equal else {"$neq": {name: token}} for name, token, equal in clause]
    return {"$and": parts} if len(parts) > 1 else parts[0] if parts else {_KNOWN: "y"}


def _note(fired: list[str | None], rule: str | None) -> Any:
    def action(_context: object) -> None:
        fired.append(rule)

    return action


def _ask(ruleset: str, names: frozenset[str], event: Mapping[str, str]) -> frozenset[str]:
    """One self-contained evaluation in one session, whose state is gone afterwards whatever happens."""
    # a fact is known by its content, so each gets an id of its own; nothing is ever "observed already"
    fact = {"sid": _SESSION, "id": str(next(_numbers)), _KNOWN: "y", **{name: event[name] for name in names}}
    with _lock:
        fired = _registered[ruleset]
        fired.clear()
        try:
            state = _host.assert_fact(ruleset, fact)
        except BaseException:
            with suppress(durable_rules_engine.error):  # there may be no state yet; the first error is the one to hear
                _host.delete_state(ruleset, _SESSION)
            raise
        _host.delete_state(ruleset, _SESSION)
        if isinstance(state, dict) and state.get("exception"):
            raise RuleFailed(f"{ruleset}: {state['exception']}")
        if None not in fired:
            raise RuleFailed(f"{ruleset}: durable-rules lost the fact.")
        return frozenset(rule for rule in fired if rule is not None)


def _sound(engine: str, name: str, value: object) -> tuple[str, type, Scalar]:
    """The fact with its type, if it is plainly a text, a truth value or a whole number in range."""
    match value:
        case bool():
            return name, bool, value
        case str() if type(value) is str and len(value) <= LONGEST:
            return name, str, value
        case int() if type(value) is int and LEAST <= value <= MOST:
            return name, int, value
    raise RuleFailed(
        f"{engine}: the fact {name!r} is a {type(value).__name__} that rules cannot look at.",
        hint=f"A fact is a text of at most {LONGEST} characters, a truth value or a whole number of at most 9 digits.",
        fact=name,
    )
