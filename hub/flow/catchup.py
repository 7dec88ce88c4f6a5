"""Records that wait, judged page by page: the initial load, and everybody once more.

Each page is one transaction, so a run that was cut goes on where it was, and several may run at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from canonical.catalogue import ENTITIES
from hub.clock import Clock
from hub.flow.quiet import seldom_collected
from hub.flow.resolve import resolve
from hub.store import cases, waiting
from hub.store.engine import Engine, reading, writing
from rules.ruleset import RuleSet

PAGE = 5000  # records judged in one transaction; what memory depends on


def catch_up(
    engine: Engine,
    rulesets: Mapping[str, RuleSet],
    *,
    clock: Clock,
    page: int = PAGE,
    progress: Callable[[int], None] = lambda _count: None,
) -> int:
    """Judge every record that waits, parents' entities first; how many there were."""
    judged = 0
    with seldom_collected():
        for entity in ENTITIES:
            while ids := _one_page(engine, rulesets, entity, page, clock):
                judged += ids
                progress(judged)
    return judged


def put_back(engine: Engine, entity: str) -> int:
    """Let all records of the entity wait to be judged again; how many wait then."""
    with writing(engine) as connection:
        waiting.add_all(connection, entity)
        return waiting.counts(connection).get(entity, 0)


def left(engine: Engine) -> dict[str, int]:
    """How many records wait, by entity."""
    with reading(engine) as connection:
        return waiting.counts(connection)


def _one_page(engine: Engine, rulesets: Mapping[str, RuleSet], entity: str, page: int, clock: Clock) -> int:
    with writing(engine) as connection:
        cases.claim(connection, entity)
        ids = waiting.first(connection, entity, page)
        if ids:
            resolve(connection, rulesets, {entity: ids}, clock())
            waiting.done(connection, ids)
    return len(ids)
