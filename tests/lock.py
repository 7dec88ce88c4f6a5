"""Whether requirements.lock still satisfies pyproject.toml: every direct dependency is in it, within its bounds."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent


def problems() -> list[str]:
    """What is missing from the lock, or locked outside its bounds."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    locked = dict(re.findall(r"^([a-z0-9._-]+)==([^\s;\\]+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    found = []
    for text in (*project["dependencies"], *project["optional-dependencies"]["dev"]):
        wanted = Requirement(text)
        version = locked.get(re.sub(r"[-_.]+", "-", wanted.name).lower())
        if version is None:
            found.append(f"{wanted.name} is not locked")
        elif version not in wanted.specifier:
            found.append(f"{wanted.name} {version} is not {wanted.specifier}")
    return found


if __name__ == "__main__":
    found = problems()
    print("\n".join(found) or "the lock holds")
    sys.exit(1 if found else 0)
