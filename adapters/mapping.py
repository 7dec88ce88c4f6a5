"""A declarative, strict mapping: payload → source records in canonical words.

Strict means: each field of a payload is mapped, ignored by name, or reported; a code that a table
does not list is reported; nothing is guessed. A mapping is itself a source.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from importlib.resources import files
from typing import Any

import orjson
from pydantic_core import PydanticCustomError
from ruamel.yaml import YAML

from adapters.base import Translation
from adapters.code_lists import Codes, listed
from adapters.errors import MappingInvalid
from adapters.extract import ABSENT, LONGEST_KEY, Make, at, compile_from, compile_key, filled, key_text, paths_of
from adapters.mapping_document import EntityMapping, Guard, MappingDocument, Step, SystemFrom, faults, steps_of
from canonical.catalogue import entity as entity_named
from canonical.document import failure, place_of, read_document
from canonical.findings import Finding, Severity
from canonical.ids import SourceKey
from canonical.record import SourceRecord
from canonical.values.dates import instant

Shape = tuple[tuple[str, Any], ...]
Names = tuple[str, ...]  # a path without its list places
_MOST_DIGITS = 18  # of a version


class MappedSource:
    """A source that a mapping document describes."""

    def __init__(self, document: MappingDocument, text: str, name: str, codes: Codes | None = None) -> None:
        """Compile a document without faults, with what code lists add to its tables."""
        self.document, self.text, self._file = document, text, name
        self.fingerprint = blake2b(text.encode(), digest_size=16).hexdigest()  # tells its text from every other
        self.name = document.system if isinstance(document.system, str) else name
        self._system = document.system
        self._envelope = steps_of(document.envelope) if document.envelope else ()
        self.entities = tuple(dict.fromkeys(one.entity for one in document.entities))
        systems = [document.system] if isinstance(document.system, str) else list(document.system.codes.values())
        self._mapped = {
            system: [_EntityMap(listed(one, system, codes or {}), system) for one in document.entities]
            for system in systems
        }
        self._covered = _covered(document)
        self._strays = lru_cache(maxsize=4096)(self._stray_paths)

    def translate(self, payload: Mapping[str, Any], received_at: datetime) -> Translation:
        """Every record that the payload speaks of, with findings. Never raises for what the payload holds."""
        inner = at(payload, self._envelope) if self._envelope else payload
        system = self._system if isinstance(self._system, str) else _system_of(self._system, payload)
        if system is None or not isinstance(inner, Mapping):
            return Translation(system or self.name, "unknown", (), (self._lost(system),))
        findings = [
            Finding("HUB-3201", f"{path} is not mapped", Severity.INFO, path) for path in self._strays(_shape(payload))
        ]
        chosen = [one for one in self._mapped[system] if one.holds(inner)]
        if not chosen:
            findings.append(Finding("HUB-3202", "the mapping has no entity for this payload", Severity.ERROR))
        records = [record for one in chosen if (record := one.record(inner, received_at, findings)) is not None]
        entity = chosen[0].entity.name if chosen else "unknown"
        return Translation(system, entity, tuple(records), tuple(findings))

    def with_codes(self, codes: Codes) -> MappedSource:
        """The same source, reading codes with these lists beside its own tables."""
        return MappedSource(self.document, self.text, self._file, codes) if codes else self

    def _lost(self, system: str | None) -> Finding:
        if system is None and isinstance(self._system, SystemFrom):
            message = "the payload names no system that the mapping knows"
            return Finding("HUB-3202", message, Severity.ERROR, self._system.path)
        where = ".".join(str(step) for step in self._envelope)
        return Finding("HUB-3202", "there is no record in the envelope", Severity.ERROR, where)

    def _stray_paths(self, shape: Shape) -> tuple[str, ...]:
        """The paths of a payload of this shape that the mapping does not mention, sorted."""
        return tuple(sorted({".".join(path) for path in _leaves(shape, ()) if not self._is_covered(path)}))

    def _is_covered(self, path: Names) -> bool:
        above = any(path[:count] in self._covered for count in range(1, len(path) + 1))
        return above or any(known[: len(path)] == path for known in self._covered)  # an empty list or object


class _EntityMap:
    """How one entity is made of a payload of one system."""

    def __init__(self, mapped: EntityMapping, system: str) -> None:
        self.entity = entity_named(mapped.entity)
        self.fields = tuple(
            (self.entity[field], compile_from(made, system), getattr(made, "required", False))
            for field, made in mapped.fields.items()
        )
        self.system = system
        guards = [mapped.when] if isinstance(mapped.when, Guard) else list(mapped.when or ())
        self.guards = tuple(_test(guard) for guard in guards)
        self.key = compile_key(mapped.key, system)
        self.version = _maybe(mapped.version, system)
        self.asserted_at = _maybe(mapped.asserted_at, system)
        self.deleted = _test(mapped.deleted) if mapped.deleted else None
        self.only = steps_of(mapped.only) if mapped.only else ()
        self.replaced_by = compile_key(mapped.replaced_by, system) if mapped.replaced_by is not None else None

    def holds(self, payload: Mapping[str, Any]) -> bool:
        """Whether the payload speaks of this entity."""
        return all(test(payload) for test in self.guards)

    def record(self, payload: Mapping[str, Any], received_at: datetime, lost: list[Finding]) -> SourceRecord | None:
        """The record, or None with a finding added when it has no key."""
        raw = self.key(payload, payload, [])
        key = key_text(raw)
        if key is None:
            long = f"; a key has at most {LONGEST_KEY} characters" if isinstance(raw, str) and raw.strip() else ""
            lost.append(Finding("HUB-3203", f"no key for {self.entity.name}{long}", Severity.ERROR))
            return None
        findings: list[Finding] = []
        replaced_by = self._successor(payload, key)
        tombstone = replaced_by is not None or (self.deleted is not None and self.deleted(payload))
        values = self._values(payload, findings, whole=not tombstone)
        asserted, version = self._order(payload, received_at, findings)
        content = orjson.dumps([values, tombstone, str(replaced_by)], option=orjson.OPT_SORT_KEYS)
        return SourceRecord(
            key=SourceKey(self.system, self.entity.name, key),
            values=values,
            asserted_at=asserted,
            received_at=received_at,
            version=version,
            content_hash=blake2b(content, digest_size=16).digest(),
            tombstone=tombstone,
            replaced_by=replaced_by,
            findings=tuple(findings),
        )

    def _successor(self, payload: Mapping[str, Any], key: str) -> SourceKey | None:
        """The key that took over; a record that names itself is not replaced."""
        successor = key_text(self.replaced_by(payload, payload, [])) if self.replaced_by else None
        return None if successor in (None, key) else SourceKey(self.system, self.entity.name, str(successor))

    def _values(self, payload: Mapping[str, Any], findings: list[Finding], *, whole: bool) -> dict[str, Any]:
        """The fields that the payload speaks of. What is gone (not `whole`) need not say what is required."""
        values: dict[str, Any] = {}
        codes: list[str] = []
        only = at(payload, self.only) if self.only else ABSENT
        for field, make, required in self.fields:
            if isinstance(only, list) and field.name not in only:
                continue
            raw = make(payload, payload, codes)
            if codes:
                findings.extend(_unlisted(code, field.name) for code in codes)
                codes.clear()
            elif required and whole and not filled(raw):
                findings.append(Finding("HUB-3202", f"{field.name} is missing", Severity.ERROR, field.name))
            if raw is ABSENT:
                continue
            value, finding = field.read(None if raw == "" else raw)
            if finding is not None:
                findings.append(finding)
            if value is not None or finding is None or finding.severity is not Severity.ERROR:
                values[field.name] = value
        return values

    def _order(
        self, payload: Mapping[str, Any], received_at: datetime, findings: list[Finding]
    ) -> tuple[datetime, int | None]:
        """When the source says that it was so, and the source's own order."""
        asserted, version = received_at, None
        said = self.asserted_at(payload, payload, []) if self.asserted_at else ABSENT
        if filled(said):
            asserted = _moment(said, "asserted_at", findings) or received_at
        said = self.version(payload, payload, []) if self.version else ABSENT
        if filled(said):
            version = _whole_number(said)
            if version is None and (moment := _moment(said, "version", findings)):
                version = int(moment.timestamp() * 1_000_000)
        return asserted, version


