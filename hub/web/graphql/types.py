"""GraphQL types made from the canonical catalogue: one per entity, one per value with parts, and how they relate."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import graphene
from pydantic import BaseModel

from canonical.catalogue import ENTITIES
from canonical.entity import EntityType
from hub.errors import InvalidRequest
from hub.store.listing import Relation
from hub.web.graphql import connections, facts
from hub.web.graphql.cohort import Node as Record
from hub.web.graphql.shapes import plural, type_name


class Node(graphene.Interface):
    """What can be asked for again by its id."""

    id = graphene.NonNull(graphene.ID, description="The golden id: opaque, stable, never reused")

    @classmethod
    def resolve_type(cls, instance: Mapping[str, Any], _info: Any) -> type[graphene.ObjectType]:
        """The type of a record by its entity."""
        return record_type(instance["entity"])


class GoldenRecord(graphene.Interface):
    """What every golden record has."""

    class Meta:
        """It can be asked for again."""

        interfaces = (Node,)

    id = graphene.NonNull(graphene.ID, description="The golden id: opaque, stable, never reused")
    entity = graphene.NonNull(graphene.String, description="The canonical entity")
    state = graphene.NonNull(graphene.String, description="live, or retired when no source has it any more")
    version = graphene.NonNull(graphene.Int, description="Counts up; 0 for one that never stood")
    label = graphene.NonNull(graphene.String, description="What a person would call it")
    rule_set = graphene.NonNull(graphene.String, description="The rule set version that judged")
    changed_at = graphene.NonNull(graphene.String)
    redirected_from = graphene.String(description="The former id that was asked for")
    former_ids = graphene.NonNull(
        graphene.List(graphene.NonNull(graphene.ID)), description="Retired ids that lead here, for ever"
    )
    masked = graphene.NonNull(
        graphene.List(graphene.NonNull(graphene.String)),
        description="Fields that the scope of the key does not show: they are empty here, whatever they hold",
    )
    basis = graphene.String(description="Of a record at another time: on what it is shown; empty for the one in force")
    provenance = graphene.NonNull(
        graphene.List(graphene.NonNull(facts.Provenance)),
        fields=graphene.List(graphene.NonNull(graphene.String)),
        description="Per field: which source won, by which rule, who lost and why",
    )
    sources = graphene.Field(facts.listed(facts.Member), description="The source records that it is made of")
    links = graphene.Field(facts.listed(facts.Link), description="Why each source record belongs to it")
    findings = graphene.Field(facts.listed(facts.Finding), description="Problems in its data")
    history = graphene.Field(
        facts.listed(facts.Version),
        first=graphene.Int(default_value=20, description="At most 100"),
        before=graphene.Int(description="Only versions under this number"),
        description="Its versions, the newest first, each with what had changed",
    )
    publications = graphene.Field(
        facts.listed(facts.Publication), description="What each target has of it, and what it has still to hear"
    )

    @classmethod
    def resolve_type(cls, instance: Mapping[str, Any], _info: Any) -> type[graphene.ObjectType]:
        """The type of a record by its entity."""
        return record_type(instance["entity"])

    @staticmethod
    def resolve_former_ids(record: Record, _info: Any) -> list[str]:
        """The ids that lead here."""
        return facts.former_ids(record)

    @staticmethod
    def resolve_provenance(record: Record, _info: Any, fields: list[str] | None = None) -> list[dict[str, Any]]:
        """All fields' provenance, or that of the named ones."""
        return facts.provenance(record, fields)

    @staticmethod
    def resolve_sources(record: Record, _info: Any) -> list[dict[str, Any]]:
        """The members of the version that is shown."""
        return facts.members(record)

    @staticmethod
    def resolve_links(record: Record, _info: Any) -> list[dict[str, Any]]:
        """Today's links."""
        return facts.links(record)

    @staticmethod
    def resolve_findings(record: Record, _info: Any) -> list[dict[str, Any]]:
        """Today's findings."""
        return facts.findings(record)

    @staticmethod
    def resolve_history(record: Record, _info: Any, first: int = 20, before: int | None = None) -> list[dict[str, Any]]:
        """The newest versions."""
        return facts.history(record, first, before)

    @staticmethod
    def resolve_publications(record: Record, _info: Any) -> list[dict[str, Any]]:
        """Per target."""
        return facts.publications(record)


@cache
def record_type(entity: str) -> type[graphene.ObjectType]:
    """The GraphQL type of an entity: its fields, what it refers to, and what refers to it."""
    described = ENTITIES[entity]
    fields = {name: _field(described, name) for name in described.fields}
    fields |= {name: _children(relation) for name, relation in relations(entity).items()}
    meta = type(
        "Meta",
        (),
        {
            "interfaces": (Node, GoldenRecord),
            "description": described.description,
            "default_resolver": from_record,
        },
    )
    return type(type_name(entity), (graphene.ObjectType,), {**fields, "Meta": meta})


@cache
def relations(entity: str) -> dict[str, Relation]:
    """What refers to records of an entity, by the name of the field that lists it."""
    found: dict[str, Relation] = {}
    for name, other in ENTITIES.items():
        leading = [field for field, to in other.references.items() if to == entity]
        for field in leading:
            own = "children" if name == entity and field == "parent" else plural(name)
            found[own if own not in found else f"{plural(name)}_by_{field}"] = Relation(name, field)
    return found


@cache
def connection_type(entity: str) -> type[graphene.ObjectType]:
    """A page of records of an entity."""
    return connections.connection_type(entity, record_type(entity))


def from_record(name: str, default: Any, record: Mapping[str, Any], _info: Any, **_args: Any) -> Any:
    """What a record holds of a field: what the hub says of it, else what its sources say."""
    return record[name] if name in record else record["values"].get(name, default)


def from_dict(name: str, default: Any, value: Mapping[str, Any], _info: Any, **_args: Any) -> Any:
    """A part of a value."""
    return value.get(name, default)


def _children(relation: Relation) -> graphene.Field:
    return graphene.Field(
        lambda: graphene.NonNull(connection_type(relation.entity)),
        **connections.arguments(relation.entity),
        resolver=partial(_related, relation),
        description=f"Records of {relation.entity} whose `{relation.field}` is this one.",
    )


def _related(relation: Relation, record: Record, _info: Any, **asked: Any) -> connections.Connection:
    cohort = record["cohort"]
    if cohort.when is not None:
        raise InvalidRequest(
            f"which {plural(relation.entity)} refer to a record is known for what is in force only.",
            hint=f"Ask for {plural(relation.entity)} at that time, with a filter on `{relation.field}`.",
        )
    cohort.sight.require(relation.entity)
    asked_of = connections.Asked.of(relation.entity, asked, sight=cohort.sight)
    return connections.of_parent(cohort, record["id"], relation, asked_of)


def _field(entity: EntityType, name: str) -> graphene.Field:
    marks = entity.fields[name].marks
    if marks.reference:
        return graphene.Field(
            partial(record_type, marks.reference), description=marks.description, resolver=partial(_parent, name)
        )
    return graphene.Field(_type_of(entity.fields[name].annotation), description=marks.description)


def _parent(name: str, record: Record, _info: Any) -> Record | None:
    parent: Record | None = record["cohort"].parent(record["id"], name)
    return parent


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
    meta = type("Meta", (), {"description": (model.__doc__ or "").strip(), "default_resolver": from_dict})
    return type(model.__name__, (graphene.ObjectType,), {**fields, "Meta": meta})
