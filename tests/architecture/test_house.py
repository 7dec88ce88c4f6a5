"""The house: sizes, docstrings, doors, names, and what a stranger may not find in it."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from canonical.catalogue import ENTITIES
from rules.ruleset import shipped
from tests import promises

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("canonical", "rules", "adapters", "hub", "seed")
ALLOWED = {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "requirements.lock"} | {
    *PACKAGES,
    "migrations",
    "tests",
}
DOORS = {  # outside library → where it may be imported; a new library needs a line here
    "anyascii": ("rules/match/normal.py",),
    "argon2": ("hub/store/people.py",),
    "alembic": ("hub/store/migrate.py", "migrations/"),
    "apscheduler": ("hub/worker.py",),
    "babel": ("canonical/values/",),
    "click": ("hub/cli/", "hub/demo.py"),
    "durable": ("rules/engine.py",),
    "durable_rules_engine": ("rules/engine.py",),
    "email_validator": ("canonical/values/contact.py",),
    "flask": ("hub/web/",),
    "granian": ("hub/serving.py",),
    "graphene": ("hub/web/",),
    "graphql": ("hub/web/",),
    "httpx": ("adapters/transport.py",),
    "idna": ("canonical/values/contact.py",),
    "joserfc": ("hub/web/oidc.py", "hub/web/once.py"),
    "numpy": ("rules/", "hub/match/"),
    "orjson": ("",),  # everywhere
    "paramiko": ("adapters/targets/drop/",),
    "phonenumbers": ("canonical/values/contact.py",),
    "proteus": ("adapters/peers/tryton_setup.py",),  # which runs in the environment of Tryton
    "psycopg": ("hub/store/",),
    "pyspark": ("hub/match/spark/",),
    "pydifact": ("adapters/targets/drop/",),
    "pyx12": ("adapters/targets/drop/",),
    "pybreaker": ("adapters/transport.py",),
    "pyarrow": ("hub/match/files.py", "hub/match/spark/"),
    "pycountry": ("canonical/values/place.py", "adapters/peers/tryton_setup.py"),
    "pydantic": ("",),
    "pydantic_core": ("",),
    "pydantic_settings": ("hub/settings.py",),
    "rapidfuzz": ("rules/compare.py",),
    "ruamel": ("canonical/document.py", "adapters/mapping.py"),
    "scipy": ("rules/match/",),
    "sqlalchemy": ("hub/store/", "migrations/"),
    "stdnum": ("canonical/values/tax.py", "seed/taxes.py"),
    "structlog": ("hub/log.py",),
    "tenacity": ("adapters/transport.py",),
    "uuid_utils": ("hub/",),
    "werkzeug": ("hub/web/",),
}
IMPURE = {"asyncio", "http", "logging", "os", "random", "socket", "sqlite3", "subprocess", "tempfile", "time", "urllib"}
CLOCKS = {
    *("datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today"),
    *("time.time", "time.time_ns", "time.gmtime", "time.localtime"),
}
FORBIDDEN_NAMES = {"utils", "helpers", "common", "manager", "service", "misc"}


def sources() -> list[Path]:
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def undocumented(scope: ast.Module | ast.ClassDef) -> Iterator[str]:
    """The public functions, classes and methods that say nothing of themselves."""
    for node in scope.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            if not ast.get_docstring(node):
                yield f"{node.name} (line {node.lineno})"
            if isinstance(node, ast.ClassDef):
                yield from undocumented(node)


def libraries(path: Path) -> set[str]:
    """What a file imports, by root name, wherever in it the import stands."""
    named: set[str] = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            named |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            named.add(node.module)
    return {name.split(".")[0] for name in named}


def asks_the_time(tree: ast.Module) -> bool:
    """Whether a file names a clock, whatever it calls the module or the class."""
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            known |= {a.asname: a.name for a in node.names if a.asname}
        elif isinstance(node, ast.ImportFrom):
            known |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}

    def full(node: ast.AST) -> str:
        if isinstance(node, ast.Attribute):
            return f"{full(node.value)}.{node.attr}"
        return known.get(node.id, node.id) if isinstance(node, ast.Name) else ""

    return any(full(node) in CLOCKS for node in ast.walk(tree))


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
    assert not list(undocumented(tree)), f"{name}: {', '.join(undocumented(tree))} without a docstring"
    assert not FORBIDDEN_NAMES & {path.stem, *path.relative_to(ROOT).parts}, f"{name} is named after nothing"
    for function in functions(tree):
        lines = (function.end_lineno or function.lineno) - function.lineno + 1
        assert lines <= 40, f"{name}:{function.lineno} {function.name} has {lines} lines"
        positional = [a for a in (*function.args.posonlyargs, *function.args.args) if a.arg not in ("self", "cls")]
        assert len(positional) <= 5, (
            f"{name}:{function.lineno} {function.name} takes {len(positional)} positional parameters"
        )


@pytest.mark.parametrize("library", DOORS)
def test_outside_library_enters_by_its_door(library: str) -> None:
    for path in (*sources(), *(ROOT / "migrations").rglob("*.py")):
        name = str(path.relative_to(ROOT))
        assert library not in libraries(path) or name.startswith(DOORS[library]), f"{name} imports {library}"


def test_every_outside_library_has_a_door() -> None:
    imported = {library for path in sources() for library in libraries(path)}
    assert imported - sys.stdlib_module_names - {*PACKAGES, "migrations"} <= DOORS.keys()


def test_canonical_and_rules_know_no_clock_no_network_no_log() -> None:
    found = {str(p.relative_to(ROOT)): libraries(p) & IMPURE for p in sources()}
    assert [n for n, impure in found.items() if impure and n.startswith(("canonical/", "rules/"))] == []


def test_only_the_clock_asks_what_time_it_is() -> None:
    assert [str(p.relative_to(ROOT)) for p in sources() if asks_the_time(tree_of(p))] == ["hub/clock.py"]


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
    told = re.compile(
        r"/work/|/root/|/home/|/Users/|/opt/|\bfiles\.pythonhosted\b|\bpypi\.org\b|registry\.npmjs|--index-url https?:"
    )
    beside = re.compile(f"{told.pattern}|\\.\\./shared")
    read_beside = {("tests", "e2e"), ("tests", "benchmarks")}  # they read data sets that lie next to the clone
    found = []
    for path in tracked():
        if path.suffix not in (".png", ".svg") and path.name != Path(__file__).name:
            name = path.relative_to(ROOT)
            pattern = told if name.parts[:2] in read_beside else beside
            found += [f"{name}: {m.group()}" for m in pattern.finditer(path.read_text("utf-8", "ignore"))]
    assert found == []


def test_every_promise_marked_is_one_of_the_checklist() -> None:
    marks = re.compile(r"""mark\.promise\(["']([^"']*)""")
    named = {m for p in (ROOT / "tests").rglob("test_*.py") for m in marks.findall(p.read_text("utf-8"))}
    assert named - set(promises.ALL) == set()


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
