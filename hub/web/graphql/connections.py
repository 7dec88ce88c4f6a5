"""Relay connections over lists of golden records: stable cursors made of sort keys, and counts only when asked.

A cursor names what the list is in order by, the sort value and the id of one record. Records that come, go
or change meanwhile move no other one, and the ten-thousandth page costs what the first one does.
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import graphene
import orjson

from canonical.catalogue import ENTITIES
from hub.errors import InvalidRequest
from hub.store import engine as store
from hub.store import listing
from hub.store.conditions import Condition, Kind
from hub.store.listing import Mark, Relation, Slice, Sort
from hub.store.sight import Sight
from hub.web.graphql.cohort import Cohort, Node
from hub.web.graphql.filters import condition, filter_type
from hub.web.graphql.shapes import shape, type_name

MOST = 200  # records of one page
USUAL = 50
Row = Mapping[str, Any]
_OWN_ORDERS = ("id", "label", "changed_at", "created_at")


class PageInfo(graphene.ObjectType):
    """Where a page begins and ends."""

    has_next_page = graphene.NonNull(graphene.Boolean)
    has_previous_page = graphene.NonNull(graphene.Boolean)
    start_cursor = graphene.String()
    end_cursor = graphene.String()


@dataclass(frozen=True, slots=True)
class Asked:
    """The arguments of a list, read. Two fields that ask for the same are loaded once."""

    condition: Condition
    part: Slice

    @classmethod
    def of(cls, entity: str, given: Mapping[str, Any], most: int = MOST, *, sight: Sight) -> Asked:
        """What a field's arguments ask for. Raises InvalidRequest, or OutOfSight for a field that is masked."""
        first, last = given.get("first"), given.get("last")
        if first is not None and last is not None:
            raise InvalidRequest("ask for the `first` or for the `last`, not for both at once.")
        wanted = last if last is not None else first if first is not None else USUAL
        if wanted < 0:
            raise InvalidRequest(f"a page of {wanted} records cannot be made.", hint=f"Ask for 0 to {most}.")
        sort = _sort(entity, given.get("order_by"), sight)
        after, before = (_mark(given.get(name), sort) for name in ("after", "before"))
        part = Slice(sort, min(wanted, most) + 1, after, before, backward=last is not None)
        return cls(condition(entity, given.get("filter"), given.get("text") or "", sight=sight), part)


@dataclass(frozen=True, slots=True)
class Connection:
    """A page as the types read it."""

    cohort: Cohort
    rows: Sequence[Row]  # with one more than the page, where there is more
    part: Slice
    count: Callable[[], int]

    @property
    def shown(self) -> Sequence[Row]:
        """The rows of the page itself."""
        return self.rows[-self._size :] if self.part.backward and self._size else self.rows[: self._size]

    @property
    def nodes(self) -> list[Node]:
        """The records, in order."""
        known = self.cohort.nodes
        return [known[row["id"]] for row in self.shown if row["id"] in known]

    @property
    def edges(self) -> list[dict[str, Any]]:
        """The records, each with the cursor to go on from."""
        known, sort = self.cohort.nodes, self.part.sort
        return [{"cursor": _cursor(row, sort), "node": known[row["id"]]} for row in self.shown if row["id"] in known]

    @property
    def page_info(self) -> dict[str, Any]:
        """Where the page begins and ends."""
        more, shown, sort = len(self.rows) > self._size, self.shown, self.part.sort
        return {
            "has_next_page": self.part.before is not None if self.part.backward else more,
            "has_previous_page": more if self.part.backward else self.part.after is not None,
            "start_cursor": _cursor(shown[0], sort) if shown else None,
            "end_cursor": _cursor(shown[-1], sort) if shown else None,
        }

    @property
    def total_count(self) -> int:
        """How many there are in all; counted now."""
        return self.count()

    @property
    def _size(self) -> int:
        return self.part.size - 1


def arguments(entity: str) -> dict[str, Any]:
    """The arguments of a list of records of an entity."""
    return {
        "first": graphene.Int(description=f"How many from the start, {USUAL} if nothing is said, {MOST} at most"),
        "after": graphene.String(description="The cursor to go on after"),
        "last": graphene.Int(description="How many from the end"),
        "before": graphene.String(description="The cursor to end before"),
        "text": graphene.String(description="Starts an indexed value, letter case and accents apart"),
        "filter": graphene.Argument(lambda: filter_type(entity)),
        "order_by": graphene.Argument(lambda: order_type(entity), description="In order of id, if nothing is said"),
    }


