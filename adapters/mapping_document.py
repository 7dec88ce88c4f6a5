"""The mapping as a person writes it: YAML, strict, one file per system. No code.

A source of a value is a path (`a.b[0].c`) or a mapping that says how the value is made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag

from canonical.catalogue import ENTITIES
from canonical.entity import Field as CanonicalField
from canonical.findings import Severity

Step = str | int
_STEP = re.compile(r'"(?P<quoted>[^"]+)"|(?P<name>[^.\[\]"]+)|\[(?P<place>-?\d+)\]')
_PATH = re.compile(r'(?:\$\.)?(?:"[^"]+"|[^.\[\]"]+)(?:\.(?:"[^"]+"|[^.\[\]"]+)|\[-?\d+\])*')


@lru_cache(maxsize=4096)
def steps_of(path: str) -> tuple[Step, ...]:
    """The keys and list places of a path such as `lines.data[0].id`, or `"a key with a dot.in it".id`."""
    return tuple(int(one["place"]) if one["place"] else one["quoted"] or one["name"] for one in _STEP.finditer(path))


def _sound_path(path: str) -> str:
    if not _PATH.fullmatch(path):
        raise ValueError("expected a path such as lines.data[0].id; a key with a dot in it stands in double quotes")
    return path


Path = Annotated[str, AfterValidator(_sound_path)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Guard(_Part):
    """True for payloads whose value at the path is this, is one of these, or is there at all."""

    path: Path
    is_: Any = Field(default=None, alias="is")
    in_: list[Any] | None = Field(default=None, alias="in")
    present: bool | None = None


class FromPath(_Part):
    """The value at a path, perhaps through a code table."""

    path: Path
    required: bool = False
    codes: dict[str, Any] | None = Field(default=None, description="Source code → canonical code")
    otherwise: Any = Field(default=None, description="For codes that the table does not list")
    empty: Literal["null", "absent"] = "null"
    split: str | None = Field(default=None, description="Take the part of a text before or after this: see `take`")
    take: int = Field(default=0, description="Which part of a split text, from 0; -1 is the last")


class Constant(_Part):
    """Always this value."""

    constant: Any


class MoneyOf(_Part):
    """An amount with its currency; `minor` when the amount counts the smallest unit."""

    amount: From
    currency: From
    minor: bool = False


class MoneyFrom(_Part):
    """A money amount."""

    money: MoneyOf


class ObjectFrom(_Part):
    """A value with parts, such as an address; absent when no part is there."""

    object: dict[str, From]
    needs: str | None = Field(default=None, description="The part without which there is no value at all")


class FirstOf(_Part):
    """The first of these that is filled."""

    first: list[From]


class JoinOf(_Part):
    """The filled ones of these as one text."""

    join: list[From]
    with_: str = Field(default=" ", alias="with")


class ReferenceTo(_Part):
    """The source key of another record of the same or another system."""

    reference: str
    key: From
    system: str | None = None


class ListOf(_Part):
    """A list with these entries; entries without a value are left out."""

    list: list[dict[str, From]]


class EachOf(_Part):
    """A list with one entry for each entry of a list in the payload.

    Paths inside start at the entry; `$.` starts at the payload.
    """

    each: Path
    as_: dict[str, From] = Field(alias="as")


def _kind(raw: Any) -> str:
    if isinstance(raw, str):
        return "text"
    keys = raw.keys() if isinstance(raw, dict) else raw.model_fields_set
    return next((word for word in _KINDS if word in keys), "path")


_KINDS = ("constant", "money", "object", "first", "join", "reference", "list", "each")
From = Annotated[
    Annotated[Path, Tag("text")]
    | Annotated[FromPath, Tag("path")]
    | Annotated[Constant, Tag("constant")]
    | Annotated[MoneyFrom, Tag("money")]
    | Annotated[ObjectFrom, Tag("object")]
    | Annotated[FirstOf, Tag("first")]
    | Annotated[JoinOf, Tag("join")]
    | Annotated[ReferenceTo, Tag("reference")]
    | Annotated[ListOf, Tag("list")]
    | Annotated[EachOf, Tag("each")],
    Discriminator(_kind),
]


class EntityMapping(_Part):
    """How one entity is found in a payload."""

    entity: str
    when: list[Guard] | Guard | None = None
    key: From
    version: Path | None = None
    asserted_at: Path | None = None
    deleted: Guard | None = None
    replaced_by: From | None = None
    only: Path | None = Field(default=None, description="Where a payload names the fields that it is a word about")
    fields: dict[str, From]
    ignore: list[Path] = []


class SystemFrom(_Part):
    """The system stands in the payload."""

    path: Path
    codes: dict[str, str]


class MappingDocument(_Part):
    """A system and the entities that it speaks of."""

    system: str | SystemFrom
    envelope: Path | None = Field(default=None, description="Where the record is, in a payload that wraps it")
    entities: list[EntityMapping]
    ignore: list[Path] = []


for _model in (
    MoneyOf,
    MoneyFrom,
    ObjectFrom,
    FirstOf,
    JoinOf,
    ReferenceTo,
    ListOf,
    EachOf,
    EntityMapping,
    MappingDocument,
):
    _model.model_rebuild()

Fault = tuple[tuple[str | int, ...], str]  # where in the document, and what is wrong there
_RAW_PARTS = {"end": "last", "currency": "minor"}  # parts that are only read, beside the one that they belong to


def faults(document: MappingDocument) -> Iterator[Fault]:
    """What the document names that canonical entities do not have, or would not take."""
    for number, one in enumerate(document.entities):
        where = ("entities", number)
        entity = ENTITIES.get(one.entity)
        if entity is None:
            yield (*where, "entity"), f"there is no entity {one.entity!r}.{_near(one.entity, ENTITIES)}"
            continue
        guards = one.when if isinstance(one.when, list) else [one.when]
        if any(guard and len(guard.model_fields_set - {"path"}) != 1 for guard in guards):
            yield (*where, "when"), "give one of `is`, `in` and `present`."
        if one.deleted and len(one.deleted.model_fields_set - {"path"}) != 1:
            yield (*where, "deleted"), "give one of `is`, `in` and `present`."
        if isinstance(one.key, Constant):
            yield (*where, "key"), "a constant key would make all records one."
        for name, made in one.fields.items():
            if name in entity.fields:
                yield from _field_faults(made, entity.fields[name], (*where, "fields", name))
            else:
                yield (*where, "fields", name), f"{one.entity} has no field {name!r}.{_near(name, entity.fields)}"


def _field_faults(  # noqa: C901 (one line a kind)
    made: Any, field: CanonicalField, where: tuple[str | int, ...]
) -> Iterator[Fault]:
    wanted = field.marks.reference
    match made:
        case FirstOf():
            for number, part in enumerate(made.first):
                yield from _field_faults(part, field, (*where, "first", number))
        case ReferenceTo() if made.reference != wanted:
            told = f"points to {wanted}" if wanted else "is no reference"
            yield (*where, "reference"), f"{field.name} {told}, not {made.reference!r}."
        case str() | FromPath() | JoinOf() if wanted:
            yield where, f"{field.name} points to {wanted}: write {{reference: {wanted}, key: PATH}}."
        case FromPath() if made.codes:
            for code, value in made.codes.items():
                yield from _value_faults(value, field, (*where, "codes", code))
        case Constant():
            yield from _value_faults(made.constant, field, (*where, "constant"))
        case ObjectFrom():
            yield from _part_faults(made.object, _inside(field.schema, "properties"), (*where, "object"))
        case EachOf() | ListOf():
            entries = [("as", made.as_)] if isinstance(made, EachOf) else list(enumerate(made.list))
            start = where if isinstance(made, EachOf) else (*where, "list")
            known = _inside(_inside(field.schema, "items"), "properties", field.schema)
            for name, parts in entries:
                yield from _part_faults(parts, known, (*start, name))


def _value_faults(value: Any, field: CanonicalField, where: tuple[str | int, ...]) -> Iterator[Fault]:
    finding = field.read(value)[1]
    if finding is not None and finding.severity is Severity.ERROR:
        known = _inside(field.schema, "enum") or ()
        yield where, f"{field.name} does not take {value!r}: {finding.message}.{_near(str(value), known)}"


def _part_faults(parts: Mapping[str, Any], known: Any, where: tuple[str | int, ...]) -> Iterator[Fault]:
    """Parts that the value does not have; nothing can be said where its schema lists none."""
    if not known:
        return
    taken = {*known, *(raw for part, raw in _RAW_PARTS.items() if part in known)}
    for name in parts:
        if name not in taken:
            yield (*where, name), f"there is no part {name!r}.{_near(name, taken)}"


def _inside(schema: Any, word: str, root: Any = None) -> Any:
    """What stands under the word in a JSON schema, looking through choices and references; or None."""
    root = schema if root is None else root
    if not isinstance(schema, dict):
        return None
    if word in schema:
        return schema[word]
    if "$ref" in schema:
        return _inside(root["$defs"][schema["$ref"].rpartition("/")[2]], word, root)
    return next((found for one in schema.get("anyOf", ()) if (found := _inside(one, word, root))), None)


def _near(name: str, known: Any) -> str:
    near = get_close_matches(name, [str(one) for one in known], n=1)
    return f" Did you mean {near[0]!r}?" if near else ""
