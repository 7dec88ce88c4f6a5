"""Paths and value makers: each `From` of a mapping document compiled once into a function.

A function takes the payload, the entry it starts at and a list for codes that no table lists; it gives
a raw value, or ABSENT when the payload does not speak of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from adapters import mapping_document as doc
from adapters.mapping_document import Step, steps_of

ABSENT: Any = type("Absent", (), {"__repr__": lambda _: "ABSENT", "__bool__": lambda _: False})()
Entry = Mapping[str, Any]
Make = Callable[[Entry, Entry, list[str]], Any]
LONGEST_KEY = 512  # characters; what a unique index of every store takes


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


def filled(value: Any) -> bool:
    """Whether a raw value says something: it is there, not null and not an empty text."""
    return value is not ABSENT and value is not None and value != ""


def compile_from(made: Any, system: str) -> Make:  # noqa: C901 (one line a kind)
    """The function that makes a value as the document says."""
    match made:
        case str():
            return _path(made)
        case doc.FromPath():
            return _from_path(made)
        case doc.Constant():
            return lambda _payload, _entry, _codes: made.constant
        case doc.MoneyFrom():
            return _money(made.money, system)
        case doc.ObjectFrom():
            return _object({name: compile_from(part, system) for name, part in made.object.items()}, made.needs)
        case doc.FirstOf():
            return _first([compile_from(part, system) for part in made.first])
        case doc.JoinOf():
            return _join([compile_from(part, system) for part in made.join], made.with_)
        case doc.ReferenceTo():
            return _reference(compile_key(made.key, system), f"{made.system or system}:{made.reference}:")
        case doc.ListOf():
            return _list([_entry(entry, system) for entry in made.list])
        case doc.EachOf():
            return _each(steps_of(made.each), _object({n: compile_from(p, system) for n, p in made.as_.items()}))
    raise TypeError(made)


def key_text(raw: Any) -> str | None:
    """A source's key as text, raw; None for what cannot be one: blank, too long, a list, an object, yes or no."""
    if isinstance(raw, str):
        text = raw
    elif isinstance(raw, int) and not isinstance(raw, bool):
        text = str(raw)
    elif isinstance(raw, Decimal):
        text = f"{raw:f}"
    else:
        return None
    return text if text.strip() and len(text) <= LONGEST_KEY else None


def compile_key(made: Any, system: str) -> Make:
    """Like `compile_from`, but a joined key needs all its parts: half a key is another record's."""
    if not isinstance(made, doc.JoinOf):
        return compile_from(made, system)
    parts, between = [compile_from(part, system) for part in made.join], made.with_

    def make(payload: Entry, entry: Entry, codes: list[str]) -> Any:
        found = [key_text(part(payload, entry, codes)) for part in parts]
        return ABSENT if None in found else between.join(str(text).strip() for text in found)

    return make


def paths_of(made: Any, start: tuple[Step, ...] = ()) -> Iterator[tuple[Step, ...]]:  # noqa: C901 (one line a kind)
    """Every path of the payload that the value is made of."""
    parts: list[Any] = []
    match made:
        case str():
            yield steps_of(made[2:]) if made.startswith("$.") else start + steps_of(made)
        case doc.FromPath():
            parts = [made.path]
        case doc.MoneyFrom():
            parts = [made.money.amount, made.money.currency]
        case doc.ObjectFrom():
            parts = list(made.object.values())
        case doc.FirstOf():
            parts = made.first
        case doc.JoinOf():
            parts = made.join
        case doc.ReferenceTo():
            parts = [made.key]
        case doc.ListOf():
            parts = [part for entry in made.list for part in entry.values()]
        case doc.EachOf():
            yield (inner := start + steps_of(made.each))
            for part in made.as_.values():
                yield from paths_of(part, inner)
    for part in parts:
        yield from paths_of(part, start)


def _path(path: str) -> Make:
    if path.startswith("$."):
        outer = steps_of(path[2:])
        return lambda payload, _entry, _codes: at(payload, outer)
    steps = steps_of(path)
    match steps:
        case (str(name),):
            return lambda _payload, entry, _codes: entry.get(name, ABSENT)
        case _:
            return lambda _payload, entry, _codes: at(entry, steps)


def _from_path(made: doc.FromPath) -> Make:
    get = _path(made.path)
    if made.empty == "absent":
        get = _unless_empty(get)
    if made.split is not None:
        get = _part_of(get, made.split, made.take)
    return get if made.codes is None else _translated(get, made)


