"""What must be true of a golden record. A rule that is not met is a finding, never an exception.

Which rules apply is asked of the engine; the checks are the functions below, by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from canonical.findings import Finding, Severity
from rules.document import Validation
from rules.ruleset import RuleSet

Values = Mapping[str, Any]
Check = Callable[[Values, Mapping[str, str]], bool]


def validate(ruleset: RuleSet, values: Values, applicable: frozenset[str]) -> list[tuple[Validation, Finding]]:
    """The rules that apply and are not met, in the document's order, each with its finding."""
    failed = []
    for rule in ruleset.document.validation:
        if rule.id in applicable and not CHECKS[rule.check](values, rule.of):
            finding = Finding("HUB-3501", f"{rule.message} ({rule.id})", Severity(rule.severity), rule.of.get("field"))
            failed.append((rule, finding))
    return failed


def _present(values: Values, of: Mapping[str, str]) -> bool:
    """The field is filled."""
    return values.get(of["field"]) not in (None, "", [], {})


def _sums_to(values: Values, of: Mapping[str, str]) -> bool:
    """The amounts of a list add up to a total in the same currency; true while either is unsaid."""
    field, total = values.get(of["list"]), values.get(of["field"])
    if not field or total is None:
        return True
    amounts = [entry.get(of.get("amount", "amount")) for entry in field]
    if any(amount is None for amount in amounts):
        return True
    same = all(amount["currency"] == total["currency"] for amount in amounts)
    return same and sum(Decimal(amount["amount"]) for amount in amounts) == Decimal(total["amount"])


def _at_most(values: Values, of: Mapping[str, str]) -> bool:
    """The amounts of a list do not exceed a total in the same currency."""
    field, total = values.get(of["list"]), values.get(of["field"])
    if not field or total is None:
        return True
    amounts = [entry[of.get("amount", "amount")] for entry in field if entry.get(of.get("amount", "amount"))]
    same = all(amount["currency"] == total["currency"] for amount in amounts)
    return same and sum(Decimal(amount["amount"]) for amount in amounts) <= Decimal(total["amount"])


def _not_before(values: Values, of: Mapping[str, str]) -> bool:
    """One date is not before another; true while either is unsaid."""
    late, early = values.get(of["field"]), values.get(of["start"])
    return late is None or early is None or late >= early


CHECKS: dict[str, Check] = {
    "present": _present,
    "sums_to": _sums_to,
    "at_most": _at_most,
    "not_before": _not_before,
}
