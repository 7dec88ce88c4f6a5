"""What a canonical entity is made of: fields with a type, marks and a description.

An entity is a Pydantic class whose fields are declared with `field(...)`. Each field can read one
raw value on its own (`Field.read`), because a record with one bad value is still a record. Three
states of a field: *absent* (the key is missing: the system does not speak of it), *null* (None: the
system says that it is empty), *value* (in its normal form: JSON text, number, list or object).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from difflib import get_close_matches
from marshal import dumps
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic import Field as PydanticField
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from canonical.errors import UnknownField
from canonical.findings import Finding, Severity
from canonical.values.placeholders import says_nothing
from canonical.values.reading import clean

REMEMBERED = 4_096  # readings of each field; when as many are known, all are forgotten
LARGEST_REMEMBERED = 16  # parts of an object or entries of a list; larger ones rarely come twice

LARGEST_INTEGER = 10**18

Json = str | int | bool | list[Any] | dict[str, Any] | None


class CanonicalEntity(BaseModel):
    """The base of every entity. Frozen; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    entity_name: ClassVar[str]  # the entity's name everywhere: "account"
    id_prefix: ClassVar[str]  # of its golden ids: "acc"
    label_fields: ClassVar[tuple[str, ...]]  # the fields that name it for a person, the first filled one wins


@dataclass(frozen=True, slots=True)
class Marks:
    """What the rest of the house needs to know of a field, besides its type."""

    description: str
    match: bool = False  # takes part in finding the same thing elsewhere
    personal: bool = False  # says something about a person: masked, never logged
    money: bool = False  # an amount, or a list that holds amounts
    reference: str | None = None  # the entity that it points to; the value is a source key
    indexed: bool = False  # may be searched by exact value


def field(description: str, **marks: Any) -> Any:
    """Declare a field: may be absent, may be null, with its description and marks (see `Marks`)."""
    extra: dict[str, Any] = {"marks": Marks(description, **marks)}
    return PydanticField(default=None, description=description, json_schema_extra=extra)


