"""What may leave for a target, at once or after whom; and what is held back."""

from __future__ import annotations

from collections.abc import Sequence

from rules.document import Validation
from rules.judgement import Publication
from rules.ruleset import RuleSet


def publications(ruleset: RuleSet, applicable: frozenset[str], failed: Sequence[Validation]) -> tuple[Publication, ...]:
    """One publication per target that a rule names; the first rule for a target decides."""
    held = next((rule.id for rule in failed if rule.effect == "hold"), None)
    waits_for = next((rule.wait_for for rule in ruleset.document.approval if rule.id in applicable), None)
    found: dict[str, Publication] = {}
    for rule in ruleset.document.publication:
        if rule.id in applicable:
            found.setdefault(rule.target, Publication(rule.target, rule.id, waits_for, held))
    return tuple(found.values())