def connection_type(entity: str, record: type[graphene.ObjectType]) -> type[graphene.ObjectType]:
    """The page type of an entity."""
    name = type_name(entity)
    edge = type(
        f"{name}Edge",
        (graphene.ObjectType,),
        {
            "__doc__": "A record in a list.",
            "cursor": graphene.NonNull(graphene.String),
            "node": graphene.NonNull(record),
        },
    )
    fields = {
        "__doc__": "A page of a list of records.",
        "edges": graphene.NonNull(graphene.List(graphene.NonNull(edge))),
        "nodes": graphene.NonNull(graphene.List(graphene.NonNull(record)), description="The records without cursors"),
        "page_info": graphene.NonNull(PageInfo),
        "total_count": graphene.NonNull(graphene.Int, description="Counted only when it is asked for"),
    }
    return type(f"{name}Connection", (graphene.ObjectType,), fields)


@cache
def order_type(entity: str) -> type[graphene.InputObjectType]:
    """By what records of an entity can be put in order."""
    name = type_name(entity)
    by = graphene.Enum(f"{name}Order", [(order.upper(), order) for order in (*_OWN_ORDERS, *_orders(entity))])
    fields = {
        "__doc__": "An order; the id decides between equals, and records without a value come first. "
        "By id it costs nothing; by anything else, what passes the filter is read and sorted.",
        "by": graphene.NonNull(by),
        "descending": graphene.Boolean(default_value=False),
    }
    return type(f"{name}OrderBy", (graphene.InputObjectType,), fields)


def of_parent(cohort: Cohort, id_: str, relation: Relation, asked: Asked) -> Connection:
    """What refers to one record of a cohort, loaded for all of them."""

    def load(connection: store.Connection, ids: list[str]) -> dict[str, list[dict[str, Any]]]:
        return listing.children(connection, ids, relation, asked.condition, asked.part)

    def count(connection: store.Connection, ids: list[str]) -> dict[str, int]:
        return listing.child_counts(connection, ids, relation, asked.condition)

    key = (relation, asked)
    rows = cohort.once(key, load)
    below = cohort.derived(key, {row["id"]: row for some in rows.values() for row in some})
    return Connection(
        below, rows[id_], asked.part, lambda: cohort.once((relation, asked.condition, "count"), count)[id_]
    )


def _orders(entity: str) -> dict[str, Kind]:
    """The fields that order: single values, amounts of money left out, for currencies do not compare."""
    kinds = {"text": Kind.TEXT, "date": Kind.TEXT, "number": Kind.NUMBER, "integer": Kind.NUMBER}
    shapes = {name: shape(field) for name, field in ENTITIES[entity].fields.items() if not field.marks.reference}
    return {name: kinds[one] for name, one in shapes.items() if isinstance(one, str) and one in kinds}


def _sort(entity: str, given: Mapping[str, Any] | None, sight: Sight) -> Sort:
    if not given:
        return Sort()
    by = getattr(given["by"], "value", given["by"])
    for name in ENTITIES[entity].label if by == "label" else (by,):
        sight.require_field(entity, name, "order by")
    descending = bool(given.get("descending"))
    return Sort(by, descending=descending) if by in _OWN_ORDERS else Sort((by,), _orders(entity)[by], descending)


def _cursor(row: Row, sort: Sort) -> str:
    by = sort.by if isinstance(sort.by, str) else ".".join(sort.by)
    value = None if by == "id" else row[by] if isinstance(sort.by, str) else row["sort_key"]
    said = value.isoformat() if isinstance(value, datetime) else value if value is None else str(value)
    return urlsafe_b64encode(orjson.dumps([by, sort.descending, said, row["id"]])).decode().rstrip("=")


def _mark(cursor: str | None, sort: Sort) -> Mark | None:
    if not cursor:
        return None
    by = sort.by if isinstance(sort.by, str) else ".".join(sort.by)
    try:
        told = orjson.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        known_by, descending, value, id_ = told
        fits = isinstance(id_, str) and (value is None) == (by == "id") and isinstance(value, str | None)
    except (ValueError, TypeError, binascii.Error):
        raise InvalidRequest("that is no cursor of this list.", hint="Send a cursor back as it came.") from None
    if (known_by, descending) != (by, sort.descending) or not fits:
        raise InvalidRequest("the cursor is of a list in another order.", hint="Start again without a cursor.")
    return value, id_
