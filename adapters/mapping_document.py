"""The mapping as a person writes it: YAML, strict, one file per system. No code.

A source of a value is a path (`a.b[0].c`) or a mapping that says how the value is made.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

Path = str


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

    amount: Path
    currency: Path
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
    Annotated[str, Tag("text")]
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


for _model in (ObjectFrom, FirstOf, JoinOf, ReferenceTo, ListOf, EachOf, EntityMapping, MappingDocument):
    _model.model_rebuild()
