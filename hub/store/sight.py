"""What a caller may see: which entities, and which groups of fields of them.

Fields are marked in the catalogue as personal data or as money. A sight that lacks a group sees records without the
fields of it: as if no system spoke of them, with their names under `masked`. It is one value, made of the key, and
`row` is the one place where a value is taken out: whatever the read layer hands on goes through it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from canonical.catalogue import ENTITIES
from canonical.catalogue import entity as entity_named
from canonical.findings import FINDINGS
from hub.errors import InvalidRequest, OutOfSight

GROUPS = ("personal", "money")
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sight:
    """Entities that are seen, all where it is None; and groups of fields that are not."""

    entities: frozenset[str] | None = None
    hidden: frozenset[str] = frozenset()

    @classmethod
    def of(cls, entities: Iterable[str] | None, hidden: Iterable[str] = ()) -> Sight:
        """The sight of these words. Raises UnknownEntity, InvalidRequest."""
        groups = frozenset(hidden)
        if unknown := sorted(groups - set(GROUPS)):
            raise InvalidRequest(f"{unknown[0][:40]!r} is no group of fields.", hint=" or ".join(GROUPS))
        known = None if entities is None else frozenset(entity_named(name).name for name in entities)
        return cls(known, groups)

    @property
    def whole(self) -> bool:
        """Whether it sees everything."""
        return self.entities is None and not self.hidden

    def sees(self, entity: str) -> bool:
        """Whether records of the entity are seen at all."""
        return self.entities is None or entity in self.entities

    def among(self, entity: str | None) -> frozenset[str] | None:
        """The one entity that is asked about, else all that are seen; None for all there are. Raises OutOfSight."""
        if entity is None:
            return self.entities
        self.require(entity)
        return frozenset({entity})

    def require(self, entity: str) -> None:
        """Raise OutOfSight unless records of the entity are seen."""
        if not self.sees(entity):
            raise OutOfSight(f"{entity} is outside the scope of this key.")

    def masked(self, entity: str) -> frozenset[str]:
        """The fields of an entity that are not shown."""
        return _masked(entity, self.hidden)

    def hides(self, entity: str, path: str | None) -> bool:
        """Whether a field, or the field that a path such as `lines[0].amount` begins with, is not shown."""
        return path is not None and path.split(".")[0].split("[")[0] in self.masked(entity)

    def require_field(self, entity: str, name: str, what: str) -> None:
        """Raise OutOfSight when somebody asks by, or decides about, a field that is not shown."""
        if self.hides(entity, name):
            raise OutOfSight(f"{entity}.{name} is masked for this key, so nobody may {what} it with it.")

    def masks_label(self, entity: str) -> bool:
        """Whether what a person would call a record may be made of a field that is not shown."""
        return not self.masked(entity).isdisjoint(ENTITIES[entity].label)

    def row(self, entity: str, row: Row) -> Row:
        """A row of the read layer without what is not shown; the row itself where nothing is hidden.

        Values go by name; a label is made anew of what is left; a finding about a field that is not shown, or about
        none, keeps its title alone; what targets say of a record, in words of their own, goes whole.
        """
        entity = row.get("entity") or entity
        masked = self.masked(entity)
        if not masked:
            return row
        seen = dict(row)
        if isinstance(row.get("values"), Mapping):
            seen["values"] = {name: value for name, value in row["values"].items() if name not in masked}
        if "label" in row and self.masks_label(entity):
            seen["label"] = ENTITIES[entity].label_of(seen.get("values") or {})
        if "message" in row and "severity" in row and (row.get("field") is None or self.hides(entity, row["field"])):
            seen["message"] = FINDINGS[row["code"]].title if row["code"] in FINDINGS else "The message is masked."
        if "value" in row and self.hides(entity, row.get("field")):
            seen["value"] = None
        return seen | {name: none for name, none in _TARGETS_WORDS.items() if name in row}


EVERYTHING = Sight()
_TARGETS_WORDS: dict[str, Any] = {"fields": {}, "changes": None, "says": None, "amount": None}


@lru_cache(maxsize=256)
def _masked(entity: str, hidden: frozenset[str]) -> frozenset[str]:
    fields = ENTITIES[entity].fields.items() if entity in ENTITIES else ()
    return frozenset(name for name, one in fields if any(getattr(one.marks, group) for group in hidden))
