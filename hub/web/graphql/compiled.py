"""A query compiled: its selection is walked once, and becomes functions that write the answer from what resolvers give.

graphql-core builds a path, an info and several checks for each field of each record; a page of a hundred costs it five
times what loading the page does. Resolvers are the same here, in the same order, each asked once, with the same
arguments. Whatever is not plain (an error of a resolver, a null where none may be, a value of another kind, a
mutation) raises, and the query is run again by graphql-core, so that errors and what becomes null are the
specification's own. Resolvers of queries may therefore be called twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Any

from graphene.types.resolver import dict_or_attr_resolver
from graphql import (
    DirectiveNode,
    DocumentNode,
    ExecutionResult,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLBoolean,
    GraphQLID,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    GraphQLString,
    OperationDefinitionNode,
    OperationType,
    Undefined,
    VariableNode,
    Visitor,
    default_field_resolver,
    get_operation_ast,
    is_abstract_type,
    is_leaf_type,
    visit,
)
from graphql.execution import execute
from graphql.execution.collect_fields import collect_fields, collect_sub_fields
from graphql.execution.execute import get_field_def
from graphql.execution.values import get_argument_values, get_variable_values
from graphql.pyutils import Path, is_iterable

from hub.web.graphql.types import from_dict, from_record

PLANS = 16  # of one document: its operations, each with the fields that @skip and @include leave
_AS_THEY_ARE = {GraphQLString: str, GraphQLID: str, GraphQLBoolean: bool}  # a value of the class is what it is told as
Field = Callable[[Any, "_Run"], Any]  # a field of a source, resolved and completed; or a value, completed


_Fields = list[tuple[str, Field]]  # by the names that they are answered under, in order


class Unusual(Exception):
    """This is for graphql-core to answer."""


class Compiled:
    """A valid document, and the plans of its queries."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        """Nothing is compiled yet."""
        self.schema, self.document = schema, document
        self._fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
        self._steering = _steering(document)
        self._plan = lru_cache(maxsize=PLANS)(self._compiled)

    def execute(self, name: str | None, variables: dict[str, Any] | None, context: Any) -> ExecutionResult:
        """What graphql-core answers to the operation of this name, or to the only one."""
        try:
            return ExecutionResult(self.plainly(name, variables, context), None)
        except Exception:
            told: Any = execute(
                self.schema, self.document, context_value=context, variable_values=variables, operation_name=name
            )
        return told

    def plainly(self, name: str | None, variables: dict[str, Any] | None, context: Any) -> dict[str, Any]:
        """The data of an answer without errors. Raises Unusual, or whatever a resolver raises."""
        operation = get_operation_ast(self.document, name)
        if operation is None or operation.operation is not OperationType.QUERY:
            raise Unusual
        given = get_variable_values(self.schema, operation.variable_definitions or (), variables or {})
        if isinstance(given, list):
            raise Unusual
        steering = tuple((one, given[one]) for one in self._steering if one in given)
        fields, plan = self._plan(name, steering)
        run = _Run(context, given, plan)
        return {key: field(None, run) for key, field in fields}

    def _compiled(self, name: str | None, steering: tuple[tuple[str, bool], ...]) -> tuple[_Fields, _Plan]:
        operation = get_operation_ast(self.document, name)
        if operation is None:
            raise Unusual
        plan = _Plan(self.schema, self._fragments, operation, dict(steering))
        return plan.root(), plan


class _Run:
    """One execution: what its resolvers are given, made when the first record asks for it."""

    def __init__(self, context: Any, variables: dict[str, Any], plan: _Plan) -> None:
        self.context, self.variables, self.plan = context, variables, plan
        self.given: dict[int, tuple[GraphQLResolveInfo, dict[str, Any]]] = {}

    def at(self, number: int) -> tuple[GraphQLResolveInfo, dict[str, Any]]:
        """Info and arguments for the resolver of a field. Raises GraphQLError for arguments that are none."""
        if number not in self.given:
            self.given[number] = self.plan.given(number, self)
        return self.given[number]


class _Plan:
    """An operation compiled, for certain values of the variables that @skip and @include look at."""

    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: Mapping[str, FragmentDefinitionNode],
        operation: OperationDefinitionNode,
        steering: dict[str, Any],
    ) -> None:
        self.schema, self.fragments, self.operation, self.steering = schema, dict(fragments), operation, steering
        self.places: list[tuple[Any, list[FieldNode], GraphQLObjectType, Path]] = []

    def root(self) -> _Fields:
        """The fields of the operation itself."""
        kind = self.schema.query_type
        if kind is None:
            raise Unusual
        chosen = collect_fields(self.schema, self.fragments, self.steering, kind, self.operation.selection_set)
        return self._fields(kind, chosen, None)

    def given(self, number: int, run: _Run) -> tuple[GraphQLResolveInfo, dict[str, Any]]:
        """What the resolver of a field gets. The path is that of the fields, without places in lists."""
        field, nodes, parent, path = self.places[number]
        info = GraphQLResolveInfo(
            nodes[0].name.value, nodes, field.type, parent, path, self.schema, self.fragments, None, self.operation,
            run.variables, run.context, lambda _value: False,
        )  # fmt: skip
        return info, get_argument_values(field, nodes[0], run.variables)

    def _fields(self, parent: GraphQLObjectType, chosen: Mapping[str, list[FieldNode]], above: Path | None) -> _Fields:
        made: _Fields = []
        for key, nodes in chosen.items():
            if nodes[0].name.value == "__typename":
                made.append((key, partial(_always, parent.name)))
                continue
            field = get_field_def(self.schema, parent, nodes[0])
            number = len(self.places)
            self.places.append((field, nodes, parent, Path(above, key, parent.name)))
            made.append(
                (key, _resolved(field.resolve or default_field_resolver, number, self._value(field.type, number)))
            )
        return made

    def _value(self, kind: Any, number: int) -> Field:
        """What completes a value of a type for the field of this number."""
        if isinstance(kind, GraphQLNonNull):
            return _leaf(kind.of_type, None) if is_leaf_type(kind.of_type) else _held(self._value(kind.of_type, number))
        if is_leaf_type(kind):
            return _leaf(kind, type(None))
        if isinstance(kind, GraphQLList):
            return _list(self._value(kind.of_type, number))
        return self._abstract(kind, number) if is_abstract_type(kind) else self._object(kind, number)

    def _object(self, kind: GraphQLObjectType, number: int) -> Field:
        if kind.is_type_of is not None:
            raise Unusual
        _, nodes, _, path = self.places[number]
        chosen = collect_sub_fields(self.schema, self.fragments, self.steering, kind, nodes)
        return _object(self._fields(kind, chosen, path))

    def _abstract(self, kind: Any, number: int) -> Field:
        """What completes a value by its own type; each type is compiled when the first value is of it."""
        possible = {one.name: one for one in self.schema.get_possible_types(kind)}
        known: dict[str, Field] = {}
        resolve_type = kind.resolve_type

        def completed(value: Any, run: _Run) -> Any:
            if value is None:
                return None
            if isinstance(value, Exception):
                raise value
            name = resolve_type(value, run.at(number)[0], kind)
            if name not in known:
                known[name] = self._object(possible[name], number)
            return known[name](value, run)

        return completed


def _steering(document: DocumentNode) -> tuple[str, ...]:
    """The variables that decide which fields there are."""
    found: set[str] = set()

    class _Directives(Visitor):
        def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
            found.update(one.value.name.value for one in node.arguments or () if isinstance(one.value, VariableNode))

    visit(document, _Directives())
    return tuple(sorted(found))


def _always(name: str, _source: Any, _run: _Run) -> str:
    return name


def _resolved(resolve: Any, number: int, complete: Field) -> Field:
    """A field that is read off its source, or asked of its resolver."""
    if isinstance(resolve, partial) and resolve.func in _READ and not resolve.keywords:
        return _READ[resolve.func](*resolve.args, complete)

    def asked(source: Any, run: _Run) -> Any:
        info, arguments = run.at(number)
        return complete(resolve(source, info, **arguments), run)

    return asked


def _read_record(name: str, default: Any, complete: Field) -> Field:
    def read(record: Any, run: _Run) -> Any:
        return complete(record[name] if name in record else record["values"].get(name, default), run)

    return read


def _read_dict(name: str, default: Any, complete: Field) -> Field:
    return lambda value, run: complete(value.get(name, default), run)


def _read_any(name: str, default: Any, complete: Field) -> Field:
    def read(source: Any, run: _Run) -> Any:
        if isinstance(source, dict):
            return complete(source.get(name, default), run)
        return complete(getattr(source, name, default), run)

    return read


_READ: dict[Any, Callable[..., Field]] = {
    from_record: _read_record,
    from_dict: _read_dict,
    dict_or_attr_resolver: _read_any,
}


def _leaf(kind: Any, nothing: type[None] | None) -> Field:
    """A scalar or an enum; `nothing` is the class of what may be missing."""
    own, serialize = _AS_THEY_ARE.get(kind), kind.serialize

    def completed(value: Any, _run: _Run) -> Any:
        if value.__class__ is own or value.__class__ is nothing:
            return value
        if value is None or isinstance(value, Exception):
            raise Unusual
        told = serialize(value)
        if told is None or told is Undefined:
            raise Unusual
        return told

    return completed


def _held(complete: Field) -> Field:
    """What may not be missing."""

    def completed(value: Any, run: _Run) -> Any:
        told = complete(value, run)
        if told is None:
            raise Unusual
        return told

    return completed


def _list(complete: Field) -> Field:
    def completed(values: Any, run: _Run) -> Any:
        if values is None:
            return None
        if values.__class__ is not list and not is_iterable(values):
            raise Unusual
        return [complete(value, run) for value in values]

    return completed


def _object(fields: _Fields) -> Field:
    def completed(value: Any, run: _Run) -> Any:
        if value is None:
            return None
        if isinstance(value, Exception):
            raise Unusual
        return {key: field(value, run) for key, field in fields}

    return completed
