"""What may be asked of golden records, and what it is in SQL: tests of fields, and of what is known about them.

A condition is a value that knows no database. Every word of a caller enters as a parameter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from canonical.catalogue import ENTITIES
from canonical.ids import SourceKey
from hub.store.relation_tables import RELATION_CODE, relation_finding
from hub.store.tables import finding, golden, golden_reference, golden_value, golden_version, link, record
from hub.store.types import Utc
from rules.forms import folded

_NUMBER: sa.types.TypeEngine[Any] = sa.Double().with_variant(
    sa.Numeric(38, 10), "postgresql"
)  # exact where the database can


class Kind(StrEnum):
    """How the values of a field are compared."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"


@dataclass(frozen=True, slots=True)
class Test:
    """One comparison of a field or a part of one: eq, in, lt, lte, gt, gte, prefix, or null (True or False)."""

    path: tuple[str, ...]
    operator: str
    value: Any
    kind: Kind = Kind.TEXT


@dataclass(frozen=True, slots=True)
class Every:
    """All of these hold; nothing to hold always does."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """One of these holds; of none, none does."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """This does not hold. A test of a field without a value does not hold, so its opposite does."""

    part: Condition


@dataclass(frozen=True, slots=True)
class Ids:
    """One of these golden records, by the id that is in force."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HasSystem:
    """A source record of this system belongs to it."""

    system: str


@dataclass(frozen=True, slots=True)
class HasFinding:
    """A finding stands with it or with one of its source records; of this code, severity and field where given."""

    code: str | None = None
    severity: str | None = None
    field: str | None = None


@dataclass(frozen=True, slots=True)
class ChangedSince:
    """Its version in force is of that time or later."""

    at: datetime


@dataclass(frozen=True, slots=True)
class RefersTo:
    """A reference field leads to one of these: golden ids, former ones too, or source keys."""

    field: str
    asked: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Begins:
    """An indexed value begins so, letter case, accents and punctuation apart; not one of these fields."""

    text: str
    but: frozenset[str] = frozenset()


Condition = Test | Every | Either | Not | Ids | HasSystem | HasFinding | ChangedSince | RefersTo | Begins
Column = sa.ColumnElement[Any]


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose records are asked, and at which time: none for what is in force."""

    entity: str
    at: datetime | None = None

    def linked(self) -> sa.ColumnElement[bool]:
        """Links that hold at that time."""
        if self.at is None:
            return link.c.until.is_(None)
        return sa.and_(link.c.since <= self.at, sa.or_(link.c.until.is_(None), link.c.until > self.at))


def clause(condition: Condition, scope: Scope) -> sa.ColumnElement[bool]:
    """The condition as a clause over `golden` and `golden_version`."""
    made: sa.ColumnElement[bool] = _CLAUSES[type(condition)](condition, scope)
    return made


def value_at(path: Sequence[str], kind: Kind = Kind.TEXT) -> Column:
    """What the version holds there, to compare and to sort by."""
    found: Any = golden_version.c["values"][tuple(path)] if len(path) > 1 else golden_version.c["values"][path[0]]
    if kind is Kind.BOOLEAN:
        boolean: Column = found.as_boolean()
        return boolean
    text: Column = found.as_string()
    return sa.cast(text, _NUMBER) if kind is Kind.NUMBER else text


def literal(value: Any, kind: Kind = Kind.TEXT) -> Column:
    """A caller's value, as a parameter of the kind."""
    if kind is Kind.BOOLEAN:
        return sa.literal(value, sa.Boolean())
    text = sa.literal(str(value), sa.Text())
    return sa.cast(text, _NUMBER) if kind is Kind.NUMBER else text


def _test(test: Test, scope: Scope) -> sa.ColumnElement[bool]:
    here = value_at(test.path, test.kind)
    if test.operator == "null":
        absent = value_at(test.path).is_(None)
        return absent if test.value else sa.not_(absent)
    if test.operator == "prefix":
        starts = sa.func.substr(here, 1, len(test.value)) == test.value
        return sa.and_(starts, _near(test, scope, [test.value]))
    if test.operator in ("eq", "in"):
        wanted = [test.value] if test.operator == "eq" else list(test.value)
        if not wanted:
            return sa.false()
        equal = here.in_([literal(one, test.kind) for one in wanted])
        return sa.and_(equal, _near(test, scope, wanted))
    compared: sa.ColumnElement[bool] = _COMPARED[test.operator](here, literal(test.value, test.kind))
    return compared


_COMPARED: dict[str, Any] = {
    "lt": lambda here, value: here < value,
    "lte": lambda here, value: here <= value,
    "gt": lambda here, value: here > value,
    "gte": lambda here, value: here >= value,
}


