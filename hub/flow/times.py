"""When the answer to a case changes by itself: rules and overrides that hold from or until a date.

Between two such moments the judge gives one answer whatever the hour, so that many golden records
decided at many times are judged again at once.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, time

from rules.case import Case
from rules.ruleset import RuleSet


def starts(ruleset: RuleSet) -> list[datetime]:
    """The moments from which an owner of the document is the owner, in order."""
    days = {owner.since for owner in ruleset.document.ownership}
    return sorted(datetime.combine(day, time.min, UTC) for day in days)


def fades(ruleset: RuleSet) -> frozenset[str]:
    """The rules by which trust fades, so that a value may change on any day."""
    rules = ruleset.document.survivorship
    return frozenset(r.id for r in rules if any(trust.half_life_days for trust in r.trust.values()))


def moments(case: Case, ruleset: RuleSet) -> list[datetime]:
    """All moments at which judgement of the case may change while nothing is said, in order."""
    return sorted({*starts(ruleset), *(one.until for one in case.overrides if one.until is not None)})


def epochs(wanted: Mapping[str, datetime], edges: Iterable[datetime]) -> dict[datetime, set[str]]:
    """The names by the moment at which to judge: one moment for all that no edge divides."""
    borders = sorted(edges)
    found: dict[int, tuple[datetime, set[str]]] = {}
    for name, moment in sorted(wanted.items()):
        found.setdefault(bisect_right(borders, moment), (moment, set()))[1].add(name)
    return dict(found.values())