class Field:
    """One field of an entity, ready to read raw values."""

    def __init__(self, name: str, info: FieldInfo) -> None:
        """Compile the field's reader from its annotation."""
        extra = info.json_schema_extra
        marks: object = extra.get("marks") if isinstance(extra, dict) else None
        if not isinstance(marks, Marks):
            raise TypeError(f"declare {name} with canonical.entity.field(...)")
        self.name = name
        self.marks = marks
        self.annotation = info.annotation
        self._adapter: TypeAdapter[Any] = TypeAdapter(info.rebuild_annotation())
        self._memory: dict[object, tuple[Json, Finding | None]] = {}

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of the normal form; `format` names the type ("date", "email", "country")."""
        return self._adapter.json_schema()

    def read(self, raw: object) -> tuple[Json, Finding | None]:
        """The value in its normal form, and a finding when it is doubtful or unreadable.

        Never raises on JSON. An unreadable value comes back as None *with an error finding*: the caller
        leaves the field absent then. A doubtful one comes back with a warning; one that could be read
        otherwise with an info; text that is blank, or says "nothing" where no text can stand, is null.
        Remembered per distinct raw value, since columns repeat themselves: never change what comes back.
        """
        if raw is None:
            return None, None
        try:
            key = raw if type(raw) is str else _key_of(raw)
            found = self._memory.get(key)
        except (TypeError, ValueError):  # nothing to remember it by, such as a list of decimals
            return self._read(raw)
        if found is None:
            found = self._read(raw)
            if len(self._memory) >= REMEMBERED:
                self._memory.clear()
            self._memory[key] = found
        return found

    def doubtful(self, value: Json) -> bool:
        """Whether a value in its normal form is not to be trusted: a placeholder, or a failed check digit.

        A list is doubtful when each of its entries is: one good identifier among bad ones still names.
        """
        if isinstance(value, list):
            return bool(value) and all(self._doubted([entry]) for entry in value)
        return self._doubted(value)

    @property
    def has_parts(self) -> bool:
        """Whether a value is a list or an object, whose parts may be read from codes of their own."""
        schema = self._adapter.json_schema()
        kinds = [schema, *schema.get("anyOf", ()), *schema.get("$defs", {}).values()]
        return any(one.get("type") in ("array", "object") for one in kinds)

    def _doubted(self, value: Json) -> bool:
        finding = self.read(value)[1]
        return finding is not None and finding.severity is not Severity.INFO

    def _read(self, raw: object) -> tuple[Json, Finding | None]:
        doubts: list[Finding] = []
        try:
            if isinstance(raw, str) and not clean(raw):
                return None, None
            read = self._adapter.validate_python(raw, context=doubts)
            value = self._adapter.dump_python(read, mode="json", exclude_none=True)
        except PydanticCustomError as error:
            return None, Finding(error.type, error.message(), Severity.ERROR, self.name)
        except ValidationError as error:
            return self._refused(raw, error)
        except RecursionError:
            return None, Finding("HUB-3103", "nested too deeply", Severity.ERROR, self.name)
        if isinstance(value, int) and abs(value) >= LARGEST_INTEGER:
            return None, Finding("HUB-3107", "more than 18 digits before the point", Severity.ERROR, self.name)
        if value == {} or value == "":
            value = None
        return value, self._gravest(doubts)

    def _refused(self, raw: object, error: ValidationError) -> tuple[Json, Finding | None]:
        if isinstance(raw, str) and says_nothing(clean(raw)):
            return None, Finding("HUB-3302", 'a word for "nothing", read as empty', Severity.WARNING, self.name)
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        code = first["type"] if first["type"].startswith("HUB-") else "HUB-3301"
        if code == "HUB-3302":  # the group says nothing: null, not unreadable
            return None, Finding(code, first["msg"], Severity.WARNING, self.name)
        where = "".join(f".{part}" for part in first["loc"] if isinstance(part, int | str))
        return None, Finding(code, first["msg"], Severity.ERROR, self.name + where)

    def _gravest(self, doubts: list[Finding]) -> Finding | None:
        if not doubts:
            return None
        worst = next((doubt for doubt in doubts if doubt.severity is not Severity.INFO), doubts[0])
        return replace(worst, field=self.name + (worst.field or ""))


def _key_of(raw: object) -> object:
    """What the raw value is remembered by: equal keys only for values that are read the same (1 is not True).

    Raises TypeError or ValueError when it is too large or too unusual to be remembered.
    """
    if not isinstance(raw, dict | list):
        return type(raw), raw
    if len(raw) > LARGEST_REMEMBERED:
        raise ValueError("not remembered")
    if isinstance(raw, dict):
        values = tuple(raw.values())
        try:
            hash(key := (tuple(raw), values, tuple(map(type, values))))
        except TypeError:
            return dumps(raw, 2)
        return key
    return dumps(raw, 2)


class EntityType:
    """An entity as the rest of the house uses it: its name and its fields by name."""

    def __init__(self, model: type[CanonicalEntity]) -> None:
        """Compile the fields of the Pydantic class."""
        self.model = model
        self.name = model.entity_name
        self.prefix = model.id_prefix
        self.label = model.label_fields
        self.description = (model.__doc__ or "").strip()
        self.fields = {name: Field(name, info) for name, info in model.model_fields.items()}
        self.references = {n: f.marks.reference for n, f in self.fields.items() if f.marks.reference}
        self.indexed = tuple(n for n, f in self.fields.items() if f.marks.indexed)

    def __getitem__(self, name: str) -> Field:
        """The field of that name. Raises UnknownField with the nearest name as a hint."""
        try:
            return self.fields[name]
        except KeyError:
            near = get_close_matches(name, self.fields, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else None
            raise UnknownField(f"{self.name} has no field {name!r}.", hint=hint, field=name) from None

    def label_of(self, values: dict[str, Any]) -> str:
        """What a person would call the record: the first filled label field, or nothing."""
        return next((str(values[name]) for name in self.label if values.get(name)), "")
