"""A configuration as texts, by the names of their files, and back again.

`rules/<entity>.yaml` and `mappings/<system>.yaml` are whole documents, kept as they were written;
`schedules.yaml` and `codes.yaml` are lists; `targets.yaml` says where golden records go. What the
texts do not name is not spoken of.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field

from adapters.errors import MappingInvalid
from adapters.mapping import MappedSource
from adapters.mapping import load as load_mapping
from canonical.document import DocumentInvalid, read_document, written
from hub.errors import InvalidRequest
from hub.store.codes import Place
from rules.ruleset import RuleSet, load

RULES, MAPPINGS, SCHEDULES, CODES, TARGETS = "rules", "mappings", "schedules.yaml", "codes.yaml", "targets.yaml"


class Schedule(BaseModel):
    """What runs when: a job, its target if it has one, and a time in the five fields of cron."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    job: str
    target: str | None = None
    cron: str
    timezone: str = "UTC"
    paused: bool = False
    blackouts: list[str] | None = Field(default=None, description="When it does not run: 22:00-23:30, or from..through")


class Schedules(BaseModel):
    """The file of schedules, each by its id."""

    model_config = ConfigDict(extra="forbid", strict=True)
    schedules: dict[str, Schedule] = Field(default_factory=dict)


class Codes(BaseModel):
    """The file of code lists: system -> entity -> field -> the system's code -> canonical value."""

    model_config = ConfigDict(extra="forbid", strict=True)
    codes: dict[str, dict[str, dict[str, dict[str, Any]]]] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a hub is configured with, or what somebody wants of it."""

    rulesets: Mapping[str, RuleSet] = field(default_factory=dict)
    schedules: Mapping[str, Schedule] = field(default_factory=dict)
    mappings: Mapping[str, MappedSource] = field(default_factory=dict)
    codes: Mapping[Place, Mapping[str, Any]] = field(default_factory=dict)
    targets: str | None = None  # the text of targets.yaml

    @property
    def seal(self) -> str:
        """16 characters that differ as soon as anything does."""
        said = (
            {name: one.version for name, one in self.rulesets.items()},
            {name: one.model_dump() for name, one in self.schedules.items()},
            {name: one.fingerprint for name, one in self.mappings.items()},
            {":".join(place): dict(table) for place, table in self.codes.items()},
            self.targets,
        )
        return blake2b(orjson.dumps(said, option=orjson.OPT_SORT_KEYS), digest_size=8).hexdigest()


def texts_of(configuration: Configuration) -> dict[str, str]:
    """The configuration as texts by file name; rules and mappings as they were written, comments too."""
    texts = {f"{RULES}/{name}.yaml": one.text for name, one in sorted(configuration.rulesets.items())}
    texts |= {f"{MAPPINGS}/{name}.yaml": one.text for name, one in sorted(configuration.mappings.items())}
    listed = {name: one.model_dump() for name, one in sorted(configuration.schedules.items())}
    texts[SCHEDULES] = written({"schedules": listed})
    if configuration.codes:
        texts[CODES] = written({"codes": _tree(configuration.codes)})
    if configuration.targets is not None:
        texts[TARGETS] = configuration.targets
    return texts


def configuration_of(texts: Mapping[str, str]) -> Configuration:
    """What the texts want. Raises RuleSetInvalid, MappingInvalid or DocumentInvalid with file and line."""
    strange = sorted(name for name in texts if not _known(name))
    if strange:
        raise InvalidRequest(f"a configuration has no file {strange[0]!r}.", hint="`hub config export DIR` shows them.")
    if not texts:
        raise InvalidRequest("there is no configuration.", hint="`hub config export DIR` writes one.")
    return Configuration(
        _rulesets(texts),
        read_document(texts[SCHEDULES], Schedules, name=SCHEDULES).schedules if SCHEDULES in texts else {},
        _mappings(texts),
        _places(read_document(texts[CODES], Codes, name=CODES).codes) if CODES in texts else {},
        texts.get(TARGETS),
    )


def read_folder(directory: Path) -> dict[str, str]:
    """The texts of a folder by file name. Raises InvalidRequest when there are none."""
    found = [path for part in (RULES, MAPPINGS) for path in sorted((directory / part).glob("*.yaml"))]
    found += [directory / name for name in (SCHEDULES, CODES, TARGETS) if (directory / name).exists()]
    if not found:
        raise InvalidRequest(f"{directory} holds no configuration.", hint="`hub config export DIR` writes one.")
    return {path.relative_to(directory).as_posix(): path.read_text("utf-8") for path in found}


def _known(name: str) -> bool:
    room, _, file = name.rpartition("/")
    return name in (SCHEDULES, CODES, TARGETS) or (room in (RULES, MAPPINGS) and file.endswith(".yaml"))


def _rulesets(texts: Mapping[str, str]) -> dict[str, RuleSet]:
    wanted: dict[str, RuleSet] = {}
    for path, text in texts.items():
        if path.startswith(f"{RULES}/"):
            made = load(text, path.removeprefix(f"{RULES}/"))
            name = made.entity.name
            if name in wanted:
                raise DocumentInvalid(f"{path}: a second document about {name}; one stands before it.")
            wanted[name] = made
    return wanted


def _mappings(texts: Mapping[str, str]) -> dict[str, MappedSource]:
    wanted: dict[str, MappedSource] = {}
    for path, text in texts.items():
        if path.startswith(f"{MAPPINGS}/"):
            file = path.removeprefix(f"{MAPPINGS}/")
            name = file.removesuffix(".yaml")
            wanted[name] = load_mapping(text, file)
            if isinstance(wanted[name].document.system, str) and wanted[name].name != name:
                raise MappingInvalid(f"{path} is about {wanted[name].name}.", hint="Name the file like its system.")
    return wanted


def _tree(codes: Mapping[Place, Mapping[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for (system, entity, name), table in sorted(codes.items()):
        found.setdefault(system, {}).setdefault(entity, {})[name] = dict(sorted(table.items()))
    return found


def _places(codes: Mapping[str, Mapping[str, Mapping[str, Mapping[str, Any]]]]) -> dict[Place, Mapping[str, Any]]:
    return {
        (system, entity, name): table
        for system, entities in codes.items()
        for entity, fields in entities.items()
        for name, table in fields.items()
    }
