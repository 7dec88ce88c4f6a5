"""From annotations of the catalogue to shapes: what GraphQL makes of a canonical field."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.json_schema import WithJsonSchema

from canonical.entity import Field

Shape = str | type[BaseModel]  # text, date, number, integer, boolean, list, or a value with parts


@cache
def shape(field: Field) -> Shape:
    """What a canonical field holds."""
    schema = field.schema
    formats = [schema.get("format"), *(one.get("format") for one in schema.get("anyOf", ()))]
    known = [_OF_FORMAT[one] for one in formats if one in _OF_FORMAT]
    return known[0] if known else shape_of(field.annotation)


def shape_of(annotation: Any) -> Shape:
    """What a field of this annotation holds."""
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *marks = get_args(annotation)
        formats = [(mark.json_schema or {}).get("format") for mark in marks if isinstance(mark, WithJsonSchema)]
        known = [_OF_FORMAT[one] for one in formats if one in _OF_FORMAT]
        return known[0] if known else shape_of(inner)
    if origin in (Union, UnionType):
        return shape_of(next(part for part in get_args(annotation) if part is not type(None)))
    if origin in (list, tuple):
        return "list"
    if origin is Literal or not isinstance(annotation, type):
        return "text"
    if issubclass(annotation, BaseModel):
        return annotation
    return {bool: "boolean", int: "integer"}.get(annotation, "text")


_OF_FORMAT = {"date": "date", "date-time": "date", "decimal": "number"}


def timed(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """A row with these times, where they are known, as ISO 8601."""
    return dict(row) | {name: row[name] and row[name].isoformat() for name in names}


def type_name(entity: str) -> str:
    """`legal_entity` → `LegalEntity`."""
    return "".join(part.title() for part in entity.split("_"))


def camel(name: str) -> str:
    """`tax_id` → `taxId`, as the schema says it."""
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)


def plural(entity: str) -> str:
    """`legal_entity` → `legal_entities`."""
    return entity[:-1] + "ies" if entity.endswith("y") else entity + "s"
