"""What must be true between golden records, kept true to what they are: a consumer of the hub's own feed of changes.

A change of a record is a question about itself and about all that hang together with it by the walks of a rule. So
intake pays nothing for it; a page of changes costs a few statements. What leaves is asked again when a plan is made.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b

from hub.store import relations, rulesets
from hub.store.engine import Connection, Engine, reading, writing
from hub.store.relations import Broken, Mark
from rules.relations import broken
from rules.ruleset import RuleSet, shipped
from rules.steps import Steps, ends, reach

PAGE = 1000  # golden records, or changes


def settle(engine: Engine, now: datetime) -> dict[str, int]:
    """Look again at everything that changes have touched; entity → findings that came or went."""
    with reading(engine) as connection:
        inforce = rulesets.in_force(connection, shipped())
        marks, last = relations.marks(connection), relations.last_change(connection)
    behind = {name: one for name, one in inforce.items() if _behind(one, marks.get(name), last)}
    return {name: count for name, ruleset in behind.items() if (count := _entity(engine, ruleset, now))}


def unmet(
    connection: Connection, ruleset: RuleSet, ids: Sequence[str], world: relations.World | None = None
) -> list[Broken]:
    """What golden records of one entity do not meet, as everything stands in this transaction, or in another world."""
    found: list[Broken] = []
    if ruleset.document.relations:
        for start in range(0, len(ids), PAGE):
            met = relations.around(connection, ruleset, ids[start : start + PAGE], world)
            found += [Broken(id_, rule) for id_, one in met.items() for rule in broken(ruleset, one)]
    return found


def holding(connection: Connection, inforce: Mapping[str, RuleSet], owed: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Golden id → the relation that holds it back, of those (entity, golden id) that are about to leave."""
    ids: dict[str, list[str]] = {}
    for entity, golden_id in owed:
        ids.setdefault(entity, []).append(golden_id)
    found: dict[str, str] = {}
    for entity, mine in ids.items():
        if all(rule.effect != "hold" for rule in inforce[entity].document.relations):
            continue
        for one in unmet(connection, inforce[entity], sorted(mine)):
            if one.rule.effect == "hold":
                found.setdefault(one.golden_id, one.rule.id)
    return found


def _entity(engine: Engine, ruleset: RuleSet, now: datetime) -> int:
    """All pages of one entity."""
    total, more = 0, True
    while more:
        with reading(engine) as connection:
            ids, mark, more = _next(connection, ruleset)
            found = unmet(connection, ruleset, ids)
        if mark is None:
            break
        with writing(engine) as connection:
            total += relations.note(connection, ids, found, now)
            relations.keep_mark(connection, ruleset.entity.name, mark)
    return total


def _behind(ruleset: RuleSet, mark: Mark | None, last: int) -> bool:
    """Whether there is anything to look at: other rules, records not looked at yet, or changes."""
    if not ruleset.document.relations and mark is None:
        return False
    return mark != Mark(named(ruleset), last)


def _next(connection: Connection, ruleset: RuleSet) -> tuple[list[str], Mark | None, bool]:
    """Golden records to look at, the mark after them, and whether there may be more; no mark: nothing to do."""
    entity = ruleset.entity.name
    before, rules = relations.marks(connection).get(entity), named(ruleset)
    if before is None or before.rules != rules:
        before = Mark(rules, relations.last_change(connection), "")
    if before.after is not None:
        ids = relations.ids_after(connection, entity, before.after, PAGE)
        whole = len(ids) < PAGE
        return ids, Mark(rules, before.change, None if whole else ids[-1]), True
    changes = relations.changed(connection, before.change, PAGE)
    if not changes or not ruleset.document.relations:
        return [], None, False
    ids = sorted(_touched(connection, ruleset, changes))
    return ids, Mark(rules, changes[-1][0]), len(changes) == PAGE


def _touched(connection: Connection, ruleset: RuleSet, changes: Sequence[tuple[int, str, str, int]]) -> set[str]:
    """The entity's golden records that a page of changes may matter to."""
    entity = ruleset.entity.name
    seen: dict[str, list[tuple[str, int]]] = {}
    for _, name, golden_id, version in changes:
        seen.setdefault(name, []).append((golden_id, version))
    found = {golden_id for golden_id, _ in seen.get(entity, ())}
    for walk in {prefix for rule in ruleset.document.relations for prefix in prefixes(reach(rule, entity))}:
        end = ends(walk, entity)[-1]
        found |= {subject for _, subject in _subjects(connection, walk, entity, seen.get(end, ()))}
    return found


def _subjects(
    connection: Connection, walk: Steps, entity: str, seen: Sequence[tuple[str, int]]
) -> set[tuple[str, str]]:
    """Who reaches changed records by a walk, now, or did before they changed what they refer to."""
    turned = relations.back(walk, entity)
    found = relations.walked(connection, {golden_id for golden_id, _ in seen}, turned)
    if seen and "." in walk[-1]:
        once = relations.once_referred(connection, seen, turned[0])
        found |= relations.walked(connection, once, turned[1:])
    return found


def prefixes(found: Iterable[Steps]) -> Iterable[Steps]:
    """Each walk and all that it goes by."""
    return (walk[:length] for walk in found for length in range(1, len(walk) + 1))


def named(ruleset: RuleSet) -> str:
    """A name of the relations and of the facts that their conditions ask for."""
    said = [repr(ruleset.document.facts), *(rule.model_dump_json() for rule in ruleset.document.relations)]
    return blake2b("\n".join(said).encode(), digest_size=16).hexdigest()
