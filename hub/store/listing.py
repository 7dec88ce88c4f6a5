"""Golden records in lists: filtered, in order, a slice at a time, by the keys of the last one and never by counting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import sqlalchemy as sa

from hub.store.conditions import Condition, Kind, Scope, clause, literal, value_at
from hub.store.engine import Among, Prepared, among
from hub.store.tables import golden, golden_reference, golden_version, link
from hub.store.types import Utc

Row = dict[str, Any]
Mark = tuple[Any, str]  # the sort value and the id of a record: where a slice begins or ends
_CURRENT = sa.and_(golden_version.c.golden_id == golden.c.id, golden_version.c.version == golden.c.version)
_HEAD = (
    golden.c.id, golden.c.entity, golden.c.state, golden.c.label, golden.c.sources, golden.c.published,
    golden.c.created_at, golden.c.changed_at, golden_version.c.version, golden_version.c["values"],
    golden_version.c.ruleset,
)  # fmt: skip
_REASONS = (golden_version.c.provenance, golden_version.c.members)


@dataclass(frozen=True, slots=True)
class Sort:
    """By what records are put in order; the id decides between equals. A path is that of a field."""

    by: str | tuple[str, ...] = "id"
    kind: Kind = Kind.TEXT
    descending: bool = False

    def expression(self) -> sa.ColumnElement[Any]:
        """What is compared. Records without a value come first."""
        if isinstance(self.by, str):
            return golden.c[self.by]
        return sa.func.coalesce(value_at(self.by, self.kind), literal(_LOWEST[self.kind], self.kind))

    def literal(self, value: Any) -> sa.ColumnElement[Any]:
        """A value of another record's, to compare with."""
        if self.by in ("changed_at", "created_at"):
            return sa.literal(datetime.fromisoformat(value), Utc())
        return sa.literal(value, sa.Text()) if isinstance(self.by, str) else literal(value, self.kind)


_LOWEST = {Kind.TEXT: "", Kind.NUMBER: "-1e27", Kind.BOOLEAN: False}


@dataclass(frozen=True, slots=True)
class Slice:
    """Which part of a list: so many after or before a mark; backward counts from the end."""

    sort: Sort
    size: int
    after: Mark | None = None
    before: Mark | None = None
    backward: bool = False

    @property
    def descending(self) -> bool:
        """Whether the larger comes first as the rows are read."""
        return self.sort.descending != self.backward

    def within(self) -> list[sa.ColumnElement[bool]]:
        """What keeps to the part. A bound of ids is told of both tables, or a merge of the two begins at the first."""
        bounds: list[sa.ColumnElement[bool]] = []
        for mark, ahead in ((self.after, True), (self.before, False)):
            if mark is not None:
                here, there = self._place(), sa.tuple_(*self._marked(mark))
                larger = ahead != self.sort.descending
                bounds.append(here > there if larger else here < there)
                if self.sort.by == "id":
                    own, id_ = golden_version.c.golden_id, sa.literal(mark[1], sa.Text())
                    bounds.append(own > id_ if larger else own < id_)
        return bounds

    def order(self) -> list[sa.ColumnElement[Any]]:
        """In which order rows are read."""
        columns = self._columns()
        return [sa.desc(one) for one in columns] if self.descending else columns

    def _columns(self) -> list[sa.ColumnElement[Any]]:
        return [golden.c.id] if self.sort.by == "id" else [self.sort.expression(), golden.c.id]

    def _place(self) -> sa.ColumnElement[Any]:
        return sa.tuple_(*self._columns())

    def _marked(self, mark: Mark) -> list[sa.ColumnElement[Any]]:
        own = sa.literal(mark[1], sa.Text())
        return [own] if self.sort.by == "id" else [self.sort.literal(mark[0]), own]


@dataclass(frozen=True, slots=True)
class Relation:
    """The records of an entity whose reference field leads to these."""

    entity: str
    field: str


def page(
    connection: sa.Connection, scope: Scope, condition: Condition, part: Slice, *, reasons: bool = False
) -> list[Row]:
    """A slice of the records of an entity, in the order of the list; `sort_key` is what each was put in order by."""
    query = _from(sa.select(*_columns(part.sort, reasons=reasons)), scope).where(clause(condition, scope))
    query = query.where(*part.within()).order_by(*part.order()).limit(part.size)
    rows = _rows(connection.execute(query))
    return rows[::-1] if part.backward else rows


def count(connection: sa.Connection, scope: Scope, condition: Condition) -> int:
    """How many records of an entity there are that fulfil the condition."""
    query = _from(sa.select(sa.func.count()), scope).where(clause(condition, scope))
    return int(connection.execute(query).scalar_one())


