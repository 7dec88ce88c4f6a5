"""The hub's configuration as files: written out, compared with what is in force, and put in force.

Rules and schedules. A comparison names its base, a hash of what was in force; applying names it too and is
refused when something else is in force by then. Rules go the way of every change, simulated and then put in force,
all in one transaction; the second pair of eyes on files is that of whoever keeps them under review.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

import orjson

from canonical.catalogue import ENTITIES
from hub.errors import Conflict, InvalidRequest
from hub.flow.documents import difference
from hub.flow.promote import Will, put_in_force
from hub.flow.simulate import simulate
from hub.store import audit, rulesets, schedules
from hub.store.audit import Act
from hub.store.engine import Connection, Engine, reading, writing
from rules.ruleset import RuleSet, load, shipped

RULES, SCHEDULES = "rules", "schedules.json"


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where the files say otherwise than what is in force."""

    file: str
    path: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Compared:
    """What differs, and the base that it was compared with."""

    base: str
    differences: tuple[Difference, ...]
    drafts: Mapping[str, RuleSet]  # entity → the version that the files state, where it is another
    schedules: tuple[Mapping[str, Any], ...]  # those that are new or other


def export(engine: Engine, folder: Path) -> str:
    """Write what is in force to the folder; its base."""
    with reading(engine) as connection:
        live, planned, base = _state(connection)
    (folder / RULES).mkdir(parents=True, exist_ok=True)
    for entity, ruleset in live.items():
        (folder / RULES / f"{entity}.yaml").write_text(ruleset.text, "utf-8")
    (folder / SCHEDULES).write_bytes(orjson.dumps(planned, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    return base


def compare(engine: Engine, folder: Path) -> Compared:
    """What the files of the folder would change. Raises InvalidRequest, RuleSetInvalid with file and line."""
    with reading(engine) as connection:
        live, planned, base = _state(connection)
    found: list[Difference] = []
    drafts = {}
    for path in _documents(folder):
        draft = load(path.read_text("utf-8"), path.name)
        entity = draft.entity.name
        if draft.version != live[entity].version:
            drafts[entity] = draft
            name = f"{RULES}/{path.name}"
            found += [Difference(name, *one) for one in difference(live[entity].document, draft.document)]
    known = {row["id"]: row for row in planned}
    wanted = [row for row in _schedules(folder) if known.get(row["id"]) != row]
    found += [Difference(SCHEDULES, row["id"], known.get(row["id"]), row) for row in wanted]
    return Compared(base, tuple(found), drafts, tuple(wanted))


def apply(engine: Engine, folder: Path, base: str, will: Will, now: datetime) -> Compared:
    """Put in force what the files state; what was changed. Raises Conflict when another base is in force."""
    found = compare(engine, folder)
    if not base or not found.base.startswith(base):
        raise Conflict(
            f"{found.base[:12]} is in force, not {base or 'nothing'}, which was compared with; nothing was changed.",
            hint="`hub config diff DIR` again, look, and name its base.",
        )
    simulated = {entity: simulate(engine, draft, will.author, now) for entity, draft in found.drafts.items()}
    with writing(engine) as connection:
        for entity, simulation_id in simulated.items():
            put_in_force(connection, entity, simulation_id, will, now)
        for row in found.schedules:
            schedules.put(connection, row)
        detail = {"rules": simulated, "schedules": [row["id"] for row in found.schedules], "reason": will.reason}
        audit.append(connection, Act(will.author, "configure", found.base, detail), now)
    return found


def _state(connection: Connection) -> tuple[dict[str, RuleSet], list[dict[str, Any]], str]:
    """The rules and schedules in force, and the hash of both."""
    live = rulesets.in_force(connection, shipped())
    ordered = {name: live[name] for name in ENTITIES if name in live}
    planned = [{str(name): value for name, value in row.items()} for row in schedules.every(connection)]
    said = [[one.version for one in ordered.values()], planned]
    return ordered, planned, blake2b(orjson.dumps(said, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()


def _documents(folder: Path) -> list[Path]:
    found = sorted((folder / RULES).glob("*.yaml"))
    if not found:
        raise InvalidRequest(
            f"there are no rule documents in {folder / RULES}.", hint="`hub config export DIR` writes them."
        )
    return found


def _schedules(folder: Path) -> list[dict[str, Any]]:
    """The schedules of the folder; none where there is no file: what is not named stays as it is."""
    path = folder / SCHEDULES
    if not path.exists():
        return []
    try:
        rows = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as problem:
        raise InvalidRequest(f"{path.name} is no JSON: {problem}") from None
    columns = {"id", "job", "target", "cron", "timezone", "paused"}
    if not isinstance(rows, list) or any(not isinstance(row, dict) or row.keys() != columns for row in rows):
        raise InvalidRequest(f"{path.name} is a list of schedules with {', '.join(sorted(columns))}.")
    return rows
