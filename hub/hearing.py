"""A target heard as a source: what was edited there goes the road of every delivery, and what the hub wrote does not.

A record that stands there as it was sent says nothing new. Of one that was edited, only those fields are a word of
that system that differ from what was sent, or that it has said before and still says; its record is tied to the
golden record under whose key it stands. What nobody sent from here is left to reconciliation as `extra`: taken in,
it would be owed to the target and stand there twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import islice
from typing import Any

import orjson

from adapters.base import Found, Target
from adapters.decode import decode
from adapters.mapping import MappedSource
from canonical.catalogue import ENTITIES
from canonical.ids import SourceKey
from canonical.record import SourceRecord
from hub.adoption import PARTS, Adoption
from hub.errors import Contradiction
from hub.flow.ingest import Delivery, ingest
from hub.flow.resolve import resolve
from hub.store import drift, journal, reads, waiting
from hub.store.engine import reading, writing

OVERLAP = timedelta(minutes=5)  # read again each time: what was written there late stands under an earlier time
PAGE = 500
ECHO, EDIT, ALIEN = "as sent", "edited there", "not sent from here"


@dataclass(frozen=True, slots=True)
class _Edit:
    """A record that was edited there."""

    key: SourceKey
    golden_id: str
    payload: Mapping[str, Any]


def hear(made: Adoption, target: Target) -> Counter[str]:
    """Read what changed in the target since it was heard last; how many records were what.

    How far it was read is kept by entity once all of it is taken in, so that what breaks off is read again.
    Raises TargetUnavailable or TargetRefuses.
    """
    counts: Counter[str] = Counter()
    for entity in ENTITIES:
        if entity in PARTS & target.entities:
            counts += _entity(made, target, entity)
    return counts


def _entity(made: Adoption, target: Target, entity: str) -> Counter[str]:
    counts: Counter[str] = Counter()
    with reading(made.engine) as connection:
        until = drift.heard_until(connection, target.name, entity)
    since = until - OVERLAP if until and target.capabilities.changed_since else None
    found = target.read(entity, since)
    newest = until
    while page := list(islice(found, PAGE)):
        edits = _edits(made, target.name, page, counts)
        _take_in(made, target.name, edits)
        newest = max((one for one in (newest, *(each.changed_at for each in page)) if one), default=None)
    if newest is not None and newest != until:
        with writing(made.engine) as connection:
            drift.hear_until(connection, target.name, entity, newest)
    return counts


def _edits(made: Adoption, name: str, page: Sequence[Found], counts: Counter[str]) -> list[_Edit]:
    """The records of a page that say something which the hub did not tell them; all are counted."""
    keys = {one.remote_id: SourceKey(name, one.entity, one.remote_id) for one in page}
    with reading(made.engine) as connection:
        sent = drift.published(connection, name, [one.golden_id for one in page if one.golden_id])
        before = journal.load_records(connection, [key.record_id for key in keys.values()])
    edits = []
    for one in page:
        row = sent.get(one.golden_id or "")
        if row is None or not row["active"] or row["remote_id"] != one.remote_id:
            counts[ALIEN] += 1
            continue
        key = keys[one.remote_id]
        payload = _word(made.source, one, row["body"], before.get(key.record_id), made.clock())
        counts[ECHO if payload is None else EDIT] += 1
        if payload is not None:
            edits.append(_Edit(key, row["golden_id"], payload))
    return edits


def _word(
    source: MappedSource, one: Found, sent: Mapping[str, Any], before: SourceRecord | None, now: datetime
) -> dict[str, Any] | None:
    """What the record says for itself, as a payload; None where it says nothing new."""
    if before is None and dict(one.body) == dict(sent):
        return None
    there = {**dict.fromkeys(sent.keys() - one.body.keys()), **one.body}
    payload = {**there, "key": one.remote_id, "at": min(one.changed_at or now, now).isoformat()}
    says, told = (_values(source, {**payload, **body}, now) for body in (there, {**dict.fromkeys(there), **sent}))
    said = before.values if before is not None else {}
    word = {
        name: value for name, value in says.items() if value != told.get(name) or (name in said and said[name] == value)
    }
    return None if word == dict(said) else payload | {"only": sorted(word)}


def _values(source: MappedSource, payload: Mapping[str, Any], now: datetime) -> Mapping[str, Any]:
    records = source.translate(payload, now).records
    return records[0].values if records else {}


def _take_in(made: Adoption, name: str, edits: Iterable[_Edit]) -> None:
    """Take edits in, and tie the record of each to the golden record whose key it stands under."""
    lines = [orjson.dumps(edit.payload).decode() for edit in edits]
    if not lines:
        return
    seal = sha256("\n".join([name, *lines]).encode()).hexdigest()
    payloads = [decode(line, place) for place, line in enumerate(lines, 1)]
    ingest(
        made.engine, made.desk.rulesets, made.source, Delivery(f"edits in {name}", seal, payloads),
        clock=made.clock, later=True,
    )  # fmt: skip
    for edit in edits:
        with reading(made.engine) as connection:
            rows = reads.members(connection, edit.golden_id)
        members = [SourceKey(one["system"], one["entity"], one["key"]) for one in rows]
        if members and edit.key not in members:
            with suppress(Contradiction):  # a steward has said that it is another one: it is judged like any record
                made.desk.decide("same", members[0], edit.key, f"stands in {name} under the key of {edit.golden_id}")
        with writing(made.engine) as connection:
            resolve(connection, made.desk.rulesets, {edit.key.entity: {edit.key.record_id}}, made.clock())
            waiting.done(connection, [edit.key.record_id])