def load(text: str, name: str) -> MappedSource:
    """The source that a mapping describes. Raises MappingInvalid with file, line and column."""
    document = read_document(text, MappingDocument, name=name, error=MappingInvalid)
    for path, words in faults(document):
        raise failure(MappingInvalid, name, place_of(YAML(typ="rt").load(text), path), words)
    return MappedSource(document, text, name)


def shipped(system: str) -> MappedSource:
    """The mapping that comes with the hub for a system."""
    return load((files("adapters.sources") / f"{system}.yaml").read_text("utf-8"), f"{system}.yaml")


def _maybe(made: Any, system: str) -> Make | None:
    return compile_from(made, system) if made is not None else None


def _test(guard: Guard) -> Callable[[Mapping[str, Any]], bool]:
    """The guard as a function. Values are compared as text in small letters: a CSV knows no true."""
    steps = steps_of(guard.path)
    if guard.present is not None:
        return lambda payload: filled(at(payload, steps)) is guard.present
    wanted = {_word(one) for one in ([guard.is_] if guard.in_ is None else guard.in_)}
    return lambda payload: _word(at(payload, steps)) in wanted


def _word(value: Any) -> str | None:
    if value is ABSENT:
        return "\0"  # equal to nothing that a mapping can say
    return None if value is None else str(value).lower()


