"""Compiled queries beside graphql-core: random ones over the whole schema, on data of which some is not as it should be."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import orjson
import pytest
import sqlalchemy as sa
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    is_required_argument,
    parse,
    validate,
)
from graphql.execution import execute

from canonical.catalogue import ENTITIES
from hub import demo
from hub.settings import Settings
from hub.store.access import Principal
from hub.store.audit import ASKER, Asker
from hub.store.engine import writing
from hub.store.sight import Sight
from hub.store.tables import golden_version
from hub.web.graphql.compiled import Compiled
from hub.web.graphql.schema import build
from hub.wiring import Hub
from tests.conftest import FixedClock

SCHEMA = build().graphql_schema
BESIDE = {"trial"}  # judges payloads, which is for tests of its own
ASKERS = (
    Principal("root", "admin"),
    Principal("reader", "reader"),
    Principal("narrow", "reader", Sight.of({"account", "contact"}, ["personal"])),
    Principal("poor", "reader", Sight.of(None, ["money"])),
)
WORDS = ("a", "crm", "erp", "acme", "2026-03-01", "2999-01-01", "legal_name", "account", "nobody:account:1", "{}", "")
QUERIES = [250, pytest.param(6_000, marks=pytest.mark.slow)]


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A small synthetic company, of which every fourth record holds values of other kinds than it should."""
    made = Hub(Settings(dir=tmp_path_factory.mktemp("compiled")), FixedClock())
    made.prepare()
    demo.run(made, 25, lambda _said: None)
    random, v = Random(7), golden_version.c
    with writing(made.engine) as connection:
        rows = connection.execute(sa.select(v.golden_id, v.version, v["values"])).all()
        for row in rows[::4]:
            spoilt = {name: _spoilt(value, random) for name, value in row[2].items()}
            mine = sa.and_(v.golden_id == row.golden_id, v.version == row.version)
            connection.execute(sa.update(golden_version).where(mine).values({"values": spoilt}))
    yield made
    made.engine.dispose()


def _spoilt(value: Any, random: Random) -> Any:
    if random.random() < 0.85:
        return value
    return random.choice([None, 7, 2**40, 1.5, True, "text", ["text", None], [], {"number": 3}, [{"country": ["x"]}]])


@pytest.fixture(scope="module")
def ids(company: Hub) -> list[str]:
    with company.engine.connect() as connection:
        found = connection.execute(sa.text("select id from golden order by id limit 40")).scalars().all()
        keys = connection.execute(
            sa.text("select system || ':' || entity || ':' || key from record order by 1 limit 40")
        )
        return [*found, *keys.scalars().all()]


class Author:
    """Writes documents that are valid but for conflicts between fields of one name."""

    def __init__(self, random: Random, ids: list[str]) -> None:
        self.random, self.ids = random, ids
        self.variables: dict[str, tuple[str, Any]] = {}
        self.fragments: list[str] = []

    def document(self) -> tuple[str, dict[str, Any]]:
        assert SCHEMA.query_type is not None
        body = self._selection(SCHEMA.query_type, 5)
        declared = ", ".join(f"${name}: {kind}" for name, (kind, _) in self.variables.items())
        head = f"query Q({declared}) " if declared else "query Q "
        return head + body + " ".join(self.fragments), {name: value for name, (_, value) in self.variables.items()}

    def _selection(self, kind: Any, depth: int) -> str:
        names = [name for name in kind.fields if name not in BESIDE]
        wanted = self.random.sample(names, min(len(names), self.random.choice([1, 2, 3, 8] if depth < 5 else [1, 2])))
        said = [self._field(name, kind.fields[name], depth) for name in wanted]
        said = [one for one in said if one] or ["__typename"]
        if self.random.random() < 0.2:
            said.insert(self.random.randrange(len(said) + 1), "__typename")
        if is_abstract_type(kind):
            possible = self.random.choice(SCHEMA.get_possible_types(kind))
            said.append(f"... on {possible.name} {self._selection(possible, depth - 1)}")
        elif self.random.random() < 0.15 and depth < 5:
            name = f"F{len(self.fragments)}"
            self.fragments.append("")
            self.fragments[int(name[1:])] = f"fragment {name} on {kind.name} {self._selection(kind, min(depth, 1))}"
            said.append(f"...{name}{self._directive()}")
        elif self.random.random() < 0.1:
            said[0] = f"...{self._directive()} {{ {said[0]} }}"
        return "{ " + " ".join(said) + " }"

    def _field(self, name: str, field: Any, depth: int) -> str:
        inner, below = get_named_type(field.type), ""
        if not is_leaf_type(inner):
            if depth <= 0:
                return ""
            below = self._selection(inner, depth - 1)
        given = [
            f"{arg}: {self._given(arg, one.type)}"
            for arg, one in field.args.items()
            if is_required_argument(one) or self.random.random() < 0.25
        ]
        alias = f"{self.random.choice('xyz')}{self.random.randrange(90)}: " if self.random.random() < 0.15 else ""
        return f"{alias}{name}{'(' + ', '.join(given) + ')' if given else ''}{self._directive()} {below}"

    def _directive(self) -> str:
        if self.random.random() > 0.08:
            return ""
        said = self._variable("Boolean!", self.random.random() < 0.7) if self.random.random() < 0.6 else "true"
        return f" @{self.random.choice(['include', 'skip'])}(if: {said})"

    def _variable(self, kind: str, value: Any) -> str:
        name = f"v{len(self.variables)}"
        self.variables[name] = (kind, value)
        return f"${name}"

    def _given(self, name: str, kind: GraphQLInputType) -> str:
        value = self._value(name, kind, 3)
        return self._variable(str(kind), _plain(value)) if self.random.random() < 0.3 else _printed(value)

    def _value(self, name: str, kind: Any, depth: int) -> Any:
        if isinstance(kind, GraphQLNonNull):
            return self._value(name, kind.of_type, depth)
        if isinstance(kind, GraphQLList):
            return [self._value(name, kind.of_type, depth - 1) for _ in range(self.random.randrange(3))]
        if isinstance(kind, GraphQLInputObjectType):
            names = [one for one, field in kind.fields.items() if is_required_argument(field)]
            if depth > 0:
                names += self.random.sample(list(kind.fields), min(2, len(kind.fields)))
            return {one: self._value(one, kind.fields[one].type, depth - 1) for one in names}
        if isinstance(kind, GraphQLEnumType):
            return _Word(self.random.choice(list(kind.values)))
        own: dict[str, tuple[Any, ...]] = {"Int": (-1, 0, 1, 2, 3, 5, 20), "Boolean": (True, False), "Float": (0.5, 2)}
        if kind.name in own:
            return self.random.choice(own[kind.name])
        named = {"entity": tuple(ENTITIES), "id": self.ids, "ids": self.ids, "sourceKey": self.ids, "key": self.ids}
        return self.random.choice(named[name] if name in named and self.random.random() < 0.8 else WORDS)


