"""What rehearsed rules would do to what must be true between golden records, of their own entity and of all others.

Both sides are asked as everything would stand once relations are settled: under the rules in force as the store is,
and under the draft as it would be. What other entities say meanwhile is not foreseen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from hub.flow.relations import PAGE, named, prefixes, unmet
from hub.store import drafted, relations
from hub.store.engine import Connection
from hub.store.relations import STORED, Broken
from rules.ruleset import RuleSet
from rules.steps import ends, reach

Lines = list[dict[str, Any]]


def bearing(connection: Connection, inforce: Mapping[str, RuleSet], draft: RuleSet) -> tuple[Lines, Lines]:
    """Relations that would no longer be met, and those that would be met again."""
    touched = drafted.touched(connection)
    gained, lost = [], []
    for entity, base in inforce.items():
        own = entity == draft.entity.name
        then = draft if own else base
        if own and named(draft) != named(base):
            ids = set(_every(connection, entity)) | set(touched)
        else:
            ids = _reaching(connection, then, touched, own=own)
        for page in _pages(sorted(ids)):
            before = _lines(entity, unmet(connection, base, page))
            after = _lines(entity, unmet(connection, then, page, drafted))
            gained += [line for key, line in after.items() if key not in before]
            lost += [line for key, line in before.items() if key not in after]
    return sorted(gained, key=_order), sorted(lost, key=_order)


def _reaching(connection: Connection, ruleset: RuleSet, touched: Sequence[str], *, own: bool) -> set[str]:
    """The entity's golden records that what is touched may matter to, by the walks as they are and as they would be."""
    entity, mine = ruleset.entity.name, ruleset.document.relations
    found = set(touched) if own and mine else set()
    kind = touched and relations.entity_of(connection, touched)
    for walk in {prefix for rule in mine for prefix in prefixes(reach(rule, entity))} if kind else ():
        if ends(walk, entity)[-1] == kind:
            turned = relations.back(walk, entity)
            for page in _pages(touched):
                for world in (STORED, drafted):
                    found |= {subject for _, subject in relations.walked(connection, page, turned, world)}
    return found


def _every(connection: Connection, entity: str) -> Iterator[str]:
    after = ""
    while page := relations.ids_after(connection, entity, after, PAGE):
        yield from page
        after = page[-1]


def _lines(entity: str, broken: Iterable[Broken]) -> dict[tuple[str, str, str], dict[str, Any]]:
    """A line for each; the same line before and after is no news."""
    return {
        (one.golden_id, one.rule.id, one.rule.message): {
            "entity": entity, "golden": one.golden_id, "rule": one.rule.id, "severity": one.rule.severity,
            "effect": one.rule.effect, "message": one.rule.message,
        }
        for one in broken
    }  # fmt: skip


def _pages(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[start : start + PAGE] for start in range(0, len(ids), PAGE))


def _order(line: Mapping[str, Any]) -> tuple[str, str, str]:
    return line["entity"], line["golden"], line["rule"]
