"""The systems that there are: the only list, and the only importer of their modules."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from functools import lru_cache, partial
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, RootModel

from adapters.base import Connection, Target
from adapters.errors import ConnectionInvalid, UnknownSystem
from adapters.mapping import MappedSource, load, shipped
from adapters.targets import business_central, drop, netsuite, odoo, sap
from adapters.targets.file import FileTarget
from adapters.targets.memory import MemoryTarget
from adapters.targets.tryton import TrytonTarget
from adapters.targets.tryton.rpc import Tryton
from adapters.transport import Throttle, Transport, manners_of
from canonical.document import read_document

SOURCES: tuple[str, ...] = ("crm", "billing", "support", "usage", "erp")
EMBEDDED = {"erp": "file", "memory": "memory"}  # target name → kind, where nothing is configured
KINDS: dict[str, Callable[[Connection], Target]] = {
    "business_central": lambda made: business_central.connect(made),
    "drop": lambda made: drop.connect(made),
    "file": lambda made: FileTarget(made.name, made.folder / made.name),
    "memory": lambda made: MemoryTarget(made.name),
    "netsuite": lambda made: netsuite.connect(made),
    "odoo": lambda made: odoo.connect(made),
    "sap": lambda made: sap.connect(made),
    "tryton": lambda made: _tryton(made),
}


class _Entry(BaseModel):
    """One target as the document says it: its kind, and the options that the kind knows."""

    model_config = ConfigDict(extra="allow")
    kind: str


class _Targets(RootModel[dict[str, _Entry]]):
    """The document: targets by name."""


def connections(folder: Path) -> dict[str, Connection]:
    """The configured targets by name: those of `targets.yaml` in the folder, else the embedded ERP.

    Each entry is `NAME: {kind: KIND, option: value, ...}`; `${VARIABLE}` in a value is read from the
    environment, so that no secret stands in the file. Raises ConnectionInvalid.
    """
    path = folder / "targets.yaml"
    if not path.exists():
        return {name: Connection(name, kind, folder) for name, kind in EMBEDDED.items()}
    said = read_document(path.read_text("utf-8"), _Targets, name=path.name, error=ConnectionInvalid)
    return {name: _connection(name, one.kind, one.model_extra or {}, folder) for name, one in said.root.items()}


def _tryton(made: Connection) -> Target:
    """`{kind: tryton, url, database, user, password}`, and accounts to book on. Raises ConnectionInvalid."""
    options = dict(made.options)
    missing = [name for name in ("url", "database", "user", "password") if not options.get(name)]
    if missing:
        raise ConnectionInvalid(f"target {made.name}: `{missing[0]}` is missing.", target=made.name)
    url, database, user, password = (str(options.pop(name)) for name in ("url", "database", "user", "password"))
    transport = Transport(made.name, url, manners_of(options))
    wire = ("timeout", "rate", "burst", "manners", "pace")
    own = {name: value for name, value in options.items() if name not in wire}
    return TrytonTarget(made.name, Tryton(transport, database, user, password), own)


def _connection(name: str, kind: str, options: Mapping[str, Any], folder: Path) -> Connection:
    if kind not in KINDS:
        raise ConnectionInvalid(
            f"target {name}: there is no kind {kind!r}.", hint=_near(kind, tuple(KINDS)), target=name
        )
    try:
        return Connection(name, kind, folder, {key: _filled(value) for key, value in options.items()})
    except KeyError as missing:
        raise ConnectionInvalid(f"target {name}: the variable {missing.args[0]} is not set.", target=name) from None


def _filled(value: Any) -> Any:
    """With each `${VARIABLE}` in its texts, however deep. Raises KeyError."""
    if isinstance(value, Mapping):
        return {key: _filled(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_filled(one) for one in value]
    return re.sub(r"\$\{(\w+)\}", lambda found: os.environ[found[1]], value) if isinstance(value, str) else value


@lru_cache(maxsize=32)
def source(name: str) -> MappedSource:
    """The source of that name, with its shipped mapping. Raises UnknownSystem."""
    if name not in SOURCES:
        raise UnknownSystem(f"there is no source {name!r}.", hint=_near(name, SOURCES))
    return shipped(name)


def books(name: str) -> MappedSource:
    """A target as a source: reads what it has of a record, in its own words with `key` and `at` beside them."""
    text = (files("adapters.sources") / "books.yaml").read_text("utf-8")
    return load(text.replace("system: erp\n", f"system: {name}\n", 1), f"books of {name}")


def target(name: str, folder: Path, pace: Callable[[str, float, int], Throttle] | None = None) -> Target:
    """The target of that name; what it keeps in files is under the folder. Raises UnknownSystem.

    `pace` makes what all who call the target keep together, of its name, calls a second and bursts.
    """
    known = connections(folder)
    if name not in known:
        raise UnknownSystem(f"there is no target {name!r}.", hint=_near(name, tuple(known)))
    made = known[name]
    if pace is not None:
        made = replace(made, options={**made.options, "pace": partial(pace, name)})
    return KINDS[made.kind](made)


def _near(name: str, known: tuple[str, ...]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known)}."
