"""What may leave for a target, at once or after whom; and what is held back.

An approval rule sees what leaves compared with what the target has acknowledged, never with the golden
version before: two small steps that have not been sent wait as the one change that they make together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Any

from rules.conditions import MOST
from rules.document import Validation
from rules.judgement import Publication
from rules.ruleset import CHANGED, RuleSet

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Leaving:
    """A golden record about to leave: the facts about it, its values, and what each target has of it."""

    facts: Mapping[str, str | bool | int]
    values: Values
    sent: Mapping[str, Values]


def publications(
    ruleset: RuleSet, applicable: frozenset[str], failed: Sequence[Validation], leaving: Leaving
) -> tuple[Publication, ...]:
    """One publication per target that a rule names; the first rule for a target decides."""
    held = next((rule.id for rule in failed if rule.effect == "hold"), None)
    found: dict[str, Publication] = {}
    for rule in ruleset.document.publication:
        if rule.id in applicable and rule.target not in found:
            waits_for = _waits_for(ruleset, leaving, rule.target)
            found[rule.target] = Publication(rule.target, rule.id, waits_for, held)
    return tuple(found.values())


def facts_of_change(ruleset: RuleSet, leaving: Leaving, target: str) -> dict[str, str | bool | int]:
    """What approval rules may look at besides: where it goes, what differs from what is there, money at stake.

    Nothing is `changed` where the target has nothing yet; `known_there` tells the two apart. `at_stake` is
    the larger amount of before and after in whole units, rounded up; missing while neither is known.
    """
    there = leaving.sent.get(target)
    facts: dict[str, str | bool | int] = {"target": target, "known_there": there is not None}
    told = ruleset.told(target)
    for name in ruleset.entity.fields:
        differs = there is not None and there.get(name) != leaving.values.get(name)
        facts[CHANGED + name] = differs and name in told
    stake = _stake(ruleset.document.at_stake, leaving.values, there or {})
    if stake is not None:
        amount, currency = stake
        facts["at_stake"] = ruleset.bracket("at_stake", min(int(amount.to_integral_value(ROUND_CEILING)), MOST))
        facts["at_stake_currency"] = currency
    return facts


def _waits_for(ruleset: RuleSet, leaving: Leaving, target: str) -> str | None:
    if not ruleset.document.approval:
        return None
    facts = {**leaving.facts, **facts_of_change(ruleset, leaving, target)}
    applicable = ruleset.applicable(facts)
    return next((rule.wait_for for rule in ruleset.document.approval if rule.id in applicable), None)


def _stake(name: str | None, after: Values, before: Values) -> tuple[Decimal, str] | None:
    """The larger amount without its sign; what is there now counts only in the same currency."""
    now, then = after.get(name or ""), before.get(name or "")
    amounts = [one for one in (now, then) if one is not None]
    if not amounts:
        return None
    currency = amounts[0]["currency"]
    same = [abs(Decimal(one["amount"])) for one in amounts if one["currency"] == currency]
    return max(same), currency
