"""Records that were loaded together and are asked together: the first that is asked answers for all.

That is what keeps the number of statements the same for a page of one and a page of two hundred, without
looking ahead in the query: a field of a record asks its cohort, the cohort asks the store once for all of
its records, and whatever records come back are the next cohort.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from canonical.catalogue import ENTITIES
from canonical.ids import SourceKey
from hub.flow import travel
from hub.store import audit, cases, listing, plans, related
from hub.store.engine import Connection, Engine, reading
from hub.store.sight import Sight
from rules.why import Ruling

Row = Mapping[str, Any]
Node = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class When:
    """At which time records are shown: as they were believed then, or judged anew with what was asserted by then."""

    at: datetime
    asserted: bool = False

    @classmethod
    def of(cls, believed_at: str | None, as_of: str | None) -> When | None:
        """What was asked for; None for what is in force. Raises InvalidRequest for both at once."""
        if believed_at and as_of:
            raise travel.both_at_once()
        if believed_at or as_of:
            return cls(travel.moment(believed_at or as_of or ""), asserted=bool(as_of))
        return None

    def rows(self, connection: Connection, ids: Sequence[str]) -> dict[str, Row]:
        """These golden records of one entity at that time; those that were not there are left out."""
        if self.asserted:
            return dict(travel.asserted_all(connection, ids, self.at))
        found = related.versions_at(connection, ids, self.at)
        return {id_: row | self.told(row) for id_, row in found.items()}

    def told(self, row: Row) -> dict[str, Any]:
        """What a version says of itself when it is shown as of another time."""
        label = ENTITIES[row["entity"]].label_of(dict(row["values"]))
        return {"label": label, "basis": f"as the hub believed at {self.at.isoformat()}"}


class Cohort:
    """Rows of golden records that answer together."""

    def __init__(self, engine: Engine, rows: Mapping[str, Row], when: When | None = None, *, sight: Sight) -> None:
        """Rows by the id that was asked for; a record that has another one tells that it was led to.

        What the sight does not show is gone from here on. Raises OutOfSight for an entity that it does not reach.
        """
        self.engine, self.when, self.sight = engine, when, sight
        for entity in {row["entity"] for row in rows.values()}:
            sight.require(entity)
        rows = {asked: sight.row(row["entity"], row) for asked, row in rows.items()}
        self._rows = {row["id"]: row for row in rows.values()}
        for row in self._rows.values():
            audit.saw(row["entity"], (row["id"],))
        self._known: dict[Hashable, Any] = {}
        self.nodes: dict[str, Node] = {asked: self._node(asked, row) for asked, row in rows.items()}

    @property
    def ids(self) -> list[str]:
        """Whose records they are."""
        return list(self._rows)

    def once(self, key: Hashable, load: Callable[[Connection, list[str]], T]) -> T:
        """What the store says of all of them, asked for the first time that somebody needs it, as it may be seen."""
        if key not in self._known:
            with reading(self.engine) as connection:
                self._known[key] = self._seen(load(connection, self.ids))
        known: T = self._known[key]
        return known

    def reasons(self, id_: str) -> Row:
        """Provenance and members of one of them."""
        row = self._rows[id_]
        return row if "provenance" in row else self.once("reasons", related.reasons)[id_]

    def hides(self, id_: str, field: str) -> bool:
        """Whether a field of one of them is not shown."""
        return self.sight.hides(self._rows[id_]["entity"], field)

    def rulings(self) -> Mapping[str, Ruling]:
        """What each was judged by; nothing for records at another time."""
        if self.when is not None:
            return {}
        whole = [{**row, **self.reasons(id_)} for id_, row in self._rows.items()]
        return self.once("rulings", lambda connection, _ids: cases.rulings(connection, whole))

    def parent(self, id_: str, field: str) -> Node | None:
        """What a reference field of one of them leads to, at the same time."""
        self.sight.require(ENTITIES[self._rows[id_]["entity"]].references[field])
        led, cohorts = self.once("parents", self._parents)
        parent = led.get((id_, field))
        return cohorts[field].nodes.get(parent) if parent else None

    def derived(self, key: Hashable, rows: Mapping[str, Row]) -> Cohort:
        """Records that were loaded for these, as a cohort of their own: the same one each time."""
        if (key, "cohort") not in self._known:
            self._known[key, "cohort"] = Cohort(self.engine, rows, self.when, sight=self.sight)
        found: Cohort = self._known[key, "cohort"]
        return found

    def _parents(
        self, connection: Connection, ids: Sequence[str]
    ) -> tuple[dict[tuple[str, str], str], dict[str, Cohort]]:
        """(id, field) → golden id, and a cohort for each field."""
        led = self._led_now(connection, ids) if self.when is None else self._led_then(connection, self.when.at)
        cohorts: dict[str, Cohort] = {}
        fields = {pair for row in self._rows.values() for pair in ENTITIES[row["entity"]].references.items()}
        for field in {name for name, entity in fields if self.sight.sees(entity)}:
            wanted = sorted({parent for (_, name), parent in led.items() if name == field})
            rows: Mapping[str, Row] = (
                listing.by_id(connection, wanted) if self.when is None else self.when.rows(connection, wanted)
            )
            cohorts[field] = Cohort(self.engine, rows, self.when, sight=self.sight)
        return led, cohorts

    def _led_now(self, connection: Connection, ids: Sequence[str]) -> dict[tuple[str, str], str]:
        found = plans.parents(connection, ids)
        return {(id_, field): parent for id_, by in found.items() for field, parent in by.items() if parent}

    def _led_then(self, connection: Connection, at: datetime) -> dict[tuple[str, str], str]:
        """By the source keys that the fields hold and the links of that time."""
        keys = {
            (id_, field): SourceKey.parse(row["values"][field]).record_id
            for id_, row in self._rows.items()
            for field in ENTITIES[row["entity"]].references
            if row["values"].get(field)
        }
        held = related.holders(connection, sorted(set(keys.values())), at)
        return {place: held[id_] for place, id_ in keys.items() if id_ in held}

    def _seen(self, found: Any) -> Any:
        """What was loaded by golden id, each row as the sight shows it."""
        if not self.sight.hidden or not isinstance(found, Mapping):
            return found
        seen = dict(found)
        for id_ in self._rows.keys() & found.keys():
            if isinstance(found[id_], list):
                entity = self._rows[id_]["entity"]
                seen[id_] = [self.sight.row(entity, row) if isinstance(row, Mapping) else row for row in found[id_]]
        return seen

    def _node(self, asked: str, row: Row) -> Node:
        return {
            "cohort": self, "entity": row["entity"], "id": row["id"], "version": row["version"], "label": row["label"],
            "state": row["state"], "values": row["values"], "rule_set": row["ruleset"],
            "changed_at": row["changed_at"].isoformat(), "basis": row.get("basis"),
            "masked": sorted(self.sight.masked(row["entity"])),
            "redirected_from": asked if asked != row["id"] else None,
        }  # fmt: skip