class _Word(str):
    """A value of an enum."""


def _printed(value: Any) -> str:
    if isinstance(value, _Word):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_printed(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_printed, value)) + "]"
    return orjson.dumps(value).decode()


def _plain(value: Any) -> Any:
    return orjson.loads(orjson.dumps(value, option=orjson.OPT_PASSTHROUGH_SUBCLASS, default=str))


def _told(run: Any, hub: Hub) -> tuple[bytes, Any, list[str]]:
    """Data and errors as they are sent, what was noted as seen, and the statements that it took."""
    statements: list[str] = []

    def note(_c: Any, _k: Any, statement: str, *_rest: Any) -> None:
        if "FROM ruleset" not in statement:  # kept by the process once it is read
            statements.append(statement)

    asker = Asker("fuzz")
    token = ASKER.set(asker)
    sa.event.listen(hub.engine, "before_cursor_execute", note)
    try:
        result = run()
    finally:
        sa.event.remove(hub.engine, "before_cursor_execute", note)
        ASKER.reset(token)
    errors = [(error.formatted, repr(error.original_error)) for error in result.errors or ()]
    return orjson.dumps([result.data, errors]), asker.saw, statements


@pytest.mark.parametrize("count", QUERIES)
def test_compiled_queries_of_any_form_are_answered_as_graphql_core_does(
    company: Hub, ids: list[str], count: int
) -> None:
    random, asked, failed = Random(11), 0, 0
    while asked < count:
        text, variables = Author(random, ids).document()
        document = parse(text)
        if validate(SCHEMA, document, max_errors=1):
            continue
        asked += 1
        context = {"hub": company, "principal": random.choice(ASKERS)}
        ours = Compiled(SCHEMA, document)
        theirs = _told(lambda: execute(SCHEMA, document, None, context, variables, "Q"), company)  # noqa: B023
        for _ in range(2):  # once compiled, once kept
            found = _told(lambda: ours.execute("Q", variables, context), company)  # noqa: B023
            assert found[:2] == theirs[:2], (text, variables)
        if orjson.loads(theirs[0])[1]:
            failed += 1
        else:
            assert found[2] == theirs[2], (text, variables)
            assert ours.plainly("Q", variables, context) == orjson.loads(theirs[0])[0]
    assert count / 20 < failed < count * 0.7  # both roads were gone


@pytest.mark.parametrize("shown", [True, False])
def test_fields_that_a_variable_decides_about_come_and_go_with_it(company: Hub, shown: bool) -> None:
    text = "query ($a: Boolean!) { accounts(first: 1) { nodes { id label @include(if: $a) version @skip(if: $a) } } }"
    compiled, context = Compiled(SCHEMA, parse(text)), {"hub": company, "principal": ASKERS[0]}
    for a in (shown, not shown, shown):
        (node,) = compiled.plainly(None, {"a": a}, context)["accounts"]["nodes"]
        assert list(node) == (["id", "label"] if a else ["id", "version"])
