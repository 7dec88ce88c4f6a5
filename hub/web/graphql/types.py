"""GraphQL types made from the canonical catalogue: one per entity, one per value with parts."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import graphene
from pydantic import BaseModel

from canonical.catalogue import ENTITIES
from canonical.entity import EntityType
from hub import queries
from rules.why import Why


class Loser(graphene.ObjectType):
    """A system's value that did not win, and why."""

    source = graphene.NonNull(graphene.String, description="Source key")
    reason = graphene.NonNull(graphene.String)


class Candidate(graphene.ObjectType):
    """One who spoke of a field, and what became of it."""

    system = graphene.NonNull(graphene.String, description="`steward` for an override")
    key = graphene.NonNull(graphene.String, description="Source key, or the override")
    value = graphene.String(description="As a person reads it; empty when the source says that it is empty")
    asserted_at = graphene.NonNull(graphene.String)
    outcome = graphene.NonNull(graphene.String, description="won, agreed, joined, lost or set aside")
    reason = graphene.NonNull(graphene.String)


class Provenance(graphene.ObjectType):
    """Where a field's value comes from."""

    field = graphene.NonNull(graphene.String)
    source = graphene.String(description="The winning source key; empty when a steward's override decides")
    rule = graphene.NonNull(graphene.String, description="The survivorship rule that decided")
    asserted_at = graphene.String(description="When the source said so")
    losers = graphene.NonNull(graphene.List(graphene.NonNull(Loser)))
    candidates = graphene.List(
        graphene.NonNull(Candidate), description="Everybody who spoke, the winner first; asked of the rules that judged"
    )
    flip = graphene.String(
        description="The smallest change under which another value would stand, and that value; "
        "a page that asks for it holds at most 20 records"
    )

    @staticmethod
    def resolve_candidates(parent: Mapping[str, Any], _info: Any) -> list[dict[str, Any]] | None:
        """The candidates as the rules placed them; null when the rules that judged are gone."""
        found: Why | None = parent["why"](flips=False)
        if found is None:
            return None
        return [
            {
                "system": one.system, "key": one.key, "value": None if one.value is None else queries.shown(one.value),
                "asserted_at": one.asserted_at.isoformat(), "outcome": one.outcome.value, "reason": one.reason,
            }
            for one in found.candidates
        ]  # fmt: skip

    @staticmethod
    def resolve_flip(parent: Mapping[str, Any], _info: Any) -> str | None:
        """The smallest change, in words."""
        found: Why | None = parent["why"](flips=True)
        return queries.flip_words(found) if found else None


class RecordLink(graphene.ObjectType):
    """Another golden record, as it is called now."""

    id = graphene.NonNull(graphene.ID)
    entity = graphene.NonNull(graphene.String)
    label = graphene.NonNull(graphene.String)


class Member(graphene.ObjectType):
    """A source record that belongs to the golden record."""

    source_key = graphene.NonNull(graphene.String)
    version = graphene.String(description="The source's own version, if it states one")


class PageInfo(graphene.ObjectType):
    """Where a page ends."""

    has_next_page = graphene.NonNull(graphene.Boolean)
    end_cursor = graphene.String()


class Node(graphene.Interface):
    """What every golden record has."""

    id = graphene.NonNull(graphene.ID, description="The golden id: opaque, stable, never reused")
    version = graphene.NonNull(graphene.Int)
    label = graphene.NonNull(graphene.String, description="What a person would call it")
    rule_set = graphene.NonNull(graphene.String, description="The rule set version that judged")
    changed_at = graphene.NonNull(graphene.String)
    redirected_from = graphene.String(description="The former id that was asked for")
    basis = graphene.String(description="Of a record at another time: on what it is shown; empty for the one in force")
    provenance = graphene.NonNull(
        graphene.List(graphene.NonNull(Provenance)), fields=graphene.List(graphene.NonNull(graphene.String))
    )
    sources = graphene.NonNull(graphene.List(graphene.NonNull(Member)))

    @classmethod
    def resolve_type(cls, instance: Mapping[str, Any], _info: Any) -> type[graphene.ObjectType]:
        """The type of a record by its entity."""
        return record_type(instance["entity"])

    @staticmethod
    def resolve_provenance(
        parent: Mapping[str, Any], _info: Any, fields: list[str] | None = None
    ) -> list[dict[str, Any]]:
        """All fields' provenance, or that of the named ones (in either spelling)."""
        wanted = None if fields is None else {_snake(name) for name in fields}
        return [one for one in parent["provenance"] if wanted is None or one["field"] in wanted]


def type_name(entity: str) -> str:
    """`legal_entity` → `LegalEntity`."""
    return "".join(part.title() for part in entity.split("_"))


@cache
def record_type(entity: str) -> type[graphene.ObjectType]:
    """The GraphQL type of an entity."""
    described = ENTITIES[entity]
    fields = {name: _field(described, name) for name in described.fields}
    meta = type(
        "Meta", (), {"interfaces": (Node,), "description": described.description, "default_resolver": _from_record}
    )
    return type(type_name(entity), (graphene.ObjectType,), {**fields, "Meta": meta})


@cache
def page_type(entity: str) -> type[graphene.ObjectType]:
    """A page of records of an entity."""
    nodes = graphene.NonNull(graphene.List(graphene.NonNull(record_type(entity))))
    return type(
        f"{type_name(entity)}Page", (graphene.ObjectType,), {"nodes": nodes, "page_info": graphene.NonNull(PageInfo)}
    )


def _field(entity: EntityType, name: str) -> graphene.Field:
    marks = entity.fields[name].marks
    kind = RecordLink if marks.reference else _type_of(entity.fields[name].annotation)
    return graphene.Field(kind, description=marks.description)


def _type_of(annotation: Any) -> Any:
    """The GraphQL type of an annotation: objects for values with parts, lists, and scalars."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _type_of(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return _type_of(next(part for part in get_args(annotation) if part is not type(None)))
    if origin in (list, tuple):
        return graphene.List(graphene.NonNull(_type_of(get_args(annotation)[0])))
    if origin is Literal or not isinstance(annotation, type):
        return graphene.String
    if issubclass(annotation, BaseModel):
        return _group(annotation)
    return {bool: graphene.Boolean, int: graphene.Int}.get(annotation, graphene.String)


@cache
def _group(model: type[BaseModel]) -> type[graphene.ObjectType]:
    fields = {name: graphene.Field(_type_of(info.annotation)) for name, info in model.model_fields.items()}
    meta = type("Meta", (), {"description": (model.__doc__ or "").strip(), "default_resolver": _from_dict})
    return type(model.__name__, (graphene.ObjectType,), {**fields, "Meta": meta})


def _from_record(name: str, default: Any, record: Mapping[str, Any], _info: Any, **_args: Any) -> Any:
    return record[name] if name in record else record["values"].get(name, default)


def _from_dict(name: str, default: Any, value: Mapping[str, Any], _info: Any, **_args: Any) -> Any:
    return value.get(name, default)


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)
