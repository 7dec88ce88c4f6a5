"""The house: sizes, docstrings, doors, names, and what a stranger may not find in it."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from canonical.catalogue import ENTITIES
from rules.ruleset import shipped

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("canonical", "rules", "adapters", "hub", "seed")
ALLOWED = {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "requirements.lock"} | {
    *PACKAGES,
    "migrations",
    "tests",
}
DOORS = {  # outside library → where it may be imported
    "sqlalchemy": ("hub/store/", "migrations/"),
    "alembic": ("hub/store/migrate.py", "migrations/"),
    "flask": ("hub/web/",),
    "graphene": ("hub/web/",),
    "graphql": ("hub/web/",),
    "apscheduler": ("hub/worker.py",),
    "durable": ("rules/engine.py",),
    "rapidfuzz": ("rules/compare.py",),
    "granian": ("hub/serving.py",),
    "click": ("hub/cli/", "hub/demo.py"),
}
FORBIDDEN_NAMES = {"utils", "helpers", "common", "manager", "service", "misc"}


def sources() -> list[Path]:
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef]:
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(ROOT)))
def test_file_keeps_the_manners(path: Path) -> None:
    tree = tree_of(path)
    name = str(path.relative_to(ROOT))
    assert len(path.read_text("utf-8").splitlines()) <= 400, f"{name} is longer than 400 lines"
    assert ast.get_docstring(tree), f"{name} does not say what the room is for"
    assert path.stem not in FORBIDDEN_NAMES
    for function in functions(tree):
        lines = (function.end_lineno or function.lineno) - function.lineno + 1
        assert lines <= 40, f"{name}:{function.lineno} {function.name} has {lines} lines"
        positional = [a for a in (*function.args.posonlyargs, *function.args.args) if a.arg not in ("self", "cls")]
        assert len(positional) <= 5, (
            f"{name}:{function.lineno} {function.name} takes {len(positional)} positional parameters"
        )


@pytest.mark.parametrize("library", DOORS)
def test_outside_library_enters_by_its_door(library: str) -> None:
    for path in sources():
        name = str(path.relative_to(ROOT))
        imported = {
            (alias.name if isinstance(node, ast.Import) else node.module or "").split(".")[0]
            for node in ast.walk(tree_of(path))
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        assert library not in imported or name.startswith(DOORS[library]), f"{name} imports {library}"


def test_only_the_clock_asks_what_time_it_is() -> None:
    asks = re.compile(r"\b(datetime\.(now|utcnow|today)|date\.today|time\.time)\(")
    found = [str(p.relative_to(ROOT)) for p in sources() if asks.search(p.read_text("utf-8"))]
    assert found == ["hub/clock.py"]


def test_no_import_circle_typing_included() -> None:
    graph: dict[str, set[str]] = {}
    modules = {".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): p for p in sources()}
    for module, path in modules.items():
        graph[module] = set()
        for node in tree_of(path).body + [n for n in ast.walk(tree_of(path)) if isinstance(n, ast.If)]:
            for inner in ast.walk(node) if isinstance(node, ast.If) else (node,):
                if isinstance(inner, ast.ImportFrom) and inner.module:
                    for alias in inner.names:
                        longest = f"{inner.module}.{alias.name}"
                        graph[module].add(longest if longest in modules else inner.module)
    state: dict[str, int] = {}

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert state.get(module) != 1, f"circle: {' -> '.join((*path, module))}"
        if module in graph and state.get(module) is None:
            state[module] = 1
            for other in sorted(graph[module] - {module}):
                visit(other, (*path, module))
            state[module] = 2

    for module in sorted(graph):
        visit(module, ())


@pytest.mark.parametrize("package", [*PACKAGES, "migrations"])
def test_root_package_is_this_trees(package: str) -> None:
    assert ROOT in Path(str(importlib.import_module(package).__file__)).resolve().parents


def test_top_level_holds_only_what_the_owner_allows() -> None:
    top = {path.relative_to(ROOT).parts[0] for path in tracked()}
    assert {name for name in top if not name.startswith(".")} <= ALLOWED


def test_nothing_speaks_of_where_it_was_made() -> None:
    told = re.compile(r"/work/|/root/|\bfiles\.pythonhosted\b|\bpypi\.org\b|registry\.npmjs|--index-url https?:")
    found = []
    for path in tracked():
        if path.suffix not in (".png", ".svg") and path.name != Path(__file__).name:
            found += [
                f"{path.relative_to(ROOT)}: {m.group()}" for m in told.finditer(path.read_text("utf-8", "ignore"))
            ]
    assert found == []


def test_every_rule_says_why() -> None:
    for name, ruleset in shipped().items():
        document = ruleset.document
        parts = (
            *document.survivorship,
            *document.validation,
            *document.approval,
            *document.publication,
            *document.ownership,
        )
        assert all(len(part.why) >= 12 for part in (*parts, *document.matching.compare, *document.matching.veto)), name


def test_every_field_is_described_for_the_api() -> None:
    for entity in ENTITIES.values():
        for field in entity.fields.values():
            assert len(field.marks.description) >= 8, f"{entity.name}.{field.name}"


def test_readme_is_short_and_carries_the_glossary() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert len(text.splitlines()) <= 150
    for word in ("Golden", "Source key", "Survivorship rule", "Tombstone", "Redirect", "Crosswalk"):
        assert word in text.replace("**", "").replace("\n", " ")


@pytest.mark.parametrize("package", ["canonical", "rules", "adapters", "hub", "seed", "migrations"])
def test_package_has_a_readme(package: str) -> None:
    assert (ROOT / package / "README.md").is_file()
