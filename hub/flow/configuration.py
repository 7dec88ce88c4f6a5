"""The hub's configuration: rules, mappings, code lists, schedules and targets; read, compared, applied.

What is wanted need not speak of everything; what it does not name stays as it is. The *seal* is the hash
of everything that a hub is configured with: what was compared with one seal is applied to that one, or not
at all. Rules go the way of every draft: somebody else has simulated exactly them. All that the store keeps
changes in one transaction; `targets.yaml`, which is a file, is the caller's to write.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from difflib import unified_diff
from pathlib import Path
from typing import Any

from adapters.mapping import MappedSource
from adapters.mapping import load as load_mapping
from adapters.registry import SOURCES, source
from canonical.catalogue import ENTITIES
from hub.errors import Conflict, NotApproved, require_reason
from hub.flow import codes as explaining
from hub.flow.documents import difference
from hub.flow.promote import Will, put_in_force
from hub.flow.wording import TARGETS, Configuration, Schedule, configuration_of, read_folder, texts_of
from hub.store import audit, cases, codes, rulesets, schedules, simulations
from hub.store.audit import Act
from hub.store.codes import Listed
from hub.store.engine import Connection, Engine, writing
from rules.ruleset import RuleSet, shipped


@dataclass(frozen=True, slots=True)
class Change:
    """One part of the configuration that is to be another: what it is, its name, what differs."""

    part: str  # rules, mapping, codes, schedule or targets
    name: str
    words: tuple[str, ...]


def current(connection: Connection, folder: Path | None = None) -> Configuration:
    """What the hub is configured with now; targets only with the folder that holds their file."""
    rows = [dict(row) for row in schedules.every(connection)]
    path = folder / TARGETS if folder else None
    return Configuration(
        rulesets.in_force(connection, shipped()),
        {row.pop("id"): Schedule.model_validate(row) for row in rows},
        mappings_in_force(connection),
        codes.in_force(connection),
        path.read_text("utf-8") if path and path.exists() else None,
    )


def mappings_in_force(connection: Connection) -> dict[str, MappedSource]:
    """The mapping of every system: the shipped one, or the one that stands in its place."""
    own = {system: load_mapping(text, name) for system, (name, text) in codes.readings(connection).items()}
    return {system: source(system) for system in SOURCES} | own


def read(directory: Path) -> Configuration:
    """What a folder wants. Raises InvalidRequest, or what is wrong with a file, with its line."""
    return configuration_of(read_folder(directory))


def export(configuration: Configuration, directory: Path) -> list[Path]:
    """Write a configuration to a folder; the files."""
    made = []
    for name, text in texts_of(configuration).items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        made.append(path)
    return made


def compare(here: Configuration, wanted: Configuration) -> list[Change]:
    """What would be another if the hub were what is wanted, in words."""
    return [
        *_rules(here, wanted),
        *_mappings(here, wanted),
        *_codes(here, wanted),
        *_schedules(here, wanted),
        *_targets(here, wanted),
    ]


def apply(
    engine: Engine, wanted: Configuration, seal: str, will: Will, now: datetime, *, folder: Path | None = None
) -> list[Change]:
    """Make the hub what is wanted, whole or not at all; what was changed, which is nothing the second time.

    Raises Conflict when the hub is not the one of the seal, NotApproved or SimulationStale when rules change
    that nobody else has simulated as they are.
    """
    require_reason(will.reason, "a change of the configuration")
    with writing(engine) as connection:
        cases.claim(connection, "configuration")
        for entity in ENTITIES:  # everybody's order, so that nobody waits for somebody who waits for them
            if entity in wanted.rulesets or wanted.codes:
                cases.claim(connection, entity)
        here = current(connection, folder)
        changes = compare(here, wanted)
        if changes and here.seal != seal:
            raise Conflict(
                f"the hub's configuration is {here.seal}, not {seal}; nothing was changed.",
                hint="`hub config diff DIR` shows what differs now, and its base.",
            )
        applying = _Applying(connection, here, wanted, will, now)
        for change in changes:
            getattr(applying, change.part)(change)
    return changes


@dataclass(frozen=True, slots=True)
class _Applying:
    """One application: each part by its name."""

    connection: Connection
    here: Configuration
    wanted: Configuration
    will: Will
    now: datetime

    def rules(self, change: Change) -> None:
        simulation_id = _rehearsed(self.connection, self.wanted.rulesets[change.name], self.will)
        put_in_force(self.connection, change.name, simulation_id, self.will, self.now)

    def mapping(self, change: Change) -> None:
        made = self.wanted.mappings[change.name]
        codes.keep_mapping(self.connection, made.fingerprint, f"{change.name}.yaml", made.text, self.now)
        codes.read_with(self.connection, change.name, made.fingerprint, self.now)
        self._note(change, {"fingerprint": made.fingerprint})

    def codes(self, change: Change) -> None:
        system, entity, field = change.name.split(":")
        place = (system, entity, field)
        stood = self.here.codes.get(place, {})
        desk = explaining.Desk(self.connection.engine, self.here.rulesets, self.now)
        for word, value in sorted(self.wanted.codes[place].items()):
            if word not in stood or stood[word] != value:
                made = Listed(place, word, value, self.will.reason, self.will.author)
                explaining.explain_in(self.connection, desk, made)

    def schedule(self, change: Change) -> None:
        schedules.put(self.connection, {"id": change.name} | self.wanted.schedules[change.name].model_dump())
        self._note(change, {"words": list(change.words)})

    def targets(self, change: Change) -> None:
        self._note(change, {"words": list(change.words)})

    def _note(self, change: Change, detail: Mapping[str, Any]) -> None:
        told = {**detail, "reason": self.will.reason}
        audit.append(self.connection, Act(self.will.author, change.part, change.name, told), self.now)


def _rules(here: Configuration, wanted: Configuration) -> Iterator[Change]:
    for name, draft in sorted(wanted.rulesets.items()):
        base = here.rulesets[name]
        if base.version != draft.version:
            found = difference(base.document, draft.document)
            words = (f"{path}: {before} -> {after}" for path, before, after in found)
            yield Change("rules", name, (f"{base.version} -> {draft.version}", *words))


def _mappings(here: Configuration, wanted: Configuration) -> Iterator[Change]:
    for name, made in sorted(wanted.mappings.items()):
        base = here.mappings.get(name)
        if base is None or base.fingerprint != made.fingerprint:
            yield Change("mapping", name, _lines(base.text if base else "", made.text))


def _codes(here: Configuration, wanted: Configuration) -> Iterator[Change]:
    for place, table in sorted(wanted.codes.items()):
        stood = here.codes.get(place, {})
        words = tuple(
            f"{word}: {stood.get(word)} -> {value}"
            for word, value in sorted(table.items())
            if word not in stood or stood[word] != value
        )
        if words:
            yield Change("codes", ":".join(place), words)


def _schedules(here: Configuration, wanted: Configuration) -> Iterator[Change]:
    for name, one in sorted(wanted.schedules.items()):
        after, before = one.model_dump(), here.schedules[name].model_dump() if name in here.schedules else {}
        words = tuple(
            f"{part}: {before.get(part)} -> {after[part]}" for part in after if before.get(part) != after[part]
        )
        if words:
            yield Change("schedule", name, words)


def _targets(here: Configuration, wanted: Configuration) -> Iterator[Change]:
    if wanted.targets is not None and wanted.targets != here.targets:
        yield Change("targets", TARGETS, _lines(here.targets or "", wanted.targets))


def _lines(before: str, after: str) -> tuple[str, ...]:
    """The lines that differ, with - and +."""
    found = list(unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm=""))[2:]
    return tuple(line for line in found if not line.startswith("@@"))


def _rehearsed(connection: Connection, draft: RuleSet, will: Will) -> int:
    """The newest simulation of exactly this draft that somebody else has made. Raises NotApproved."""
    found = simulations.by_another(connection, draft.version, will.author)
    if found is None:
        raise NotApproved(
            f"nobody but {will.author} has simulated {draft.version}; nothing was changed.",
            hint="Four eyes: somebody else runs `hub rules simulate DIR/rules --as NAME` and looks at what it says.",
        )
    return found
