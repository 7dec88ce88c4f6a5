"""What is allowed in a rule document and yet surely not meant: rules that can never fire, fields that nobody decides.

A condition is judged by trying it: on every combination of values that could make a difference to it (the
constants that it names, one that nobody names, and nothing at all). Where that is too much to try, nothing
is said. So a remark is always right, and a document without one may still hold a rule that never fires.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

from rules.conditions import LEAST, MOST, Condition, FactTest, Scalar, Some, facts_of, holds, tests_of
from rules.document import Survivorship
from rules.ruleset import CHANGED, RuleSet
from rules.strategies import MAY_PASS, measured_as

MOST_WORLDS = 20_000  # combinations that are tried for one question
OTHER = "\x00another"  # a text that no condition names
_ADMITS = {"loses": 0, "clears_from_owner": 1, "wins": 2}
_TRUTHS = frozenset({"published", "known_there"})

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Remark:
    """What a person should look at again: which rule, in words, and where in the document."""

    rule: str
    words: str
    path: Path


def remarks(ruleset: RuleSet) -> list[Remark]:
    """Everything that is surely not meant, in the order of the document."""
    worlds = _Worlds(ruleset)
    return [
        *_contradictions(ruleset, worlds),
        *_idle_owners(ruleset, worlds),
        *_shadowed_survivorship(ruleset, worlds),
        *_undecided_fields(ruleset, worlds),
        *_shadowed_exits(ruleset, worlds),
    ]


class _Worlds:
    """The values that facts can take, as far as conditions can tell them apart."""

    def __init__(self, ruleset: RuleSet) -> None:
        self.conditions = ruleset.conditions
        self._ruleset = ruleset

    def possible(self, condition: Condition) -> bool:
        """Whether some facts meet the condition; true when there are too many to try."""
        return self._some([condition], lambda facts: holds(condition, facts), unknown=True)

    def wider(self, wide: str, narrow: str) -> bool:
        """Whether the one rule applies whenever the other does; false when there are too many facts to try."""
        one, other = self.conditions[wide], self.conditions[narrow]
        return not self._some([one, other], lambda facts: holds(other, facts) and not holds(one, facts), unknown=True)

    def always(self, condition: Condition) -> bool:
        """Whether the condition holds whatever the facts are; true when there are too many to try."""
        return not self._some([condition], lambda facts: not holds(condition, facts), unknown=False)

    def _some(
        self, conditions: Sequence[Condition], met: Callable[[dict[str, Scalar]], bool], *, unknown: bool
    ) -> bool:
        names = sorted({fact for condition in conditions for fact in facts_of(condition)})
        tests = [test for condition in conditions for test in tests_of(condition)]
        choices = [self._values(name, [test for test in tests if test.fact == name]) for name in names]
        if prod(len(one) for one in choices) > MOST_WORLDS:
            return unknown
        combinations = (zip(names, values, strict=True) for values in product(*choices))
        return any(met({name: value for name, value in one if value is not None}) for one in combinations)

    def _values(self, name: str, tests: Sequence[FactTest]) -> list[Scalar | None]:
        """What the fact can be; None is missing."""
        if name in _TRUTHS or name.startswith(CHANGED):
            return [True, False]
        if name == "change":
            return ["create", "update"]
        constants = {value for test in tests for value in test.values if not isinstance(value, bool)}
        if name in ("sources", "at_stake"):
            near = {int(v) + step for v in constants if isinstance(v, int) for step in (-1, 0, 1)} | {1}
            numbers: list[Scalar | None] = [n for n in sorted(near) if max(LEAST, name == "sources") <= n <= MOST]
            return numbers if name == "sources" else [None, *numbers]
        if name == "target":
            return list(self._ruleset.targets)
        return [None, *(self._choices(name) or [*sorted(v for v in constants if isinstance(v, str)), OTHER])]

    def _choices(self, fact: str) -> list[str]:
        """The closed list of values of the field behind a fact, if it has one."""
        field = self._ruleset.entity.fields.get(self._ruleset.document.facts.get(fact, ""))
        if field is None:
            return []
        schema = field.schema
        return [value for one in (schema, *schema.get("anyOf", ())) for value in one.get("enum", ())]


def _sections(ruleset: RuleSet) -> Iterator[tuple[str, Path]]:
    """Each rule's id and its place."""
    for index in range(len(ruleset.document.ownership)):
        yield f"owner-{index + 1}", ("ownership", index)
    for section in ("survivorship", "validation", "relations", "approval", "publication"):
        for index, rule in enumerate(getattr(ruleset.document, section)):
            yield rule.id, (section, index)


