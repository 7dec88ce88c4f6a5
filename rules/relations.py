"""What must be true of a golden record and the others that it hangs together with.

The hub gathers who is meant, by the walks of each rule (`rules.steps`), in a few statements for any number of
records; what they must say of each other is decided here. References are golden ids by then, so that two systems
that call one customer by two keys mean the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from rules.document import Relation
from rules.draft import named_facts
from rules.forms import texts_at
from rules.ruleset import RuleSet
from rules.steps import Steps, split

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """A golden record's values, and by each walk those of the records that it leads to."""

    own: Values
    around: Mapping[Steps, Sequence[Values]]


def broken(ruleset: RuleSet, one: Surroundings) -> list[Relation]:
    """The relations that apply to a record and are not as they must be, in the document's order."""
    applicable = ruleset.applicable(named_facts(ruleset, [one.own]))
    return [rule for rule in ruleset.document.relations if rule.id in applicable and not _holds(ruleset, rule, one)]


def _holds(ruleset: RuleSet, rule: Relation, one: Surroundings) -> bool:
    others = [
        values
        for values in one.around.get(rule.to, ())
        if all(set(texts_at(values, path)) & set(said) for path, said in rule.where.items())
    ]
    if rule.own is None or rule.their is None:
        return bool(others)
    walk, path = split(rule.own, ruleset.entity.name)
    ours = [_value(values, path) for values in (one.around.get(walk, ()) if walk else [one.own])]
    theirs = [_value(values, rule.their) for values in others]
    return CHECKS[rule.check]([v for v in ours if v is not None], [v for v in theirs if v is not None])


def _value(values: Values, path: str) -> Any:
    found: Any = values
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _exists(ours: Sequence[Any], theirs: Sequence[Any]) -> bool:
    """One of the others says what we say; true while we say nothing."""
    return not ours or any(value in ours for value in theirs)


def _equal(ours: Sequence[Any], theirs: Sequence[Any]) -> bool:
    """All others say what we say; true while either side is silent."""
    return not ours or all(value in ours for value in theirs)


def _sum_at_most(ours: Sequence[Any], theirs: Sequence[Any]) -> bool:
    """Their amounts are together no more than ours; true while ours is unsaid, or in another currency."""
    for most in ours:
        if all(amount["currency"] == most["currency"] for amount in theirs):
            return sum((Decimal(amount["amount"]) for amount in theirs), Decimal(0)) <= Decimal(most["amount"])
    return True


CHECKS: Mapping[str, Callable[[Sequence[Any], Sequence[Any]], bool]] = {
    "exists": _exists,
    "equal": _equal,
    "sum_at_most": _sum_at_most,
}