def _unlisted(code: str, field: str) -> Finding:
    return Finding("HUB-3205", f"no list explains the code {code[:60]!r}", Severity.WARNING, field, code[:200])


def _whole_number(raw: Any) -> int | None:
    if isinstance(raw, str) and len(raw) <= _MOST_DIGITS and raw.isascii() and raw.isdigit():
        return int(raw)
    return raw if isinstance(raw, int) and not isinstance(raw, bool) else None


def _moment(raw: Any, name: str, findings: list[Finding]) -> datetime | None:
    try:
        return instant(raw)
    except PydanticCustomError:
        findings.append(Finding("HUB-3301", f"{name} is not a time", Severity.WARNING, name))
        return None


def _system_of(made: SystemFrom, payload: Mapping[str, Any]) -> str | None:
    return made.codes.get(str(at(payload, steps_of(made.path))))


def _covered(document: MappingDocument) -> frozenset[Names]:
    """Every path of the payload that the mapping reads or ignores by name."""
    inside: set[tuple[Step, ...]] = set()
    ignored = [*document.ignore, *(path for one in document.entities for path in one.ignore)]
    inside.update(steps_of(path.removesuffix(".*")) for path in ignored)
    for one in document.entities:
        guards = [one.when] if isinstance(one.when, Guard) else list(one.when or ())
        inside.update(steps_of(guard.path) for guard in (*guards, *((one.deleted,) if one.deleted else ())))
        made = [one.key, *one.fields.values(), one.version, one.asserted_at, one.replaced_by]
        inside.update(path for part in made if part is not None for path in paths_of(part))
        inside.update([steps_of(one.only)] if one.only else ())
    paths = {(*steps_of(document.envelope), *path) for path in inside} if document.envelope else inside
    if document.envelope:
        paths |= {steps_of(path.removesuffix(".*")) for path in document.ignore}
    if isinstance(document.system, SystemFrom):
        paths.add(steps_of(document.system.path))
    return frozenset(tuple(step for step in path if isinstance(step, str)) for path in paths)


def _shape(node: Any) -> Any:
    """What keys a payload has, without its values; hashable. A list is the set of its entries' shapes."""
    if isinstance(node, dict):
        return tuple(
            [(name, _shape(value) if isinstance(value, dict | list) else None) for name, value in node.items()]
        )
    return frozenset(_shape(one) for one in node if isinstance(one, dict))


def _leaves(shape: Shape, start: Names) -> Iterator[Names]:
    for name, inner in shape:
        if not inner:
            yield (*start, name)
            continue
        for one in inner if isinstance(inner, frozenset) else (inner,):
            yield from _leaves(one, (*start, name))