def by_id(connection: sa.Connection, ids: Sequence[str], *, reasons: bool = False) -> dict[str, Row]:
    """These golden records, in the version in force."""
    query = sa.select(*_columns(Sort(), reasons=reasons)).join(golden_version, _CURRENT)
    return {row["id"]: row for row in _rows(connection.execute(query.where(among(connection, golden.c.id, ids))))}


def led(connection: sa.Connection, ids: Sequence[str], *, reasons: bool = False) -> dict[str, Row]:
    """Asked id → the golden record that it leads to, redirects followed; ids that never were are left out."""
    found = _rows(_LED[reasons](connection, ids))
    return {row.pop("asked_id"): row for row in found}


def children(
    connection: sa.Connection, parents: Sequence[str], relation: Relation, condition: Condition, part: Slice
) -> dict[str, list[Row]]:
    """A slice of what refers to each of these golden records, in one statement however many they are."""
    scope, through = Scope(relation.entity), golden.alias("through")
    inner = _referring(connection, through, parents, relation).where(clause(condition, scope), *part.within())
    parent = sa.func.coalesce(through.c.heir, through.c.id)
    place = sa.func.row_number().over(partition_by=parent, order_by=part.order())
    numbered = inner.add_columns(parent.label("parent_id"), golden.c.id.label("child_id"), place.label("place"))
    few = numbered.subquery("few")
    query = sa.select(few.c.parent_id, *_columns(part.sort)).join(few, few.c.child_id == golden.c.id)
    query = query.join(golden_version, _CURRENT).where(few.c.place <= part.size).order_by(few.c.place)
    found: dict[str, list[Row]] = {id_: [] for id_ in parents}
    for row in _rows(connection.execute(query)):
        found[row["parent_id"]].append(row)
    return {id_: rows[::-1] if part.backward else rows for id_, rows in found.items()}


def child_counts(
    connection: sa.Connection, parents: Sequence[str], relation: Relation, condition: Condition
) -> dict[str, int]:
    """How many records refer to each of these golden records."""
    scope, through = Scope(relation.entity), golden.alias("through")
    parent = sa.func.coalesce(through.c.heir, through.c.id)
    query = _referring(connection, through, parents, relation).where(clause(condition, scope))
    query = query.add_columns(parent, sa.func.count()).group_by(parent)
    return dict.fromkeys(parents, 0) | {row[0]: row[1] for row in connection.execute(query)}


def _referring(connection: sa.Connection, through: Any, parents: Sequence[str], relation: Relation) -> sa.Select[Any]:
    """From golden records, former ids included, to what refers to them."""
    ref = golden_reference
    joined = through.join(link, sa.and_(link.c.golden_id == through.c.id, link.c.until.is_(None)))
    joined = joined.join(ref, sa.and_(ref.c.parent_id == link.c.record_id, ref.c.field == relation.field))
    joined = joined.join(golden, golden.c.id == ref.c.golden_id).join(golden_version, _CURRENT)
    mine = sa.or_(among(connection, through.c.id, parents), among(connection, through.c.heir, parents))
    live = sa.and_(golden.c.entity == relation.entity, golden.c.state == "live")
    return sa.select().select_from(joined).where(mine, live)


def _from(query: sa.Select[Any], scope: Scope) -> sa.Select[Any]:
    """The live records of the entity with the version in force, or those of another time."""
    query = query.select_from(golden)
    if scope.at is None:
        return query.join(golden_version, _CURRENT).where(golden.c.entity == scope.entity, golden.c.state == "live")
    v = golden_version.c
    until = sa.or_(v.valid_to.is_(None), v.valid_to > scope.at)
    then = sa.and_(v.golden_id == golden.c.id, v.valid_from <= scope.at, until)
    still = sa.or_(golden.c.state == "live", golden.c.changed_at > scope.at)
    return query.join(golden_version, then).where(golden.c.entity == scope.entity, still)


def _columns(sort: Sort, *, reasons: bool = False) -> list[sa.ColumnElement[Any]]:
    key = [] if isinstance(sort.by, str) else [sort.expression().label("sort_key")]
    return [*_HEAD, *(_REASONS if reasons else ()), *key]


def _rows(result: sa.CursorResult[Any]) -> list[Row]:
    names = tuple(str(name) for name in result.keys())  # noqa: SIM118 (a result is no dictionary)
    return [dict(zip(names, row, strict=True)) for row in result]


def _leading(reasons: bool, within: Among) -> sa.Select[Any]:
    asked = golden.alias("asked")
    query = sa.select(asked.c.id.label("asked_id"), *_columns(Sort(), reasons=reasons)).select_from(asked)
    query = query.join(golden, golden.c.id == sa.func.coalesce(asked.c.heir, asked.c.id))
    return query.join(golden_version, _CURRENT).where(within(asked.c.id))


_LED = {reasons: Prepared(partial(_leading, reasons)) for reasons in (False, True)}
