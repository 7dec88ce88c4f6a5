"""A declarative, strict mapping: payload → source records in canonical words.

Strict means: each field of a payload is mapped, ignored by name, or reported; a code that a table
does not list is reported; nothing is guessed. A mapping is itself a source.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from importlib.resources import files
from typing import Any

import orjson
from pydantic_core import PydanticCustomError

from adapters.base import Translation
from adapters.errors import MappingInvalid
from adapters.extract import ABSENT, UNMAPPED, Make, at, compile_from, paths_of, steps_of
from adapters.mapping_document import EntityMapping, Guard, MappingDocument, SystemFrom
from canonical.catalogue import entity as entity_named
from canonical.document import read_document
from canonical.errors import MasterDataError
from canonical.findings import Finding, Severity
from canonical.ids import SourceKey
from canonical.record import SourceRecord
from canonical.values.dates import instant

Shape = tuple[tuple[str, Any], ...]


class MappedSource:
    """A source that a mapping document describes."""

    def __init__(self, document: MappingDocument, fingerprint: str, name: str) -> None:
        """Compile the document. Raises MappingInvalid for an entity or field that does not exist."""
        self.fingerprint = fingerprint
        self.name = document.system if isinstance(document.system, str) else name
        self._system = document.system
        self._envelope = steps_of(document.envelope) if document.envelope else ()
        self.entities = tuple(dict.fromkeys(one.entity for one in document.entities))
        systems = [document.system] if isinstance(document.system, str) else list(document.system.codes.values())
        self._mapped = {system: [_EntityMap(one, system, name) for one in document.entities] for system in systems}
        self._covered = _covered(document)
        self._strays = lru_cache(maxsize=4096)(self._stray_paths)

    def translate(self, payload: Mapping[str, Any], received_at: datetime) -> Translation:
        """Every record that the payload speaks of, with findings. Never raises for what the payload holds."""
        inner = at(payload, self._envelope) if self._envelope else payload
        system = self._system if isinstance(self._system, str) else _system_of(self._system, payload)
        if system is None or not isinstance(inner, Mapping):
            message = (
                "the payload names no system that the mapping knows" if system is None else "no record in the envelope"
            )
            return Translation(system or self.name, "unknown", (), (Finding("HUB-3202", message, Severity.ERROR),))
        findings = [
            Finding("HUB-3201", f"{path} is not mapped", Severity.INFO, path) for path in self._strays(_shape(inner))
        ]
        chosen = [one for one in self._mapped[system] if one.holds(inner)]
        if not chosen:
            findings.append(Finding("HUB-3202", "the mapping has no entity for this payload", Severity.ERROR))
        records = [record for one in chosen if (record := one.record(inner, received_at, findings)) is not None]
        entity = chosen[0].entity.name if chosen else "unknown"
        return Translation(system, entity, tuple(records), tuple(findings))

    def _stray_paths(self, shape: Shape) -> tuple[str, ...]:
        """The paths of a payload of this shape that the mapping does not mention, sorted."""
        return tuple(sorted({path for path in _leaves(shape, "") if not self._is_covered(path)}))

    def _is_covered(self, path: str) -> bool:
        parts = path.split(".")
        above = any(".".join(parts[:count]) in self._covered for count in range(1, len(parts) + 1))
        return above or any(known.startswith(path + ".") for known in self._covered)  # an empty list or object


class _EntityMap:
    """How one entity is made of a payload of one system."""

    def __init__(self, mapped: EntityMapping, system: str, name: str) -> None:
        try:
            self.entity = entity_named(mapped.entity)
            self.fields = tuple(
                (self.entity[field], compile_from(made, system), getattr(made, "required", False))
                for field, made in mapped.fields.items()
            )
        except MasterDataError as error:
            raise MappingInvalid(f"{name}: {error.message}", hint=error.hint) from None
        self.system = system
        self.guards = [mapped.when] if isinstance(mapped.when, Guard) else list(mapped.when or ())
        self.key = compile_from(mapped.key, system)
        self.version = _maybe(mapped.version, system)
        self.asserted_at = _maybe(mapped.asserted_at, system)
        self.deleted = mapped.deleted
        self.replaced_by = _maybe(mapped.replaced_by, system)

    def holds(self, payload: Mapping[str, Any]) -> bool:
        """Whether the payload speaks of this entity."""
        return all(_true(guard, payload) for guard in self.guards)

    def record(self, payload: Mapping[str, Any], received_at: datetime, strays: list[Finding]) -> SourceRecord | None:
        """The record, or None with a finding added when it has no key."""
        key = self.key(payload, payload)
        if key in (ABSENT, None, "") or isinstance(key, Mapping | list):
            strays.append(Finding("HUB-3203", f"no key for {self.entity.name}", Severity.ERROR))
            return None
        findings: list[Finding] = []
        values = dict(self._values(payload, findings))
        asserted, version = self._order(payload, received_at, findings)
        successor = self.replaced_by(payload, payload) if self.replaced_by else None
        replaced_by = (
            None if successor in (ABSENT, None, "") else SourceKey(self.system, self.entity.name, str(successor))
        )
        tombstone = replaced_by is not None or (self.deleted is not None and _true(self.deleted, payload))
        content = orjson.dumps([values, tombstone, str(replaced_by)], option=orjson.OPT_SORT_KEYS)
        return SourceRecord(
            key=SourceKey(self.system, self.entity.name, str(key)),
            values=values,
            asserted_at=asserted,
            received_at=received_at,
            version=version,
            content_hash=blake2b(content, digest_size=16).digest(),
            tombstone=tombstone,
            replaced_by=replaced_by,
            findings=tuple(findings),
        )

    def _values(self, payload: Mapping[str, Any], findings: list[Finding]) -> Iterator[tuple[str, Any]]:
        for field, make, required in self.fields:
            raw = make(payload, payload)
            if raw is ABSENT:
                if required:
                    findings.append(Finding("HUB-3202", f"{field.name} is missing", Severity.ERROR, field.name))
                continue
            if isinstance(raw, str) and raw.startswith(UNMAPPED):
                message = f"the code {raw.removeprefix(UNMAPPED)[:60]!r} is not in the mapping's table"
                findings.append(Finding("HUB-3205", message, Severity.WARNING, field.name))
                continue
            value, finding = field.read(None if raw == "" else raw)
            if finding is not None:
                findings.append(finding)
            if value is not None or finding is None:
                yield field.name, value

    def _order(
        self, payload: Mapping[str, Any], received_at: datetime, findings: list[Finding]
    ) -> tuple[datetime, int | None]:
        """When the source says that it was so, and the source's own order."""
        asserted, version = received_at, None
        for name, make in (("asserted_at", self.asserted_at), ("version", self.version)):
            raw = make(payload, payload) if make else None
            if raw in (None, ABSENT, ""):
                continue
            if name == "version" and isinstance(raw, int) and not isinstance(raw, bool):
                version = raw
                continue
            try:
                moment = instant(raw)
            except PydanticCustomError:
                findings.append(Finding("HUB-3301", f"{name} is not a time", Severity.WARNING, name))
                continue
            if name == "version":
                version = int(moment.timestamp() * 1_000_000)
            else:
                asserted = moment
        return asserted, version


