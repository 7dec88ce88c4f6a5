"""Time passes: an owner begins, an override ends, trust in an old word fades, and what this changes is judged again.

Without it such a value would change at the next touch of its record, or never. Each change stands in
the audit log with the date that made it; followed twice, nothing happens twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from canonical.catalogue import ENTITIES
from hub.flow.gather import Gathered, gather
from hub.flow.impact import of_core
from hub.flow.rejudge import sweep
from hub.flow.times import fades, starts
from hub.store import audit, cases, dates, lapsing, rulesets
from hub.store.audit import Act
from hub.store.engine import Connection, Engine, writing
from hub.store.verdicts import Verdict, write
from rules.judge import judge
from rules.ruleset import RuleSet, shipped

ACTOR = "time"
PAGE = 500  # golden records of one case
NAMED = 200  # golden ids that an audit entry lists; it counts them all


def follow(engine: Engine, now: datetime) -> dict[str, int]:
    """Judge again whatever a date has touched up to now; entity → golden records that changed."""
    changed: dict[str, int] = {}
    for name in ENTITIES:
        with writing(engine) as connection:
            count = _follow(connection, name, now)
        if count is not None:
            changed[name] = count
    return changed


def _follow(connection: Connection, entity: str, now: datetime) -> int | None:
    """One entity in one transaction; None when no date has come."""
    cases.claim(connection, entity)
    live = rulesets.live(connection, shipped()).get(entity)
    if live is None:
        return None
    last = max(dates.followed(connection).get(entity, live.since), live.since)
    lapsing.ask(connection, entity, lapsing.over(connection, entity, now), now)
    begun = [moment for moment in starts(live.ruleset) if last < moment <= now]
    lapsed = dates.lapsed(connection, entity, now)
    fading = fades(live.ruleset) if last.date() < now.date() else frozenset()
    if not begun and not lapsed and not fading:
        return None
    if begun:
        found = sweep(connection, live.ruleset, kept=True)
    else:
        found = _touched(connection, live.ruleset, lapsed, fading)
    ids: list[str] = []
    for gathered in found:
        judgement = judge(gathered.case, live.ruleset, now)
        verdict = of_core(Verdict(live.ruleset, gathered.case, gathered.core, judgement, now))
        write(connection, verdict)
        ids += [draft.id for draft in verdict.changed]
    dates.follow(connection, entity, now)
    detail = {
        "owners_from": [moment.date().isoformat() for moment in begun],
        "overrides_ended": [{"decision": row[1], "golden": row[2], "field": row[3]} for row in lapsed],
        "trust_faded": sorted(fading),
        "ruleset": live.ruleset.version, "changed": len(ids), "golden": sorted(ids)[:NAMED],
    }  # fmt: skip
    if begun or lapsed or ids:
        audit.append(connection, Act(ACTOR, "date", entity, detail), now)
    return len(ids)


def _touched(
    connection: Connection, ruleset: RuleSet, lapsed: Iterable[tuple[int, str, str, str]], fading: frozenset[str]
) -> Iterator[Gathered]:
    """Cases around overrides that have ended and around what fading trust has decided."""
    groups = [[row[0]] for row in lapsed]
    if fading:
        groups += dates.decided_by(connection, ruleset.entity.name, fading)
    for start in range(0, len(groups), PAGE):
        yield gather(connection, ruleset, {id_ for group in groups[start : start + PAGE] for id_ in group})
