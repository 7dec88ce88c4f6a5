"""A simulated draft put in force: what then changes is what the simulation said, or nothing changes at all.

One transaction sets the version in force and judges every record of the entity again with it. It
compares what it does with the lists of the simulation and gives everything up when they differ. Four
eyes: whoever simulated a draft does not promote it; only the way back is one person's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import orjson

from hub.errors import Conflict, NotFound, SimulationStale, require_reason
from hub.flow.impact import Impact, of_core, retold
from hub.flow.rejudge import sweep
from hub.flow.simulate import get, prepare, simulate
from hub.flow.times import starts
from hub.store import audit, cases, rulesets, simulations
from hub.store.audit import Act
from hub.store.engine import Connection, Engine, reading, writing
from hub.store.rulesets import Promotion
from hub.store.simulations import Simulation
from hub.store.verdicts import Verdict, newly_owed, owe, write
from rules.judge import judge
from rules.ruleset import RuleSet, load, shipped

BESIDE = ("document", "answers", "relations_gained", "relations_lost")  # of a report: nothing that a promotion writes


@dataclass(frozen=True, slots=True)
class Will:
    """Who wants a version in force, and why."""

    author: str
    reason: str


def promote(engine: Engine, entity: str, simulation_id: int, will: Will, now: datetime) -> RuleSet:
    """Put the draft of a simulation in force and judge all records again. Raises Conflict, SimulationStale."""
    with writing(engine) as connection:
        _by_another(connection, simulation_id, will)
        return put_in_force(connection, entity, simulation_id, will, now)


def put_in_force(connection: Connection, entity: str, simulation_id: int, will: Will, now: datetime) -> RuleSet:
    """The same within a transaction, whoever has simulated it. Raises SimulationStale."""
    require_reason(will.reason, "a promotion")
    cases.claim(connection, entity)
    found = get(connection, simulation_id)
    draft = load(found.document, found.version)
    base = _still(connection, entity, simulation_id, found, now)
    if draft.version != found.version:
        raise SimulationStale(f"the document of S-{simulation_id} is not {found.version}; nothing was changed.")
    made = Promotion(entity, draft.version, base.version, simulation_id, will.author, will.reason, now)
    rulesets.promote(connection, made, draft.text)
    prepare(connection, draft, base)
    impact = Impact(retold(base, draft))
    for verdict in _verdicts(connection, draft, now):
        impact.add(connection, verdict)
        owed = newly_owed(connection, verdict, impact.retold)
        write(connection, verdict)
        owe(connection, verdict, owed)
    said = {name: lines for name, lines in found.report.items() if name not in BESIDE}
    if _plain(impact) != said:
        raise SimulationStale(f"the result is not what S-{simulation_id} said; nothing was changed.")
    detail = {"version": draft.version, "previous": base.version, "simulation": simulation_id}
    audit.append(connection, Act(will.author, "promote", entity, detail | {"reason": will.reason}), now)
    return draft


def rollback(engine: Engine, entity: str, version: str, will: Will, now: datetime) -> int:
    """Simulate a version that was in force once, and promote it; the simulation's id. Raises NotFound."""
    with reading(engine) as connection:
        document = rulesets.document_of(connection, entity, version)
    if document is None:
        raise NotFound(
            f"{entity} never had the version {version}.", hint=f"`hub rules ls --entity {entity}` lists them."
        )
    simulation_id = simulate(engine, load(document, version), will.author, now)
    with writing(engine) as connection:
        put_in_force(connection, entity, simulation_id, will, now)
    return simulation_id


def _by_another(connection: Connection, simulation_id: int, will: Will) -> None:
    if get(connection, simulation_id).created_by == will.author:
        raise Conflict(
            f"{will.author} simulated S-{simulation_id}, so somebody else must promote it; nothing was changed.",
            hint="Four eyes: ask a colleague to look at the simulation and to promote it.",
        )


def _verdicts(connection: Connection, draft: RuleSet, now: datetime) -> Iterator[Verdict]:
    for gathered in sweep(connection, draft, kept=True):
        judgement = judge(gathered.case, draft, now)
        yield of_core(Verdict(draft, gathered.case, gathered.core, judgement, now))


def _still(connection: Connection, entity: str, simulation_id: int, found: Simulation, now: datetime) -> RuleSet:
    """The version in force, when the store is where it was at the simulation. Raises SimulationStale."""
    name = f"S-{simulation_id}"
    if found.entity != entity:
        raise SimulationStale(f"{name} is about {found.entity}, not about {entity}; nothing was changed.")
    base = rulesets.in_force(connection, shipped())[entity]
    if base.version != found.base:
        raise SimulationStale(f"{name} was made against {found.base}, and {base.version} is in force now.")
    if simulations.mark(connection, entity) != found.mark:
        raise SimulationStale(f"records, decisions or publications of {entity} have changed since {name} was made.")
    draft = load(found.document, found.version)
    begun = [moment for moment in starts(draft) if found.created_at < moment <= now]
    ended = simulations.overrides_ending(connection, entity, found.created_at, now)
    if begun or ended:
        raise SimulationStale(f"an owner began or an override ended since {name} was made.")
    return base


def _plain(impact: Impact) -> object:
    """The lists as they are once they have been stored."""
    return orjson.loads(orjson.dumps(impact.document()))
