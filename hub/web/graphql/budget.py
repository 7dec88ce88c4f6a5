"""What a query would cost, told before anything is asked of the store: depth, aliases, and records that may be touched.

Each fragment is measured once, so that the measure itself is linear in the text. A list costs what it may hold:
its `first`, its own default, or `USUAL`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    IntValueNode,
    OperationDefinitionNode,
    VariableNode,
)

DEEPEST = 12
OF_THE_SCHEMA = 4  # levels more for what asks for the schema: tools ask for types wrapped nine times
MOST_ALIASES = 60  # fields under another name in one document
DEAREST = 100_000  # fields of records
USUAL = 50  # records of a list that does not say how many
LISTS = frozenset({"nodes", "edges"})  # they cost what the field around them asks for


@dataclass(frozen=True, slots=True)
class Measure:
    """A selection: how deep it is, how many fields stand under another name, how many fields come back at most."""

    depth: int = 0
    aliases: int = 0
    cost: int = 0

    def beside(self, other: Measure) -> Measure:
        """Both selections in one."""
        return Measure(max(self.depth, other.depth), self.aliases + other.aliases, self.cost + other.cost)


def measured(document: DocumentNode, variables: Mapping[str, Any] | None = None) -> Measure:
    """The measure of the dearest operation of a document."""
    walk = _Walk(document, variables or {})
    found = [walk.of(one, 1) for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    return max(found, key=lambda one: one.cost, default=Measure())


def refuse(measure: Measure) -> None:
    """Raise a GraphQLError that says by how much a query is too large, and what to do."""
    limits = (
        (measure.depth, DEEPEST, "levels deep", "Ask in two queries."),
        (measure.aliases, MOST_ALIASES, "aliases long", "Ask with a list or a filter instead of by name."),
        (measure.cost, DEAREST, "fields large at most", "Ask for fewer records with `first`, and for the next page."),
    )
    for found, most, what, hint in limits:
        if found > most:
            raise GraphQLError(f"The query is {found} {what}; at most {most} are answered. {hint}")


class _Walk:
    """One document; a fragment is measured once for one record, and multiplied where it stands."""

    def __init__(self, document: DocumentNode, variables: Mapping[str, Any]) -> None:
        self.fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
        self.variables = variables
        self.known: dict[str, Measure] = {}
        self.open: set[str] = set()

    def of(self, node: Any, times: int) -> Measure:
        """The selection below a node, asked for so many records."""
        found = Measure()
        for inner in node.selection_set.selections if getattr(node, "selection_set", None) else ():
            found = found.beside(self._one(inner, times))
        return found

    def _one(self, inner: Any, times: int) -> Measure:
        if isinstance(inner, FragmentSpreadNode):
            return self._fragment(inner.name.value, times)
        if not isinstance(inner, FieldNode):
            return self.of(inner, times)
        name = inner.name.value
        many = times if name in LISTS else times * self._first(inner)
        below = self.of(inner, min(many, DEAREST))
        free = OF_THE_SCHEMA if name in ("__schema", "__type") else 0
        return Measure(max(below.depth + 1 - free, 1), below.aliases + (inner.alias is not None), below.cost + times)

    def _fragment(self, name: str, times: int) -> Measure:
        if name not in self.known and name in self.fragments and name not in self.open:
            self.open.add(name)
            self.known[name] = self.of(self.fragments[name], 1)
            self.open.discard(name)
        one = self.known.get(name, Measure())
        return Measure(one.depth, one.aliases, one.cost * times)

    def _first(self, field: FieldNode) -> int:
        """How many records the field may bring; one, unless it is a list of its own."""
        if not field.selection_set:
            return 1
        asked = next((a.value for a in field.arguments or () if a.name.value == "first"), None)
        if asked is None:
            inner = {one.name.value for one in field.selection_set.selections if isinstance(one, FieldNode)}
            return USUAL if inner & LISTS else 1
        if isinstance(asked, IntValueNode):
            return max(1, int(asked.value))
        said = self.variables.get(asked.name.value) if isinstance(asked, VariableNode) else None
        return max(1, said) if isinstance(said, int) else USUAL
