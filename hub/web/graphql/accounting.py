"""Accountability: each mutation leaves an entry in the audit log, and so does each answer that tells personal data.

Entries say who, with which key, what of which records, under which correlation id; never a value. A mutation's stands
in the transaction that has the effect: its own where the act writes one, else one of the mutation's name. One that had
no effect leaves one, too, with the code of why.
"""

from __future__ import annotations

from functools import cache, lru_cache, partial
from typing import Any

import graphene
from graphql import (
    FieldNode,
    GraphQLSchema,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    parse,
    visit,
)

from canonical.catalogue import ENTITIES
from canonical.errors import MasterDataError
from hub.store import audit, shown
from hub.store.access import Principal
from hub.store.audit import ASKER, Act
from hub.store.engine import Connection, with_each, writing
from hub.web.graphql.context import hub_of, principal_of
from hub.web.graphql.shapes import camel, type_name
from hub.wiring import Hub

NAMING = frozenset(  # arguments that name a thing and hold no value of one
    "batch books closing decision delegation drift entity field golden id key plan role rule_set simulation system "
    "target task tasks version".split()
)
_ENTITY_OF = {type_name(name): name for name in ENTITIES}
_TELLING = {  # fields of other types that tell values of records
    "Candidate": {"value"}, "Change": {"before", "after"}, "Difference": {"stored", "rebuilt"},
    "Drift": {"label", "fields"}, "FieldValue": {"value"}, "Finding": {"message"}, "GoldenRecord": {"label"},
    "PlanEntry": {"label", "changes"}, "Provenance": {"flip"}, "Query": {"trial"}, "Simulation": {"report"},
    "ValueSet": {"value"}, "Waiting": {"label"},
}  # fmt: skip


def account(made: graphene.Schema) -> graphene.Schema:
    """The schema, of which each mutation leaves an entry."""
    for name, field in made.graphql_schema.mutation_type.fields.items():
        field.resolve = partial(_accounted, name, field.resolve)
    return made


def note_read(hub: Hub, principal: Principal, schema: GraphQLSchema, query: str, name: str | None) -> None:
    """Note that an answer to the query tells personal data, if it may; `name` is that of the operation."""
    asker, fields = ASKER.get(), personal(schema, query)
    if asker is None or not fields or "personal" in principal.sight.hidden:
        return
    detail = asker.came | {"fields": list(fields), "ids": shown.personal(asker.saw)}
    shown.note(hub.beside, Act(principal.name, "read", name or "a query", detail), hub.clock())


@lru_cache(maxsize=500)
def personal(schema: GraphQLSchema, query: str) -> tuple[str, ...]:
    """The fields that a valid document asks for and that tell personal data, or may."""
    told = _Told(TypeInfo(schema))
    document = parse(query)
    visit(document, TypeInfoVisitor(told.at, told))
    return tuple(sorted(told.fields))


class _Told(Visitor):
    """What a document tells; `within` are the entities of the records around a field."""

    def __init__(self, at: TypeInfo) -> None:
        super().__init__()
        self.at, self.fields, self.within = at, set[str](), [""]

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        parent, name = self.at.get_parent_type(), node.name.value
        kind = parent.name if parent else ""
        entity = _ENTITY_OF.get(kind)
        self.within.append(entity or self.within[-1])
        if entity is not None and name in _of_entity(entity):
            self.fields.add(f"{entity}.{name}")
        elif name in _TELLING.get(kind, ()) and self.within[-1] in shown.PERSONAL | {""}:
            self.fields.add(f"{kind}.{name}")

    def leave_field(self, *_: Any) -> None:
        self.within.pop()


@cache
def _of_entity(entity: str) -> frozenset[str]:
    described = ENTITIES[entity]
    marked = {name for name, field in described.fields.items() if field.marks.personal}
    return frozenset({camel(name) for name in marked} | ({"label"} if marked & set(described.label) else set()))


def _accounted(name: str, resolve: Any, root: Any, info: graphene.ResolveInfo, /, **given: Any) -> Any:
    asker = ASKER.get()
    if asker is None:  # no request: whoever calls the schema itself accounts for it
        return resolve(root, info, **given)
    actor, noted = principal_of(info).name, list[bool]()
    subject = " ".join(f"{one}={given[one]}" for one in sorted(NAMING & given.keys()))[:500]
    code: str | None = "HUB-1000"

    def note(connection: Connection) -> None:
        if not noted and asker.noted_in is not connection.get_transaction():
            audit.append(connection, Act(actor, name, subject, {}), hub_of(info).clock())
        noted.append(True)

    try:
        with with_each(note):
            made = resolve(root, info, **given)
        code = next((one.code for one in getattr(made, "user_errors", None) or ()), None)
        return made
    except MasterDataError as error:
        code = error.code
        raise
    finally:
        if not noted:
            with writing(hub_of(info).engine) as connection:
                audit.append(
                    connection,
                    Act(actor, name, subject, {"without effect": code} if code else {}),
                    hub_of(info).clock(),
                )
