"""What a list may be asked for: one filter input per entity, made from the catalogue, read into conditions.

Values are read as the catalogue reads them, so that `gb`, `GB` and `United Kingdom` ask for the same country.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

import graphene
from pydantic import BaseModel

from canonical.catalogue import ENTITIES
from canonical.entity import Field
from canonical.values import Money
from hub.errors import InvalidRequest
from hub.flow.travel import moment
from hub.store.conditions import (
    Begins,
    ChangedSince,
    Condition,
    Either,
    Every,
    HasFinding,
    HasSystem,
    Ids,
    Kind,
    Not,
    RefersTo,
    Test,
)  # fmt: skip
from hub.store.sight import Sight
from hub.web.graphql.shapes import shape, shape_of, type_name

Given = Mapping[str, Any]
Read = Callable[[Given], Condition]


def _strings() -> graphene.List:
    return graphene.List(graphene.NonNull(graphene.String))


def _comparisons(scalar: Any) -> dict[str, Any]:
    return {
        "eq": scalar(description="Equal"),
        "in_": graphene.InputField(graphene.List(graphene.NonNull(scalar)), name="in", description="One of these"),
        "lt": scalar(description="Less than"),
        "lte": scalar(description="At most"),
        "gt": scalar(description="More than"),
        "gte": scalar(description="At least"),
        "is_null": graphene.Boolean(description="Whether there is no value"),
    }


def _input(name: str, said: str, fields: Mapping[str, Any]) -> type[graphene.InputObjectType]:
    return type(name, (graphene.InputObjectType,), {"__doc__": said, **fields})


TextFilter = _input(
    "TextFilter",
    "Tests of a text, all of which must hold. Letter case counts; `search` is for looking around.",
    _comparisons(graphene.String) | {"prefix": graphene.String(description="Begins with")},
)
DateFilter = _input(
    "DateFilter", "Tests of a date (2026-04-01) or a time (2026-04-01T09:30:00Z).", _comparisons(graphene.String)
)
NumberFilter = _input("NumberFilter", "Tests of a decimal number, written as text.", _comparisons(graphene.String))
IntFilter = _input("IntFilter", "Tests of a whole number.", _comparisons(graphene.Int))
BooleanFilter = _input(
    "BooleanFilter", "Tests of a yes or no.", {"eq": graphene.Boolean(), "is_null": graphene.Boolean()}
)
ListFilter = _input("ListFilter", "Tests of a list.", {"is_null": graphene.Boolean()})
MoneyFilter = _input(
    "MoneyFilter",
    "Tests of an amount; amounts are compared within one currency.",
    {
        "currency": graphene.String(description="The currency; needed to compare amounts"),
        **{name: graphene.String() for name in ("eq", "lt", "lte", "gt", "gte")},
        "is_null": graphene.Boolean(),
    },
)
ReferenceFilter = _input(
    "ReferenceFilter",
    "Tests of what a record refers to: golden ids (former ones too) or source keys.",
    {
        "eq": graphene.ID(),
        "in_": graphene.InputField(graphene.List(graphene.NonNull(graphene.ID)), name="in"),
        "is_null": graphene.Boolean(description="Whether there is no reference"),
    },
)
FindingFilter = _input(
    "FindingFilter",
    "A finding that stands with a record or its sources; any, when nothing is given.",
    {"code": graphene.String(), "severity": graphene.String(), "field": graphene.String()},
)
_OF_SHAPE = {
    "text": (TextFilter, Kind.TEXT), "date": (DateFilter, Kind.TEXT), "number": (NumberFilter, Kind.NUMBER),
    "integer": (IntFilter, Kind.NUMBER), "boolean": (BooleanFilter, Kind.BOOLEAN), "list": (ListFilter, Kind.TEXT),
}  # fmt: skip


@cache
def filter_type(entity: str) -> type[graphene.InputObjectType]:
    """The filter input of an entity."""
    own = graphene.List(graphene.NonNull(lambda: filter_type(entity)))
    fields: dict[str, Any] = {
        "and_": graphene.InputField(own, name="and", description="All of these hold"),
        "or_": graphene.InputField(own, name="or", description="One of these holds"),
        "not_": graphene.InputField(lambda: filter_type(entity), name="not", description="This does not hold"),
        "id": graphene.List(graphene.NonNull(graphene.ID), description="One of these golden ids"),
        "system": graphene.String(description="A source record of this system belongs to it"),
        "finding": graphene.InputField(FindingFilter, description="Such a finding stands with it or its sources"),
        "changed_since": graphene.String(description="Its version in force is of this date or time, or later"),
        "search": graphene.String(description="Starts an indexed value, letter case and accents apart"),
    }
    for name, field in ENTITIES[entity].fields.items():
        fields[name] = graphene.InputField(_input_of(field), description=field.marks.description)
    return _input(f"{type_name(entity)}Filter", "Tests that must all hold.", fields)


def condition(entity: str, given: Given | None, search: str = "", *, sight: Sight) -> Condition:
    """What was asked for. A search looks at what is shown. Raises InvalidRequest; OutOfSight for a masked field."""
    parts = _parts(entity, given or {}, sight)
    return Every((*parts, Begins(search, sight.masked(entity))) if search else tuple(parts))


def _parts(entity: str, given: Given, sight: Sight) -> list[Condition]:
    fields = ENTITIES[entity].fields
    parts: list[Condition] = []
    for name, value in given.items():
        if value is None:
            raise InvalidRequest(f"{name} was given null.", hint="Leave it out, or ask for {isNull: true}.")
        if name in _COMMON:
            parts.append(_COMMON[name](entity, value, sight))
        else:
            sight.require_field(entity, name, "filter by")
            parts.append(Every(tuple(_tests(fields[name], value))))
    return parts


_COMMON: dict[str, Callable[[str, Any, Sight], Condition]] = {
    "and_": lambda entity, value, sight: Every(tuple(condition(entity, one, sight=sight) for one in value)),
    "or_": lambda entity, value, sight: Either(tuple(condition(entity, one, sight=sight) for one in value)),
    "not_": lambda entity, value, sight: Not(condition(entity, value, sight=sight)),
    "id": lambda _entity, value, _sight: Ids(tuple(value)),
    "system": lambda _entity, value, _sight: HasSystem(value),
    "finding": lambda _entity, value, _sight: HasFinding(**value),
    "changed_since": lambda _entity, value, _sight: ChangedSince(moment(value, end=False)),
    "search": lambda entity, value, sight: Begins(value, sight.masked(entity)),
}


def _input_of(field: Field) -> Any:
    if field.marks.reference:
        return ReferenceFilter
    kind = shape(field)
    if isinstance(kind, str):
        return _OF_SHAPE[kind][0]
    return MoneyFilter if kind is Money else _group_filter(kind)


@cache
def _group_filter(model: type[BaseModel]) -> type[graphene.InputObjectType]:
    """The filter of a value with parts: one test per part."""
    fields = {name: graphene.InputField(_OF_SHAPE[one][0]) for name, one in _group_parts(model).items()}
    more = {"is_null": graphene.Boolean(description="Whether there is no value at all")}
    return _input(f"{model.__name__}Filter", "Tests of the parts.", fields | more)


def _group_parts(model: type[BaseModel]) -> dict[str, str]:
    shapes = {name: shape_of(info.annotation) for name, info in model.model_fields.items()}
    return {name: one for name, one in shapes.items() if isinstance(one, str)}


def _tests(field: Field, given: Given) -> list[Condition]:
    if field.marks.reference:
        return _reference_tests(field.name, given)
    kind = shape(field)
    if isinstance(kind, str):
        return _scalar_tests((field.name,), _OF_SHAPE[kind][1], given, partial(_normal, field))
    if kind is Money:
        return _money_tests(field, given)
    tests = [Test((field.name,), "null", given["is_null"])] if "is_null" in given else []
    parts = _group_parts(kind)
    return [
        *tests,
        *(
            test
            for name, asked in given.items()
            if name != "is_null"
            for test in _scalar_tests((field.name, name), _OF_SHAPE[parts[name]][1], asked, lambda value: value)
        ),
    ]


def _scalar_tests(path: tuple[str, ...], kind: Kind, given: Given, normal: Callable[[Any], Any]) -> list[Condition]:
    tests: list[Condition] = []
    for name, value in given.items():
        if value is None:
            raise InvalidRequest(f"{'.'.join(path)} was compared with null.", hint="Ask for {isNull: true}.")
        if name == "is_null":
            tests.append(Test(path, "null", value))
        elif name == "in_":
            tests.append(Test(path, "in", tuple(normal(one) for one in value), kind))
        else:
            tests.append(Test(path, name, value if name == "prefix" else normal(value), kind))
    return tests


def _normal(field: Field, value: Any) -> Any:
    """The value as the catalogue keeps it. Raises InvalidRequest when it is none of this field's."""
    normal, finding = field.read(value)
    if normal is None:
        said = finding.message if finding else "an empty value is no value to compare with"
        raise InvalidRequest(f"{field.name}: {said}", hint="`hub model` says what a field holds.")
    return normal


def _money_tests(field: Field, given: Given) -> list[Condition]:
    bounds = {name: value for name, value in given.items() if name not in ("currency", "is_null")}
    currency = given.get("currency")
    if bounds and not currency:
        raise InvalidRequest(f"{field.name}: amounts are compared within one currency.", hint="Add `currency`.")
    tests: list[Condition] = [Test((field.name,), "null", given["is_null"])] if "is_null" in given else []
    if currency:
        known = _normal(field, {"amount": "0", "currency": currency})["currency"]
        tests.append(Test((field.name, "currency"), "eq", known))
    amounts = {
        name: _normal(field, {"amount": value, "currency": currency})["amount"] for name, value in bounds.items()
    }
    return [*tests, *(Test((field.name, "amount"), name, value, Kind.NUMBER) for name, value in amounts.items())]


def _reference_tests(name: str, given: Given) -> list[Condition]:
    tests: list[Condition] = [Test((name,), "null", given["is_null"])] if "is_null" in given else []
    asked = [*([given["eq"]] if "eq" in given else []), *given.get("in_", ())]
    return [*tests, RefersTo(name, tuple(asked))] if asked or "in_" in given else tests
