"""What a code means is said or taken back, and every record that says it is read again and judged again.

A record is read again from its payload as received, with the mapping of its delivery and the code lists
in force now. What comes out otherwise is a further version of the record: the same word, understood.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from adapters.decode import decode
from adapters.mapping import MappedSource, load
from canonical.catalogue import ENTITIES
from canonical.catalogue import entity as entity_named
from canonical.findings import Finding, Severity
from canonical.record import SourceRecord
from hub.errors import InvalidRequest, NotFound, require_reason
from hub.flow.intake import Retold, retell
from hub.flow.resolve import resolve
from hub.store import audit, cases, codes
from hub.store.audit import Act
from hub.store.codes import Listed, Place, Received
from hub.store.engine import Connection, Engine, writing
from rules.ruleset import RuleSet

PAGE = 1000  # records read again at once


@dataclass(frozen=True, slots=True)
class Desk:
    """Where codes are explained: the store, the rules, and now."""

    engine: Engine
    rulesets: Mapping[str, RuleSet]
    now: datetime


def explain(desk: Desk, made: Listed) -> int:
    """Say what a code means; how many records are another now. Raises InvalidRequest for what is no such value."""
    with writing(desk.engine) as connection:
        _claim(connection)
        return explain_in(connection, desk, made)


def explain_in(connection: Connection, desk: Desk, made: Listed) -> int:
    """The same within a transaction that has claimed all entities."""
    value = _fit(made)
    before = codes.put(connection, Listed(made.place, made.code, value, made.reason, made.author), desk.now)
    changed = _read_again(connection, desk, made.place, made.code if before is None else None)
    detail = {"code": made.code, "value": value, "before": before, "reason": made.reason, "records": changed}
    audit.append(connection, Act(made.author, "map code", ":".join(made.place), detail), desk.now)
    return changed


def withdraw(desk: Desk, place: Place, code: str, author: str, reason: str) -> int:
    """Take back what a code means; how many records are another now. Raises NotFound."""
    _reasoned(reason)
    with writing(desk.engine) as connection:
        _claim(connection)
        ended = codes.end(connection, place, code, author, desk.now)
        if ended is None:
            raise NotFound(f"no list explains the code {code!r} of {':'.join(place)}.", hint="`hub codes ls`.")
        changed = _read_again(connection, desk, place, None)
        detail = {"code": code, "before": ended[0], "reason": reason, "records": changed}
        audit.append(connection, Act(author, "unmap code", ":".join(place), detail), desk.now)
    return changed


def _fit(made: Listed) -> object:
    """The value as the field keeps it."""
    _reasoned(made.reason)
    _, entity, name = made.place
    field = entity_named(entity)[name]
    value, finding = field.read(made.value)
    if finding is not None and finding.severity is Severity.ERROR and not field.has_parts:
        raise InvalidRequest(f"{name} cannot be {made.value!r}: {finding.message}.", hint=finding.hint)
    return made.value if field.has_parts else value


def _reasoned(reason: str) -> None:
    require_reason(reason, "a code", "Say in a few words how you know.")


def _claim(connection: Connection) -> None:
    for name in ENTITIES:
        cases.claim(connection, name)


def _read_again(connection: Connection, desk: Desk, place: Place, code: str | None) -> int:
    """Read and judge again the records in which the code is not understood, or with no code all of the place."""
    lists, changed = codes.in_force(connection), 0
    sources: dict[str, MappedSource] = {}
    system, entity, _ = place
    found: Iterable[list[int]] = (
        [codes.saying(connection, place, code)] if code is not None else codes.pages(connection, system, entity, PAGE)
    )
    for ids in found:
        for start in range(0, len(ids), PAGE):
            received = codes.as_received(connection, ids[start : start + PAGE])
            wanted = {one.mapping for one in received if one.mapping} - sources.keys()
            for print_, (name, text) in codes.mappings(connection, sorted(wanted)).items():
                sources[print_] = load(text, name).with_codes(lists)
            told = [one for row in received if (one := _told(row, sources)) is not None]
            touched = retell(connection, told)
            resolve(connection, desk.rulesets, touched, desk.now)
            changed += sum(len(one) for one in touched.values())
    return changed


def _told(row: Received, sources: Mapping[str, MappedSource]) -> Retold | None:
    """The record as its payload is read now; None for one whose mapping is not kept."""
    source = sources.get(row.mapping or "")
    content = decode(row.body, row.position).content if source else None
    if source is None or content is None:
        return None
    found = source.translate(content, row.received_at)
    mine = [one for one in found.records if (one.key.system, one.key.entity, one.key.key) == row.key]
    return Retold(row, mine[0], _findings(found.findings, mine[0])) if mine else None


def _findings(of_payload: tuple[Finding, ...], record: SourceRecord) -> tuple[Finding, ...]:
    return (*of_payload, *record.findings)
