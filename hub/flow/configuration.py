"""The hub's configuration as files: the rules in force and the schedules, read, written, compared, applied.

A folder holds `rules/<entity>.yaml`, each a whole rule document, and `schedules.yaml`. What a folder does
not name stays as it is. The *seal* is the hash of everything that a hub is configured with: what was
compared with one seal is applied to that one, or not at all. Rules go the way of every draft: somebody
else has simulated exactly them, and all that changes does so in one transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from pathlib import Path

import orjson
from pydantic import BaseModel, ConfigDict, Field

from canonical.catalogue import ENTITIES
from canonical.document import DocumentInvalid, read_document, written
from hub.errors import Conflict, InvalidRequest, NotApproved
from hub.flow.documents import difference
from hub.flow.promote import Will, put_in_force
from hub.store import audit, cases, rulesets, schedules, simulations
from hub.store.audit import Act
from hub.store.engine import Connection, Engine, writing
from rules.ruleset import RuleSet, load, shipped

RULES, SCHEDULES = "rules", "schedules.yaml"


class Schedule(BaseModel):
    """What runs when: a job, its target if it has one, and a time in the five fields of cron."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    job: str
    target: str | None = None
    cron: str
    timezone: str = "UTC"
    paused: bool = False


class Schedules(BaseModel):
    """The file of schedules, each by its id."""

    model_config = ConfigDict(extra="forbid", strict=True)
    schedules: dict[str, Schedule] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a hub is configured with, or what a folder wants of it."""

    rulesets: Mapping[str, RuleSet] = field(default_factory=dict)
    schedules: Mapping[str, Schedule] = field(default_factory=dict)

    @property
    def seal(self) -> str:
        """16 characters that differ as soon as anything does."""
        said = (
            {name: one.version for name, one in self.rulesets.items()},
            {name: one.model_dump() for name, one in self.schedules.items()},
        )
        return blake2b(orjson.dumps(said, option=orjson.OPT_SORT_KEYS), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class Change:
    """One part of the configuration that is to be another: `rules` or `schedule`, its name, what differs."""

    part: str
    name: str
    words: tuple[str, ...]


def current(connection: Connection) -> Configuration:
    """What the hub is configured with now."""
    rows = [dict(row) for row in schedules.every(connection)]
    return Configuration(
        rulesets.in_force(connection, shipped()), {row.pop("id"): Schedule.model_validate(row) for row in rows}
    )


def read(directory: Path) -> Configuration:
    """What a folder wants. Raises RuleSetInvalid or DocumentInvalid with file and line."""
    wanted: dict[str, RuleSet] = {}
    for path in sorted((directory / RULES).glob("*.yaml")):
        made = load(path.read_text("utf-8"), path.name)
        name = made.entity.name
        if name in wanted:
            raise DocumentInvalid(f"{path.name}: a second document about {name}; one stands before it.")
        wanted[name] = made
    listed = directory / SCHEDULES
    if not wanted and not listed.exists():
        raise InvalidRequest(f"{directory} holds no configuration.", hint="`hub config export DIR` writes one.")
    if not listed.exists():
        return Configuration(wanted)
    return Configuration(wanted, read_document(listed.read_text("utf-8"), Schedules, name=SCHEDULES).schedules)


def export(configuration: Configuration, directory: Path) -> list[Path]:
    """Write a configuration to a folder, the rules as they were written, comments too; the files."""
    texts = {f"{RULES}/{name}.yaml": one.text for name, one in sorted(configuration.rulesets.items())}
    listed = {name: one.model_dump() for name, one in sorted(configuration.schedules.items())}
    texts[SCHEDULES] = written({"schedules": listed})
    (directory / RULES).mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (directory / name).write_text(text, "utf-8")
    return [directory / name for name in texts]


def compare(here: Configuration, wanted: Configuration) -> list[Change]:
    """What would be another if the hub were what is wanted, in words."""
    return [*_rules(here, wanted), *_schedules(here, wanted)]


def apply(engine: Engine, wanted: Configuration, seal: str, will: Will, now: datetime) -> list[Change]:
    """Make the hub what is wanted, whole or not at all; what was changed, which is nothing the second time.

    Raises Conflict when the hub is not the one of the seal, NotApproved or SimulationStale when rules change
    that nobody else has simulated as they are.
    """
    if not will.reason.strip():
        raise InvalidRequest("a change of the configuration needs a reason.", hint="Say in a few words why.")
    with writing(engine) as connection:
        cases.claim(connection, "configuration")
        for entity in ENTITIES:  # everybody's order, so that nobody waits for somebody who waits for them
            if entity in wanted.rulesets:
                cases.claim(connection, entity)
        here = current(connection)
        changes = compare(here, wanted)
        if changes and here.seal != seal:
            raise Conflict(
                f"the hub's configuration is {here.seal}, not {seal}; nothing was changed.",
                hint="`hub config diff DIR` shows what differs now, and its base.",
            )
        for change in changes:
            if change.part == "rules":
                simulation_id = _rehearsed(connection, wanted.rulesets[change.name], will)
                put_in_force(connection, change.name, simulation_id, will, now)
            else:
                schedules.put(connection, {"id": change.name} | wanted.schedules[change.name].model_dump())
                detail = {"words": list(change.words), "reason": will.reason}
                audit.append(connection, Act(will.author, "schedule", change.name, detail), now)
    return changes


def _rules(here: Configuration, wanted: Configuration) -> Iterator[Change]:
    for name, draft in sorted(wanted.rulesets.items()):
        base = here.rulesets[name]
        if base.version != draft.version:
            found = difference(base.document, draft.document)
            words = (f"{path}: {before} -> {after}" for path, before, after in found)
            yield Change("rules", name, (f"{base.version} -> {draft.version}", *words))


def _schedules(here: Configuration, wanted: Configuration) -> Iterator[Change]:
    for name, one in sorted(wanted.schedules.items()):
        after, before = one.model_dump(), here.schedules[name].model_dump() if name in here.schedules else {}
        words = tuple(
            f"{part}: {before.get(part)} -> {after[part]}" for part in after if before.get(part) != after[part]
        )
        if words:
            yield Change("schedule", name, words)


def _rehearsed(connection: Connection, draft: RuleSet, will: Will) -> int:
    """The newest simulation of exactly this draft that somebody else has made. Raises NotApproved."""
    found = simulations.by_another(connection, draft.version, will.author)
    if found is None:
        raise NotApproved(
            f"nobody but {will.author} has simulated {draft.version}; nothing was changed.",
            hint="Four eyes: somebody else runs `hub rules simulate DIR/rules --as NAME` and looks at what it says.",
        )
    return found
