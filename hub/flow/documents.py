"""How two rule documents differ, in the words of the document, so that a person sees what was changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rules.document import RuleDocument

Change = tuple[str, Any, Any]  # path, before, after
NAMED = ("id", "name")  # what tells the entries of a list apart


def difference(before: RuleDocument, after: RuleDocument) -> list[Change]:
    """Each place that is not the same: its path, what it said, what it says."""
    return list(_walk("", _plain(before), _plain(after)))


def _plain(document: RuleDocument) -> dict[str, Any]:
    """The document as it is compared: of a fitted model its weights and bands, not what it has counted."""
    found = document.model_dump(mode="json", by_alias=True)
    fitted = found["matching"]["fitted"]
    if fitted is not None:
        found["matching"]["fitted"] = {name: fitted[name] for name in ("records", "seed", "prior", "levels", "sparing")}
    return found


def _walk(path: str, before: Any, after: Any) -> Iterator[Change]:
    one, other = _named(before), _named(after)
    if isinstance(one, dict) and isinstance(other, dict):
        for name in dict.fromkeys((*one, *other)):
            yield from _walk(f"{path}.{name}" if path else name, one.get(name), other.get(name))
        if list(one) != list(other) and sorted(one) == sorted(other) and isinstance(before, list):
            yield f"{path} (order)", list(one), list(other)
    elif before != after:
        yield path, before, after


def _named(value: Any) -> Any:
    """A list of parts as a mapping by their names, or by their places where they have none."""
    if isinstance(value, list) and value and all(isinstance(entry, Mapping) for entry in value):
        for name in NAMED:
            keys = [entry.get(name) for entry in value]
            if all(isinstance(key, str) for key in keys) and len(set(keys)) == len(keys):
                return dict(zip(keys, value, strict=True))
        return {str(place): entry for place, entry in enumerate(value, 1)}
    return value