def load(text: str, name: str) -> MappedSource:
    """The source that a mapping describes. Raises MappingInvalid with file, line and column."""
    document = read_document(text, MappingDocument, name=name, error=MappingInvalid)
    return MappedSource(document, blake2b(text.encode(), digest_size=16).hexdigest(), name)


def shipped(system: str) -> MappedSource:
    """The mapping that comes with the hub for a system."""
    return load((files("adapters.sources") / f"{system}.yaml").read_text("utf-8"), f"{system}.yaml")


def _maybe(made: Any, system: str) -> Make | None:
    return compile_from(made, system) if made is not None else None


def _true(guard: Guard, payload: Mapping[str, Any]) -> bool:
    value = at(payload, steps_of(guard.path))
    if guard.present is not None:
        return (value not in (ABSENT, None, "")) is guard.present
    if guard.in_ is not None:
        return value in guard.in_
    return bool(value == guard.is_) or str(value).lower() == str(guard.is_).lower()


def _system_of(made: SystemFrom, payload: Mapping[str, Any]) -> str | None:
    return made.codes.get(str(at(payload, steps_of(made.path))))


def _covered(document: MappingDocument) -> frozenset[str]:
    """Every path that the mapping reads or ignores by name."""
    paths: set[str] = {path.removesuffix(".*") for path in document.ignore}
    if isinstance(document.system, SystemFrom):
        paths.add(document.system.path)
    for one in document.entities:
        paths.update(path.removesuffix(".*") for path in one.ignore)
        guards = [one.when] if isinstance(one.when, Guard) else list(one.when or ())
        paths.update(guard.path for guard in (*guards, *((one.deleted,) if one.deleted else ())))
        made = [one.key, *one.fields.values(), one.version, one.asserted_at, one.replaced_by]
        paths.update(path for part in made if part is not None for path in paths_of(part))
    return frozenset(".".join(str(step) for step in steps_of(path) if isinstance(step, str)) for path in paths)


def _shape(node: Any) -> Any:
    """What keys a payload has, without its values; hashable. A list is the set of its entries' shapes."""
    if isinstance(node, Mapping):
        return tuple(
            (name, _shape(value) if isinstance(value, Mapping | list) else None) for name, value in node.items()
        )
    return frozenset(_shape(one) for one in node if isinstance(one, Mapping))


def _leaves(shape: Shape, start: str) -> Iterator[str]:
    for name, inner in shape:
        if not inner:
            yield start + name
            continue
        for one in inner if isinstance(inner, frozenset) else (inner,):
            yield from _leaves(one, f"{start}{name}.")
