"""A golden record at another time: as the hub believed it then, or as it would be had nothing been said since.

The first is read from the versions that were kept. The second is judged anew by the rules in force,
with the versions that the sources had asserted by then, among the records that hang together today;
it was never published and never stood, and says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time
from itertools import combinations
from math import inf
from typing import Any

from canonical.catalogue import ENTITIES
from canonical.ids import SourceKey
from canonical.record import SourceRecord
from hub.errors import InvalidRequest, NotFound
from hub.flow.rejudge import closed
from hub.store import cases, echoes, past, reads, related, rulesets
from hub.store.engine import Connection, Engine, reading
from hub.store.verdicts import provenance_document
from rules.case import Case, Ties
from rules.judge import judge
from rules.judgement import Draft, Judgement
from rules.match.meeting import COMPLETE
from rules.matching import weigh
from rules.ruleset import RuleSet, shipped

Row = Mapping[str, Any]


def moment(text: str, *, end: bool = True) -> datetime:
    """The time that a person means: a day means its end (or its start), a time without a zone is UTC.

    Raises InvalidRequest.
    """
    try:
        if len(text) <= len("2026-01-01"):
            return datetime.combine(date.fromisoformat(text), time.max if end else time.min, UTC)
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidRequest(f"{text!r} is no date or time.", hint="Write 2026-04-01 or 2026-04-01T09:30Z.") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def believed(engine: Engine, asked: str, at: datetime) -> dict[str, Any]:
    """The golden record behind an id or a source key as it stood then. Raises NotFound."""
    with reading(engine) as connection:
        golden_id: str | None = asked
        if ":" in asked:
            golden_id = past.holder_at(connection, SourceKey.parse(asked).record_id, at)
        gone = past.ended(connection, golden_id, at) if golden_id else None
        if gone and gone[1]:
            golden_id = gone[1]
        row = past.version_at(connection, golden_id, at) if golden_id else None
    if row is None:
        raise NotFound(f"there was no record {asked} on {at:%Y-%m-%d %H:%M} (UTC).")
    label = ENTITIES[row["entity"]].label_of(dict(row["values"]))
    state = gone[0] if gone and not gone[1] else "live"
    own = {"id": row["golden_id"], "label": label, "changed_at": row["valid_from"], "state": state}
    return dict(row) | own | {"basis": f"as the hub believed at {at.isoformat()}"}


def asserted(engine: Engine, asked: str, at: datetime) -> dict[str, Any]:
    """What the record behind an id or a source key would be, with only what was asserted by then. Raises NotFound."""
    with reading(engine) as connection:
        start = _start(connection, asked)
        found = _judged(connection, {asked: start}, at)
    if asked not in found:
        raise NotFound(f"no source had asserted anything of {asked} by {at:%Y-%m-%d %H:%M} (UTC).")
    return found[asked]


def asserted_all(connection: Connection, ids: Sequence[str], at: datetime) -> dict[str, dict[str, Any]]:
    """The same for golden records of one entity at once; those of which nothing had been asserted are left out."""
    held = related.sources(connection, ids)
    starts = {
        id_: {row["record_id"]: SourceKey(row["system"], row["entity"], row["key"]) for row in rows}
        for id_, rows in held.items()
        if rows
    }
    return _judged(connection, starts, at) if starts else {}


def _judged(
    connection: Connection, starts: Mapping[str, Mapping[int, SourceKey]], at: datetime
) -> dict[str, dict[str, Any]]:
    """Everything that hangs together with these records, judged at once; what became of each that was asked."""
    everybody = {id_: key for start in starts.values() for id_, key in start.items()}
    entity = next(iter(everybody.values())).entity
    ruleset = rulesets.in_force(connection, shipped())[entity]
    records = past.asserted_by(connection, sorted(closed(connection, ruleset, everybody)), at)
    judgement = judge(_case(connection, ruleset, records), ruleset, at)
    numbers = {one.key: str(one.version or "") for one in records.values()}
    found: dict[str, dict[str, Any]] = {}
    for asked, start in starts.items():
        draft = _wanted(judgement, asked, frozenset(start.values()))
        if draft is not None:
            found[asked] = _shown(draft, ruleset, numbers, at)
    return found


def _shown(draft: Draft, ruleset: RuleSet, numbers: Mapping[SourceKey, str], at: datetime) -> dict[str, Any]:
    entity = ruleset.entity
    return {
        "id": draft.id, "entity": entity.name, "label": entity.label_of(dict(draft.values)), "version": 0,
        "state": "live", "values": dict(draft.values), "provenance": provenance_document(draft.provenance),
        "members": [[str(key), numbers[key]] for key in draft.cluster.members], "ruleset": ruleset.version,
        "changed_at": at, "basis": f"judged again with what was asserted by {at.isoformat()}; it never stood",
    }  # fmt: skip


def known(engine: Engine, asked: str, *, as_of: str | None, asserted_by: str | None) -> dict[str, Any]:
    """Whichever of the two was asked for. Raises InvalidRequest for both at once."""
    if as_of and asserted_by:
        raise both_at_once()
    if asserted_by:
        return asserted(engine, asked, moment(asserted_by))
    return believed(engine, asked, moment(as_of or ""))


def both_at_once() -> InvalidRequest:
    """Somebody asked for two times."""
    return InvalidRequest("ask for what was believed or for what was asserted, not for both at once.")


def _start(connection: Connection, asked: str) -> dict[int, SourceKey]:
    """The source records that are asked about."""
    if ":" in asked:
        key = SourceKey.parse(asked)
        found = {key.record_id: key}
    else:
        led = reads.golden_ids(connection, [asked]).get(asked, asked)
        found = {
            row["id"]: SourceKey(row["system"], row["entity"], row["key"]) for row in reads.members(connection, led)
        }
    if not found:
        raise NotFound(f"there is no record {asked}.")
    return found


def _case(connection: Connection, ruleset: RuleSet, records: Mapping[int, SourceRecord]) -> Case:
    """The case of these versions: their own evidence, today's ids and decisions."""
    keys = {id_: one.key for id_, one in records.items()}
    held = cases.links(connection, list(records))
    priors = cases.priors(connection, held.values())
    return Case(
        entity=ruleset.entity.name,
        records=tuple(sorted(records.values(), key=lambda one: one.key)),
        ties=_ties(connection, ruleset, records),
        decisions=cases.pair_decisions(connection, keys),
        overrides=cases.overrides(connection, keys),
        links={keys[id_]: golden_id for id_, golden_id in held.items()},
        priors={id_: replace(prior, published=False) for id_, prior in priors.items()},
        founded=cases.founded(connection, keys),
        published=echoes.published_there(connection, records),
    )


def _ties(connection: Connection, ruleset: RuleSet, records: Mapping[int, SourceRecord]) -> Ties:
    """What speaks between these versions: of all pairs while they are few, else of those that have evidence today."""
    ids = sorted(records, key=lambda id_: records[id_].key)
    live = [id_ for id_ in ids if not records[id_].tombstone]
    pairs = list(combinations(live, 2))
    if len(live) > COMPLETE:
        known = {frozenset(pair) for *pair, _ in cases.scores(connection, live)}
        pairs = [pair for pair in pairs if frozenset(pair) in known]
    weighed = weigh(ruleset, [(records[a].values, records[b].values) for a, b in pairs], inf)
    return Ties.of(ids, [(a, b, one.score) for (a, b), one in zip(pairs, weighed, strict=True)])


def _wanted(judgement: Judgement, asked: str, start: frozenset[SourceKey]) -> Draft | None:
    """The golden record of that id, else the one that holds most of what is asked about."""
    held = [(draft.id == asked, len(start & set(draft.cluster.members)), draft) for draft in judgement.drafts]
    best = max((one for one in held if one[1]), key=lambda one: one[:2], default=None)
    return best[2] if best else None