def _contradictions(ruleset: RuleSet, worlds: _Worlds) -> Iterator[Remark]:
    for rule, path in _sections(ruleset):
        if not worlds.possible(ruleset.conditions[rule]):
            words = "never applies: no facts that there can be meet its `when`"
            yield Remark(rule, words, (*path, "when"))


def _idle_owners(ruleset: RuleSet, worlds: _Worlds) -> Iterator[Remark]:
    rows = ruleset.document.ownership
    for index, row in enumerate(rows):
        for other in range(index):
            same = rows[other].since == row.since and set(row.fields) <= set(rows[other].fields)
            if same and worlds.wider(f"owner-{other + 1}", f"owner-{index + 1}"):
                words = f"never owns: owner-{other + 1} owns the same from the same day on and stands before it"
                yield Remark(f"owner-{index + 1}", words, ("ownership", index))
                break


def _shadowed_survivorship(ruleset: RuleSet, worlds: _Worlds) -> Iterator[Remark]:
    rules = ruleset.document.survivorship
    owned = {name for owner in ruleset.document.ownership for name in owner.fields}
    for index, rule in enumerate(rules):
        path = ("survivorship", index)
        fields = _fields(ruleset, rule)
        if not worlds.possible(ruleset.conditions[rule.id]):
            continue  # said before
        if rule.take == "owner" and not owned & set(fields):
            yield Remark(rule.id, "never finds anybody: no system owns any of its fields", path)
            continue
        before = {name: _shadow(ruleset, worlds, index, name) for name in fields}
        if all(before.values()):
            names = ", ".join(sorted({one for one in before.values() if one}))
            yield Remark(rule.id, f"never fires: {names} decides before it", path)
        elif "*" not in rule.fields:
            for name, one in before.items():
                if one:
                    yield Remark(rule.id, f"never decides {name}: {one} does before it", (*path, "fields"))


def _shadow(ruleset: RuleSet, worlds: _Worlds, index: int, name: str) -> str | None:
    """The earlier rule that decides the field whenever this one could."""
    rules = ruleset.document.survivorship
    for earlier in rules[:index]:
        covers = name in _fields(ruleset, earlier)
        if covers and _decides(ruleset, earlier, rules[index], name) and worlds.wider(earlier.id, rules[index].id):
            return earlier.id
    return None


def _decides(ruleset: RuleSet, earlier: Survivorship, later: Survivorship, name: str) -> bool:
    """Whether the earlier rule, where both apply, finds a value whenever the later one would."""
    if _ADMITS[earlier.null] < _ADMITS[later.null] or (earlier.verified_only and not later.verified_only):
        return False
    return _sure(ruleset, earlier, name) or (earlier.take, earlier.of) == (later.take, later.of)


def _sure(ruleset: RuleSet, rule: Survivorship, name: str) -> bool:
    """Whether the rule finds somebody whenever anybody may take part; amounts in two currencies defeat min and max."""
    if rule.take in ("min", "max"):
        return measured_as(ruleset.entity.fields[name]) != "money"
    return rule.take not in MAY_PASS


def _undecided_fields(ruleset: RuleSet, worlds: _Worlds) -> Iterator[Remark]:
    """Fields that may have a value from every system and end up with none."""
    for name in ruleset.entity.fields:
        last = [
            rule
            for rule in ruleset.document.survivorship
            if name in _fields(ruleset, rule) and _sure(ruleset, rule, name) and not rule.verified_only
        ]
        if not last or not worlds.always(Some(tuple(worlds.conditions[rule.id] for rule in last))):
            yield Remark(
                name, f"{name} has no rule that always finds a value: add one below the others", ("survivorship",)
            )


def _shadowed_exits(ruleset: RuleSet, worlds: _Worlds) -> Iterator[Remark]:
    """Approvals and publications: the first that applies (to a target) decides."""
    sections: tuple[tuple[str, Sequence[Any]], ...] = (
        ("approval", ruleset.document.approval),
        ("publication", ruleset.document.publication),
    )
    for section, rules in sections:
        for index, rule in enumerate(rules):
            for earlier in rules[:index]:
                same = section == "approval" or earlier.target == rule.target
                if same and worlds.wider(earlier.id, rule.id) and worlds.possible(worlds.conditions[rule.id]):
                    yield Remark(rule.id, f"never fires: {earlier.id} decides before it", (section, index))
                    break


def _fields(ruleset: RuleSet, rule: Survivorship) -> tuple[str, ...]:
    return tuple(ruleset.entity.fields) if "*" in rule.fields else rule.fields
