"""All records of an entity, judged again in closed cases, so that memory is flat however many there are.

Replay, simulation and promotion walk the same way: what one of them finds, the others find too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hub.flow.gather import Gathered, gather
from hub.store import cases, journal, reindex, standing
from hub.store.engine import Connection
from rules.blocking import keys_of
from rules.matching import weigh
from rules.ruleset import RuleSet

PAGE = 1000  # records; a case is larger where their components reach further


def sweep(connection: Connection, ruleset: RuleSet, *, kept: bool = False) -> Iterator[Gathered]:
    """Closed cases that have every record of the entity in the core of one. Blocking keys must be stored.

    With `kept`, keys and evidence are taken as they are stored: those of these rules.
    """
    ahead: set[int] = set()  # records that have been in a case before their page comes
    for page in _pages(connection, ruleset.entity.name):
        fresh = [id_ for id_ in page if id_ not in ahead]
        ahead.difference_update(page)
        if fresh:
            reached = closed(connection, ruleset, fresh)
            gathered = gather(connection, ruleset, reached, kept=kept)
            reached.update(key.record_id for key in gathered.core)
            ahead.update(id_ for id_ in reached if id_ > page[-1])
            yield gathered


def reindex_all(connection: Connection, ruleset: RuleSet) -> None:
    """Make blocking keys and evidence of the whole entity anew: the rules of who is who have changed."""
    entity, matching = ruleset.entity.name, ruleset.document.matching
    reindex.forget(connection, entity)
    for page in _pages(connection, entity):
        records = journal.load_records(connection, page)
        live = {id_: one.values for id_, one in records.items() if not one.tombstone}
        keys = dict.fromkeys(records, ()) | keys_of(ruleset, live)
        cases.replace_keys(connection, entity, keys, matching.key_limit)
    for page in _pages(connection, entity):
        here = frozenset(page)
        edges = [
            edge for edge in cases.candidates(connection, page, loose=ruleset.sparing) if edge[0] in here
        ]  # each pair once
        records = journal.load_records(connection, sorted({id_ for edge in edges for id_ in edge}))
        weighed = weigh(ruleset, [(records[a].values, records[b].values) for a, b in edges], matching.review)
        found = {edge: one for edge, one in zip(edges, weighed, strict=True) if one.score >= matching.review}
        reindex.add_evidence(connection, found)


def closed(connection: Connection, ruleset: RuleSet, start: Iterable[int]) -> set[int]:
    """Whole components, so that a case has no record that another case must judge."""
    least = ruleset.document.matching.match
    reached = set(start)
    frontier = sorted(reached)
    while frontier:
        found = cases.tied(connection, frontier, least)
        found |= cases.succession(connection, frontier)
        frontier = sorted(found - reached)
        reached |= found
    return reached


def _pages(connection: Connection, entity: str) -> Iterator[list[int]]:
    after = -1
    while page := standing.ids_after(connection, entity, after, PAGE):
        yield page
        after = page[-1]