def _unless_empty(get: Make) -> Make:
    def make(payload: Entry, entry: Entry, codes: list[str]) -> Any:
        raw = get(payload, entry, codes)
        return ABSENT if isinstance(raw, str) and not raw.strip() else raw

    return make


def _part_of(get: Make, split: str, take: int) -> Make:
    def make(payload: Entry, entry: Entry, codes: list[str]) -> Any:
        raw = get(payload, entry, codes)
        if not isinstance(raw, str):
            return raw
        parts = raw.split(split)
        return parts[take].strip() if -len(parts) <= take < len(parts) else None

    return make


def _translated(get: Make, made: doc.FromPath) -> Make:
    table = made.codes or {}
    table |= {name.lower(): table[name] for name in ("True", "False") if name in table}  # unquoted in the YAML
    otherwise = made.otherwise if "otherwise" in made.model_fields_set else ABSENT

    def make(payload: Entry, entry: Entry, codes: list[str]) -> Any:
        raw = get(payload, entry, codes)
        if not filled(raw):
            return raw
        word = str(raw).lower() if isinstance(raw, bool) else str(raw)
        found = table.get(word, otherwise)
        if found is ABSENT:
            codes.append(word if isinstance(raw, str | int) else f"a {type(raw).__name__}")
        return found

    return make


def _money(made: doc.MoneyOf, system: str) -> Make:
    amount, currency = compile_from(made.amount, system), compile_from(made.currency, system)
    minor = {"minor": True} if made.minor else {}

    def make(payload: Entry, entry: Entry, codes: list[str]) -> Any:
        number = amount(payload, entry, codes)
        if not filled(number):
            return number if number is ABSENT else None
        code = currency(payload, entry, codes)
        return {"amount": number, "currency": None if code is ABSENT else code, **minor}

    return make


def _object(parts: Mapping[str, Make], needs: str | None = None) -> Make:
    items = tuple(parts.items())

    def make(payload: Entry, entry: Entry, codes: list[str]) -> Any:
        found = {name: value for name, part in items if (value := part(payload, entry, codes)) is not ABSENT}
        if not found:
            return ABSENT
        kept = {name: value for name, value in found.items() if filled(value)}
        if needs is not None and needs not in kept:
            return None if needs in found else ABSENT
        return kept or None

    return make


def _first(parts: list[Make]) -> Make:
    def make(payload: Entry, entry: Entry, codes: list[str]) -> Any:
        found = ABSENT
        for part in parts:
            value = part(payload, entry, codes)
            if filled(value):
                return value
            found = value if found is ABSENT else found
        return found

    return make


def _join(parts: list[Make], between: str) -> Make:
    def make(payload: Entry, entry: Entry, codes: list[str]) -> Any:
        found = [value for part in parts if (value := part(payload, entry, codes)) is not ABSENT]
        if not found:
            return ABSENT
        return between.join(str(value).strip() for value in found if filled(value)) or None

    return make


def _reference(key: Make, start: str) -> Make:
    def make(payload: Entry, entry: Entry, codes: list[str]) -> Any:
        value = key(payload, entry, codes)
        if not filled(value):
            return value if value is ABSENT else None
        text = key_text(value)
        return value if text is None else f"{start}{text}"  # what is no key is unreadable as a reference, too

    return make


def _entry(parts: Mapping[str, Any], system: str) -> Make:
    """An entry made of named places; absent when only constants are there, or but one of its parts."""
    make_entry = _object({name: compile_from(part, system) for name, part in parts.items()})
    said = [name for name, part in parts.items() if not isinstance(part, doc.Constant)]
    fewest = min(2, len(parts))

    def make(payload: Entry, entry: Entry, codes: list[str]) -> Any:
        found = make_entry(payload, entry, codes)
        return found if found and len(found) >= fewest and any(name in found for name in said) else ABSENT

    return make


def _list(entries: list[Make]) -> Make:
    def make(payload: Entry, entry: Entry, codes: list[str]) -> Any:
        return [value for part in entries if (value := part(payload, entry, codes)) is not ABSENT] or ABSENT

    return make


def _each(steps: tuple[Step, ...], make_entry: Make) -> Make:
    def make(payload: Entry, entry: Entry, codes: list[str]) -> Any:
        found = at(entry, steps)
        if not isinstance(found, list):
            return found  # absent, null, or what the field's own type says is wrong
        made = (make_entry(payload, one, codes) if isinstance(one, Mapping) else one for one in found)
        return [one for one in made if one is not ABSENT and one is not None]

    return make
