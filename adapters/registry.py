"""The systems that there are: the only list, and the only importer of their modules."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path

from adapters.base import Target
from adapters.errors import UnknownSystem
from adapters.mapping import MappedSource, shipped
from adapters.targets.file import FileTarget
from adapters.targets.memory import MemoryTarget

SOURCES: tuple[str, ...] = ("crm", "billing", "support", "usage", "erp")
TARGETS: dict[str, Callable[[Path], Target]] = {
    "erp": lambda folder: FileTarget("erp", folder / "erp"),
    "memory": lambda _folder: MemoryTarget("memory"),
}


@lru_cache(maxsize=32)
def source(name: str) -> MappedSource:
    """The source of that name, with its shipped mapping. Raises UnknownSystem."""
    if name not in SOURCES:
        raise UnknownSystem(f"there is no source {name!r}.", hint=_near(name, SOURCES))
    return shipped(name)


def target(name: str, folder: Path) -> Target:
    """The target of that name; what it keeps in files is under the folder. Raises UnknownSystem."""
    if name not in TARGETS:
        raise UnknownSystem(f"there is no target {name!r}.", hint=_near(name, tuple(TARGETS)))
    return TARGETS[name](folder)


def _near(name: str, known: tuple[str, ...]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known)}."
