"""A rule draft rehearsed: all live records of its entity judged with it, exactly, before anything is changed.

The judgement runs on an overlay, so that the hub goes on meanwhile; only its result is saved, with the
hash of the draft and a mark of how far the store was. Promotion walks the same way and must come to
the same result; relations, which other entities have a part in, are settled as always afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hub.errors import InvalidRequest, NotFound
from hub.flow.bearing import bearing
from hub.flow.documents import difference
from hub.flow.impact import Impact, of_core, retold
from hub.flow.rejudge import PAGE, reindex_all, sweep
from hub.store import drafted, journal, overlay, rulesets, simulations
from hub.store.engine import Connection, Engine, writing
from hub.store.simulations import Simulation
from hub.store.verdicts import Verdict
from rules.judge import judge
from rules.matching import bounds, weigh
from rules.ruleset import RuleSet, shipped


def simulate(engine: Engine, draft: RuleSet, author: str, now: datetime) -> int:
    """Judge all live records with the draft and save what would change; the simulation's id."""
    entity = draft.entity.name
    with overlay.overlay(engine) as connection:
        base = base_of(connection, draft)
        impact = Impact(retold(base, draft))
        mark = simulations.mark(connection, entity)
        prepare(connection, draft, base, overlaid=True)
        for gathered in sweep(connection, draft, kept=True):
            judgement = judge(gathered.case, draft, now)
            verdict = of_core(Verdict(draft, gathered.case, gathered.core, judgement, now))
            impact.add(connection, verdict)
            drafted.keep(connection, verdict)
        answers = _answers(connection, draft)
        gained, lost = bearing(connection, rulesets.in_force(connection, shipped()), draft)
    changes = [list(change) for change in difference(base.document, draft.document)]
    beside = {"relations_gained": gained, "relations_lost": lost}
    report = impact.document() | {"document": changes, "answers": answers} | beside
    counts = impact.counts() | {name: len(lines) for name, lines in beside.items()}
    counts |= {name: len(answers[name]) for name in ("agree", "contradict", "undecided")}
    made = Simulation(
        entity, base.version, draft.version, draft.text, mark, impact.records, counts, report, now, author
    )  # fmt: skip
    with writing(engine) as connection:
        return simulations.save(connection, made)


def get(connection: Connection, simulation_id: int) -> Simulation:
    """A saved simulation. Raises NotFound."""
    found = simulations.get(connection, simulation_id)
    if found is None:
        raise NotFound(f"there is no simulation S-{simulation_id}.", hint="`hub rules simulations` lists them.")
    return found


def base_of(connection: Connection, draft: RuleSet) -> RuleSet:
    """The version in force that the draft would replace. Raises InvalidRequest when it is the same."""
    base = rulesets.in_force(connection, shipped())[draft.entity.name]
    if base.version == draft.version:
        raise InvalidRequest(f"{draft.version} is in force already; there is nothing to simulate.")
    return base


def prepare(connection: Connection, draft: RuleSet, base: RuleSet, *, overlaid: bool = False) -> None:
    """Have the blocking keys and evidence of the draft at hand: as they are kept, or made anew."""
    if draft.document.matching != base.document.matching:
        reindex_all(connection, draft)
    elif overlaid:
        overlay.fill(connection, draft.entity.name)


def _answers(connection: Connection, draft: RuleSet) -> dict[str, list[Mapping[str, Any]]]:
    """Each pair that a steward has decided, by what the draft's evidence alone says of it."""
    found: dict[str, list[Mapping[str, Any]]] = {"agree": [], "contradict": [], "undecided": []}
    pairs = simulations.pairs_decided(connection, draft.entity.name)
    for start in range(0, len(pairs), PAGE):
        part = pairs[start : start + PAGE]
        records = journal.load_records(connection, sorted({id_ for _, *both in part for id_ in both}))
        weighed = weigh(draft, [(records[a].values, records[b].values) for _, a, b in part])
        vetoes = bounds(draft, {one.key: one.values for one in records.values()}, {}).exclusive
        for (answer, a, b), evidence in zip(part, weighed, strict=True):
            left, right = records[a].key, records[b].key
            mine, theirs = vetoes.get(left, {}), vetoes.get(right, {})
            vetoed = any(theirs.get(name, value) != value for name, value in mine.items())
            said = _said(draft, evidence.score, vetoed=vetoed)
            state = "undecided" if said is None else "agree" if said == answer else "contradict"
            found[state].append(
                {"left": str(left), "right": str(right), "answer": answer, "score": evidence.score, "vetoed": vetoed}
            )
    return found


def _said(draft: RuleSet, score: float, *, vetoed: bool) -> str | None:
    """Same, different, or None where the draft would ask a person."""
    matching = draft.document.matching
    if score < matching.review:
        return "different"
    return None if score < matching.match else "different" if vetoed else "same"
