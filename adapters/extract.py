"""Paths and value makers: each `From` of a mapping document compiled once into a function.

A function takes the payload and the entry it starts at, and gives a raw value, or ABSENT when the
payload does not speak of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from adapters import mapping_document as doc

ABSENT: Any = type("Absent", (), {"__repr__": lambda _: "ABSENT", "__bool__": lambda _: False})()
UNMAPPED = "\0unmapped "  # marks a code that the table does not list, for the caller to report
Make = Callable[[Mapping[str, Any], Mapping[str, Any]], Any]
Step = str | int
_STEP = re.compile(r"([^.\[\]]+)|\[(-?\d+)\]")


def steps_of(path: str) -> tuple[Step, ...]:
    """The keys and list places of a path such as `lines.data[0].id`."""
    return tuple(int(place) if place else name for name, place in _STEP.findall(path))


def at(node: Any, steps: tuple[Step, ...]) -> Any:
    """What stands at the end of the steps, or ABSENT."""
    for step in steps:
        if isinstance(step, str):
            if not isinstance(node, Mapping) or step not in node:
                return ABSENT
            node = node[step]
        elif isinstance(node, list) and -len(node) <= step < len(node):
            node = node[step]
        else:
            return ABSENT
    return node


def compile_from(made: Any, system: str) -> Make:  # noqa: C901 (one line a kind)
    """The function that makes a value as the document says."""
    match made:
        case str():
            return _path(made)
        case doc.FromPath():
            return _from_path(made)
        case doc.Constant():
            return lambda _payload, _entry: made.constant
        case doc.MoneyFrom():
            return _money(made.money)
        case doc.ObjectFrom():
            return _object({name: compile_from(part, system) for name, part in made.object.items()}, made.needs)
        case doc.FirstOf():
            return _first([compile_from(part, system) for part in made.first])
        case doc.JoinOf():
            return _join([compile_from(part, system) for part in made.join], made.with_)
        case doc.ReferenceTo():
            return _reference(compile_from(made.key, system), f"{made.system or system}:{made.reference}:")
        case doc.ListOf():
            return _list([_object({n: compile_from(p, system) for n, p in entry.items()}) for entry in made.list])
        case doc.EachOf():
            return _each(steps_of(made.each), _object({n: compile_from(p, system) for n, p in made.as_.items()}))
    raise TypeError(made)


def paths_of(made: Any, start: str = "") -> Iterator[str]:  # noqa: C901 (one line a kind)
    """Every path of the payload that the value is made of, without list places."""
    match made:
        case str():
            yield made[2:] if made.startswith("$.") else start + made
        case doc.FromPath():
            yield from paths_of(made.path, start)
        case doc.MoneyFrom():
            yield from paths_of(made.money.amount, start)
            yield from paths_of(made.money.currency, start)
        case doc.ObjectFrom():
            for part in made.object.values():
                yield from paths_of(part, start)
        case doc.FirstOf():
            for part in made.first:
                yield from paths_of(part, start)
        case doc.JoinOf():
            for part in made.join:
                yield from paths_of(part, start)
        case doc.ReferenceTo():
            yield from paths_of(made.key, start)
        case doc.ListOf():
            for entry in made.list:
                for part in entry.values():
                    yield from paths_of(part, start)
        case doc.EachOf():
            yield start + made.each
            for part in made.as_.values():
                yield from paths_of(part, f"{start}{made.each}.")


def _path(path: str) -> Make:
    if path.startswith("$."):
        outer = steps_of(path[2:])
        return lambda payload, _entry: at(payload, outer)
    steps = steps_of(path)
    if len(steps) == 1 and isinstance(steps[0], str):
        name = steps[0]
        return lambda _payload, entry: entry.get(name, ABSENT)
    return lambda _payload, entry: at(entry, steps)


def _from_path(made: doc.FromPath) -> Make:
    get = _path(made.path)
    codes, otherwise = made.codes, made.otherwise

    def make(payload: Mapping[str, Any], entry: Mapping[str, Any]) -> Any:
        raw = get(payload, entry)
        if raw == "" and made.empty == "absent":
            return ABSENT
        if made.split is not None and isinstance(raw, str):
            parts = raw.split(made.split)
            raw = parts[made.take].strip() if -len(parts) <= made.take < len(parts) else None
        if codes is None or raw in (None, ABSENT, ""):
            return raw
        word = str(raw).lower() if isinstance(raw, bool) else str(raw)
        return codes.get(word, otherwise if otherwise is not None else UNMAPPED + word)

    return make


def _money(made: doc.MoneyOf) -> Make:
    amount, currency = _path(made.amount), _path(made.currency)

    def make(payload: Mapping[str, Any], entry: Mapping[str, Any]) -> Any:
        number = amount(payload, entry)
        if number is ABSENT or number in (None, ""):
            return number if number is ABSENT else None
        code = currency(payload, entry)
        found = {"amount": number, "currency": None if code is ABSENT else code}
        return found | {"minor": True} if made.minor else found

    return make


def _object(parts: Mapping[str, Make], needs: str | None = None) -> Make:
    items = tuple(parts.items())

    def make(payload: Mapping[str, Any], entry: Mapping[str, Any]) -> Any:
        found = {name: value for name, part in items if (value := part(payload, entry)) is not ABSENT}
        if not found:
            return ABSENT
        filled = {name: value for name, value in found.items() if value not in (None, "")}
        if needs is not None and needs not in filled:
            return None if needs in found else ABSENT
        return filled or None

    return make


def _first(parts: list[Make]) -> Make:
    def make(payload: Mapping[str, Any], entry: Mapping[str, Any]) -> Any:
        found = ABSENT
        for part in parts:
            value = part(payload, entry)
            if value is not ABSENT and value not in (None, ""):
                return value
            found = value if found is ABSENT else found
        return found

    return make


def _join(parts: list[Make], between: str) -> Make:
    def make(payload: Mapping[str, Any], entry: Mapping[str, Any]) -> Any:
        found = [value for part in parts if (value := part(payload, entry)) is not ABSENT]
        if not found:
            return ABSENT
        return between.join(str(value).strip() for value in found if value not in (None, "")) or None

    return make


def _reference(key: Make, start: str) -> Make:
    def make(payload: Mapping[str, Any], entry: Mapping[str, Any]) -> Any:
        value = key(payload, entry)
        if value is ABSENT:
            return ABSENT
        return None if value in (None, "") else f"{start}{value}"

    return make


def _list(entries: list[Make]) -> Make:
    """Entries of a list; one that lacks what gives it sense (only constants are there) is left out."""

    def make(payload: Mapping[str, Any], entry: Mapping[str, Any]) -> Any:
        made = [value for part in entries if (value := part(payload, entry)) not in (ABSENT, None)]
        kept = [value for value in made if "value" not in value or value["value"] not in (None, "")]
        return [value for value in kept if "value" in value or len(value) > 1] or ABSENT

    return make


def _each(steps: tuple[Step, ...], make_entry: Make) -> Make:
    def make(payload: Mapping[str, Any], entry: Mapping[str, Any]) -> Any:
        found = at(entry, steps)
        if found is ABSENT or found is None:
            return found
        if not isinstance(found, list):
            return found  # the field's own type says what is wrong with it
        made = (make_entry(payload, one) if isinstance(one, Mapping) else one for one in found)
        return [one for one in made if one is not ABSENT and one is not None]

    return make
