"""What a key with a narrow scope sees: no door shows a value of a group that it lacks, nor an entity outside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from graphql import GraphQLObjectType, get_named_type, is_leaf_type, is_required_argument

from canonical.catalogue import ENTITIES
from hub.store.access import Principal
from hub.store.engine import reading
from hub.store.sight import GROUPS, Sight
from hub.store.tables import golden_version, record, record_version
from hub.web.graphql.reach import REACH
from hub.web.graphql.shapes import plural
from hub.wiring import Hub
from tests.integration.test_graphql_records import SCHEMA, company

__all__ = ["company"]
ROOTS = SCHEMA.graphql_schema.query_type
LEAST = 6  # characters of a value that stands for itself wherever it is found
DEEP = {
    "provenance",
    "candidates",
    "history",
    "changes",
    "sources",
    "findings",
    "links",
    "publications",
    "values",
    "node",
}
CAMEL = {"".join(w if n == 0 else w.title() for n, w in enumerate(name.split("_"))): name for name in
         [*ENTITIES, *(plural(one) for one in ENTITIES)]}  # fmt: skip

FREE = {  # roots that can be asked without arguments
    name for name, field in ROOTS.fields.items() if not any(map(is_required_argument, field.args.values()))
}


def run(hub: Hub, query: str, hidden: tuple[str, ...], entities: list[str] | None = None) -> Any:
    who = Principal("narrow", "admin", Sight.of(entities, hidden))
    return SCHEMA.execute(query, context_value={"hub": hub, "principal": who})


def selection(kind: GraphQLObjectType, depth: int) -> str:
    """All fields that can be asked without arguments, and what lies below those that tell of values."""
    parts = []
    for name, field in kind.fields.items():
        if any(is_required_argument(argument) for argument in field.args.values()):
            continue
        below = get_named_type(field.type)
        if is_leaf_type(below):
            parts.append(name)
        elif isinstance(below, GraphQLObjectType) and depth and name in DEEP:
            parts.append(f"{name} {{ {selection(below, depth - 1)} }}")
    return " ".join(parts)


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for one in value.values():
            yield from texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from texts(one)
    elif value is not None and len(str(value)) >= LEAST:
        yield str(value)


def secrets(hub: Hub, group: str) -> set[str]:
    """Every text that stands in a field of the group and in no other field."""
    hidden, shown = set[str](), set[str]()
    with reading(hub.engine) as connection:
        sources = sa.select(record.c.entity, record_version.c["values"]).join(
            record, record.c.id == record_version.c.record_id
        )
        rows = [*connection.execute(sources)]
        shown.update(connection.execute(sa.select(record.c.key)).scalars())
        prefixes = {described.prefix: name for name, described in ENTITIES.items()}
        for id_, values in connection.execute(sa.select(golden_version.c.golden_id, golden_version.c["values"])):
            rows.append((prefixes[id_.split("_")[0]], values))
    for entity, values in rows:
        for name, value in values.items():
            of_group = getattr(ENTITIES[entity].fields[name].marks, group)
            (hidden if of_group else shown).update(texts(value))
    return hidden - shown


def leaks(hub: Hub, group: str, data: Any) -> list[str]:
    """What of the group stands in an answer: as a whole value, or a text within another."""
    told = [str(one) for one in texts(data)]
    whole = set(told)
    return [
        one
        for one in secrets(hub, group)
        if one in whole or (any(map(str.isalpha, one)) and any(one in text for text in told))
    ]


@pytest.mark.promise("A-15")
@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("name", sorted(ENTITIES))
def test_record_of_a_narrow_key_holds_nothing_of_the_group(company: Hub, name: str, group: str) -> None:
    asked = "".join(w if n == 0 else w.title() for n, w in enumerate(plural(name).split("_")))
    node = get_named_type(get_named_type(ROOTS.fields[asked].type).fields["nodes"].type)
    query = f"{{ {asked}(first: 40) {{ nodes {{ {selection(node, 3)} }} }} }}"
    result = run(company, query, (group,))
    assert result.errors is None, result.errors
    nodes = result.data[asked]["nodes"]
    leaked = leaks(company, group, nodes)
    assert not leaked, leaked[:3]
    whole = run(company, query, ()).data[asked]["nodes"]
    assert [one["id"] for one in whole] == [one["id"] for one in nodes]
    marked = {field for field, one in ENTITIES[name].fields.items() if getattr(one.marks, group)}
    assert all(len(one["masked"]) == len(marked) for one in nodes)
    assert all(one["masked"] == [] for one in whole)


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("root", sorted(FREE & set(REACH) - set(CAMEL)))
def test_door_that_a_narrow_key_may_use_shows_nothing_of_the_group(company: Hub, root: str, group: str) -> None:
    field = ROOTS.fields[root]
    kind = get_named_type(field.type)
    below = f"{{ {selection(kind, 2)} }}" if isinstance(kind, GraphQLObjectType) else ""
    result = run(company, f"{{ {root} {below} }}", (group,))
    assert result.errors is None, result.errors
    leaked = leaks(company, group, result.data)
    assert not leaked, leaked[:3]


@pytest.mark.parametrize(
    "query",
    [
        '{ accounts(filter: {email: {eq: "a@b.example"}}) { nodes { id } } }',
        "{ accounts(orderBy: {by: LEGAL_NAME}) { nodes { id } } }",
        '{ matches(entity: "account", values: "{\\"email\\": \\"a@b.example\\"}") { golden } }',
    ],
    ids=["filter", "order", "matches"],
)
def test_question_by_a_masked_field_is_refused(company: Hub, query: str) -> None:
    errors = run(company, query, ("personal",)).errors
    assert errors
    assert run(company, query, ()).errors is None


@pytest.mark.parametrize("root", sorted(FREE - set(REACH)))
def test_door_that_concerns_the_whole_hub_is_shut_to_a_narrow_key(company: Hub, root: str) -> None:
    field = ROOTS.fields[root]
    kind = get_named_type(field.type)
    below = f"{{ {selection(kind, 0)} }}" if isinstance(kind, GraphQLObjectType) else ""
    errors = run(company, f"{{ {root} {below} }}", ("money",)).errors
    assert errors
    assert "whole hub" in str(errors[0])


def test_entity_outside_the_scope_is_refused_and_left_out_elsewhere(company: Hub) -> None:
    errors = run(company, "{ invoices { nodes { id } } }", (), ["account"]).errors
    assert errors
    assert "outside the scope" in str(errors[0])
    found = run(company, '{ changes(since: "0", first: 500) { nodes { entity } } }', (), ["account"])
    assert found.errors is None, found.errors
    assert {one["entity"] for one in found.data["changes"]["nodes"]} == {"account"}


def test_search_does_not_look_at_masked_fields(company: Hub) -> None:
    (one,) = run(company, "{ accounts(first: 1) { nodes { label } } }", ()).data["accounts"]["nodes"]
    query = f'{{ accounts(text: "{one["label"][:12]}") {{ nodes {{ id }} }} }}'
    assert run(company, query, ()).data["accounts"]["nodes"]
    assert run(company, query, ("personal",)).data["accounts"]["nodes"] == []
