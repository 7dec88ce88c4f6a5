"""From records that changed to a closed case: who may be the same, who hangs together, what is known.

The evidence of a pair depends on the two records alone, and a pair is a candidate when the two share
a key that is not too common: so the case, and with it every judgement, depends on what the records
are, never on the order in which they came.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import inf

from canonical.ids import SourceKey
from canonical.record import SourceRecord
from hub.store import cases, echoes, journal
from hub.store.engine import Connection
from rules.blocking import keys_of
from rules.case import Case, Ties
from rules.clustering import unspoken
from rules.matching import weigh
from rules.ruleset import RuleSet


class Gathered:
    """A case, and which of its records were to be judged again (the others are there to be asked)."""

    def __init__(self, case: Case, core: frozenset[SourceKey]) -> None:
        """Keep the two together."""
        self.case, self.core = case, core


def gather(connection: Connection, ruleset: RuleSet, touched: Iterable[int], *, kept: bool = False) -> Gathered:
    """The closed case around these records. Stores their keys and evidence on the way, unless they are kept."""
    cases.claim(connection, ruleset.entity.name)
    dirty = set(touched)
    dirty |= cases.succession(connection, sorted(dirty))
    before = _component(connection, ruleset, dirty)
    if not kept:
        dirty |= _rekey(connection, ruleset, dirty)
        _weigh_again(connection, ruleset, sorted(dirty))
    core = before if kept else _component(connection, ruleset, dirty | before)
    asked = cases.neighbours(connection, sorted(core), ruleset.document.matching.review) - core
    everyone = core | _component(connection, ruleset, asked)
    records = journal.load_records(connection, sorted(everyone))
    case = _case(connection, ruleset, records)
    return Gathered(case, frozenset(records[id_].key for id_ in core if id_ in records))


def _rekey(connection: Connection, ruleset: RuleSet, dirty: set[int]) -> set[int]:
    """Store the blocking keys of changed records; who else must be compared again because of it."""
    records = journal.load_records(connection, sorted(dirty))
    live = {id_: one.values for id_, one in records.items() if not one.tombstone}
    keys = dict.fromkeys(records, ()) | keys_of(ruleset, live)
    return cases.replace_keys(connection, ruleset.entity.name, keys, ruleset.document.matching.key_limit)


def _weigh_again(connection: Connection, ruleset: RuleSet, dirty: Sequence[int]) -> None:
    """Compare the records with all candidates; keep what is worth a look or more."""
    edges = cases.candidates(connection, dirty, loose=ruleset.sparing)
    records = journal.load_records(connection, sorted({*dirty, *(id_ for edge in edges for id_ in edge)}))
    least = ruleset.document.matching.review
    weighed = weigh(ruleset, [(records[a].values, records[b].values) for a, b in edges], least)
    found = {edge: one for edge, one in zip(edges, weighed, strict=True) if one.score >= least}
    cases.replace_evidence(connection, dirty, found)


def _component(connection: Connection, ruleset: RuleSet, start: Iterable[int]) -> set[int]:
    """Everything that certain evidence, a golden record or a steward's answer ties to these records."""
    least = ruleset.document.matching.match
    reached: set[int] = set(start)
    frontier = sorted(reached)
    while frontier:
        found = cases.tied(connection, frontier, least)
        frontier = sorted(found - reached)
        reached |= found
    return reached


def _case(connection: Connection, ruleset: RuleSet, records: Mapping[int, SourceRecord]) -> Case:
    keys = {id_: one.key for id_, one in records.items()}
    held = cases.links(connection, list(records))
    inherited = cases.inherited(connection, records)
    claims = {*held.values(), *(id_ for ids in inherited.values() for id_ in ids)}
    return Case(
        entity=ruleset.entity.name,
        records=tuple(sorted(records.values(), key=lambda one: one.key)),
        ties=_ties(connection, ruleset, records),
        decisions=cases.pair_decisions(connection, keys),
        overrides=cases.overrides(connection, keys),
        links={keys[id_]: golden_id for id_, golden_id in held.items()},
        inherited=inherited,
        priors=cases.priors(connection, claims),
        founded=cases.founded(connection, keys),
        published=echoes.published_there(connection, records),
    )


def _ties(connection: Connection, ruleset: RuleSet, records: Mapping[int, SourceRecord]) -> Ties:
    """The evidence kept, and within each component small enough that of all its other pairs too."""
    ids = sorted(records, key=lambda id_: records[id_].key)
    scores = cases.scores(connection, ids)
    kept = Ties.of(ids, scores)
    silent = [(ids[a], ids[b]) for a, b in unspoken(kept, len(ids), ruleset.document.matching.match)]
    pairs = [(a, b) for a, b in silent if not records[a].tombstone and not records[b].tombstone]
    weighed = weigh(ruleset, [(records[a].values, records[b].values) for a, b in pairs], inf)
    more = [(a, b, one.score) for (a, b), one in zip(pairs, weighed, strict=True)]
    return Ties.of(ids, [*scores, *more]) if more else kept