def _near(test: Test, scope: Scope, wanted: Sequence[str]) -> sa.ColumnElement[bool]:
    """Where the field is indexed: only records that the index names, so that nobody reads the others."""
    searched = test.path[0] in ENTITIES[scope.entity].indexed and test.path[1:] in ((), ("number",))
    looked = [folded(one) for one in wanted] if searched and scope.at is None else []
    if not looked or not all(looked):
        return sa.true()
    v = golden_value.c
    found = sa.select(v.golden_id).where(v.entity == scope.entity, v.field == test.path[0])
    if test.operator == "prefix":
        return golden.c.id.in_(found.where(v.value >= looked[0], v.value < looked[0] + "\U0010ffff"))
    return golden.c.id.in_(found.where(v.value.in_(looked)))


def _beginning(entity: str, asked: Begins) -> sa.Select[Any]:
    start = folded(asked.text)
    v = golden_value.c
    found = sa.select(v.golden_id).where(v.entity == entity)
    found = found.where(v.field.not_in(sorted(asked.but))) if asked.but else found
    return found.where(v.value >= start, v.value < start + "\U0010ffff") if start else found.where(sa.false())


def _of_system(system: str, scope: Scope) -> sa.ColumnElement[bool]:
    held = sa.select(link.c.id).join(record, record.c.id == link.c.record_id)
    return sa.exists(held.where(link.c.golden_id == golden.c.id, scope.linked(), record.c.system == system))


def _with_finding(asked: HasFinding, scope: Scope) -> sa.ColumnElement[bool]:
    wanted = [
        finding.c[name] == value
        for name, value in (("code", asked.code), ("severity", asked.severity), ("field", asked.field))
        if value is not None
    ]
    own = sa.select(finding.c.golden_id).where(finding.c.golden_id.is_not(None), *wanted)
    theirs = sa.select(link.c.golden_id).join(finding, finding.c.record_id == link.c.record_id)
    found = [own, theirs.where(scope.linked(), *wanted)]
    if asked.code in (None, RELATION_CODE) and asked.field is None:
        between = sa.select(relation_finding.c.golden_id)
        grave = relation_finding.c.severity == asked.severity
        found.append(between.where(grave) if asked.severity is not None else between)
    return sa.or_(*(golden.c.id.in_(one) for one in found))


def _referring(asked: RefersTo, scope: Scope) -> sa.ColumnElement[bool]:
    """Led by the references as they are looked up; at another time, by the keys that the field held then."""
    ids = [one for one in asked.asked if ":" not in one]
    keys = [SourceKey.parse(one).record_id for one in asked.asked if ":" in one]
    there, also = golden.alias("there"), sa.select(link.c.golden_id).where(link.c.record_id.in_(keys), scope.linked())
    heirs = sa.select(sa.func.coalesce(there.c.heir, there.c.id)).where(
        sa.or_(there.c.id.in_(ids), there.c.id.in_(also))
    )
    whole = sa.select(there.c.id).where(sa.or_(there.c.id.in_(heirs), there.c.heir.in_(heirs)))
    if scope.at is not None:
        key = record.c.system + ":" + record.c.entity + ":" + record.c.key
        then = sa.select(key).join(link, link.c.record_id == record.c.id).where(scope.linked())
        return value_at((asked.field,)).in_(then.where(link.c.golden_id.in_(whole)))
    ref = golden_reference.c
    found = sa.select(ref.golden_id).join(link, sa.and_(link.c.record_id == ref.parent_id, scope.linked()))
    return golden.c.id.in_(found.where(ref.field == asked.field, link.c.golden_id.in_(whole)))


def _changed(asked: ChangedSince, scope: Scope) -> sa.ColumnElement[bool]:
    when = golden.c.changed_at if scope.at is None else golden_version.c.valid_from
    return when >= sa.literal(asked.at, Utc())


_CLAUSES: dict[type, Any] = {
    Every: lambda asked, scope: sa.and_(sa.true(), *(clause(part, scope) for part in asked.parts)),
    Either: lambda asked, scope: sa.or_(sa.false(), *(clause(part, scope) for part in asked.parts)),
    Not: lambda asked, scope: sa.not_(sa.func.coalesce(clause(asked.part, scope), sa.false())),
    Ids: lambda asked, _scope: golden.c.id.in_(asked.ids),
    Begins: lambda asked, scope: golden.c.id.in_(_beginning(scope.entity, asked)),
    Test: _test,
    HasSystem: lambda asked, scope: _of_system(asked.system, scope),
    HasFinding: _with_finding,
    ChangedSince: _changed,
    RefersTo: _referring,
}
