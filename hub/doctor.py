"""What must be here for the hub to run, looked at one by one; and what each code means."""

from __future__ import annotations

import importlib
import shutil
import sys
from dataclasses import dataclass
from inspect import cleandoc
from pathlib import Path

from canonical.errors import MasterDataError, every_error
from canonical.findings import FINDINGS
from hub.errors import NotFound


@dataclass(frozen=True, slots=True)
class Found:
    """One thing looked at: ok, FAIL or skip; what was seen; what to do."""

    name: str
    state: str
    says: str
    next: str = ""


def examine(directory: Path | None) -> list[Found]:
    """Every check, each in its own words. Nothing is changed."""
    return [_python(), _compiler(), _packages(), _rule_engine(), _database(directory)]


def codes() -> list[str]:
    """Every code that an error or a finding may carry, in order."""
    return sorted({*FINDINGS, *(error.code for error in _errors())})


def explanation(code: str) -> tuple[str, str, str]:
    """Title, meaning and next step of an error's or a finding's code. Raises NotFound."""
    if code in FINDINGS:
        found = FINDINGS[code]
        return found.title, found.meaning, found.next_step
    for error in _errors():
        if error.code == code:
            title, _, meaning = cleandoc(error.__doc__ or "").partition("\n\n")
            return (
                title,
                meaning or ("Trying again may help." if error.retryable else "Trying again does not help."),
                error.hint,
            )
    raise NotFound(f"there is no code {code}.", hint="Codes are written HUB- and four digits.")


def _errors() -> list[type[MasterDataError]]:
    for module in ("adapters.errors", "rules.errors", "hub.errors", "canonical.document"):
        importlib.import_module(module)
    return list(every_error())


def _python() -> Found:
    version = ".".join(str(part) for part in sys.version_info[:3])
    if (3, 11) <= sys.version_info < (3, 13):
        return Found("python", "ok", version)
    return Found(
        "python",
        "FAIL",
        f"{version}: durable-rules needs 3.11 or 3.12",
        "Make the environment with Python 3.11 or 3.12.",
    )


def _compiler() -> Found:
    if shutil.which("cc") or shutil.which("gcc") or shutil.which("clang"):
        return Found("compiler", "ok", "a C compiler is here; durable-rules is built from source at installation")
    return Found(
        "compiler",
        "skip",
        "no C compiler: fine once installed, but durable-rules could not be built again",
        "Install gcc or clang.",
    )


def _packages() -> Found:
    home = Path(__file__).resolve().parent.parent
    for name in ("hub", "rules", "canonical", "adapters", "migrations", "seed"):
        found = Path(str(importlib.import_module(name).__file__)).resolve()
        if home not in found.parents:
            return Found(
                "packages",
                "FAIL",
                f"{name} comes from {found}",
                "Use an environment of its own: other projects use these names.",
            )
    return Found("packages", "ok", str(home))


def _rule_engine() -> Found:
    from rules.conditions import FactTest
    from rules.engine import Engine

    engine = Engine("doctor", {"works": FactTest("asked", "in", (True,))}, checked=True)
    answered = engine.applicable({"asked": True}) == {"works"} and engine.applicable({"asked": False}) == frozenset()
    return (
        Found("rules", "ok", "durable-rules answers as it should")
        if answered
        else Found("rules", "FAIL", "durable-rules answers wrongly")
    )


def _database(directory: Path | None) -> Found:
    from hub.settings import Settings
    from hub.store.engine import connect, reading
    from hub.store.migrate import require_head

    url = (Settings(dir=directory) if directory else Settings()).url
    engine = connect(url)
    shown = engine.url.render_as_string(hide_password=True)
    if engine.dialect.name == "sqlite" and not Path(str(engine.url.database)).exists():
        return Found("database", "FAIL", f"{shown} is not there yet", "Run `hub demo`, `hub ingest` or `hub migrate`.")
    try:
        with reading(engine) as connection:
            require_head(connection)
    except MasterDataError as error:
        return Found("database", "FAIL", str(error), error.hint)
    return Found("database", "ok", f"{shown}, tables of this version")
