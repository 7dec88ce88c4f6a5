"""What consumers of the API were promised: the schema of the last tag, or, before the first, the one kept beside the tests.

`python -m tests.contract` keeps the schema of now as that promise, for a release or a break on purpose.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from graphql import GraphQLSchema, build_schema, parse, print_ast, strip_ignored_characters
from graphql.type import GraphQLNamedType
from graphql.utilities import find_breaking_changes

ROOT = Path(__file__).resolve().parent.parent
PRINTED = "hub/web/graphql/schema.graphql"
KEPT = ROOT / "tests" / "e2e" / "promised.graphql"
_DATED = re.compile(r"\b20\d\d-[01]\d-[0-3]\d\b")
_DESCRIPTION = re.compile(r'"""(?:[^"]|"(?!""))*"""')


def promised() -> str:
    """The schema that may not be broken."""
    tag = _git("describe", "--tags", "--abbrev=0")
    return (tag and _git("show", f"{tag.strip()}:{PRINTED}")) or KEPT.read_text("utf-8")


def breaks(before: str, after: str) -> list[str]:
    """What somebody who relies on one schema would miss in the other."""
    return [one.description for one in find_breaking_changes(build_schema(before), build_schema(after))]


def undated(schema: GraphQLSchema) -> list[str]:
    """What is deprecated without the day from which on it may go."""
    found = [
        (f"{kind.name}.{name}", getattr(one, "deprecation_reason", None))
        for kind in schema.type_map.values()
        for name, one in _parts(kind).items()
    ]
    return [name for name, reason in found if reason is not None and not _DATED.search(reason)]


def _parts(kind: GraphQLNamedType) -> dict[str, object]:
    parts = {**getattr(kind, "fields", {}), **getattr(kind, "values", {})}
    given = {f"{name}.{a}": one for name, field in parts.items() for a, one in getattr(field, "args", {}).items()}
    return parts | given


def _git(*arguments: str) -> str | None:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else None


if __name__ == "__main__":
    bare = _DESCRIPTION.sub("", (ROOT / PRINTED).read_text("utf-8"))
    KEPT.write_text(strip_ignored_characters(print_ast(parse(bare))).replace("}", "}\n"), "utf-8")
