"""Whatever the schema lets somebody ask: an answer with data or errors that carry a code; never a failure, never a leak.

In full, a thousand of each: `pytest -m slow tests/property/test_api_fuzz.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis_graphql import mutations, nodes, queries

from hub import log
from hub.store import access
from hub.store.access import Principal
from hub.store.allowance import UNLIMITED
from hub.store.engine import writing
from hub.web.app import create_app
from hub.web.graphql.schema import PRINTED
from hub.wiring import Hub
from tests.worlds import account, deliver, invoice

SCHEMA = PRINTED.read_text("utf-8")
JSON = st.one_of(st.just("{}"), st.just("[1]"), st.just('{"legal_name": "Acorn"}'), st.text(max_size=20))
SCALARS = {"JSON": JSON.map(nodes.String), "Json": JSON.map(nodes.String), "JSONString": JSON.map(nodes.String)}
LEAKS = re.compile(r"Traceback|File \"|sqlalchemy|psycopg|sqlite3|SELECT |\.py\b|secret_hash")
FEW, MANY = 30, 1000
Ask = Callable[[str], Any]


@pytest.fixture
def ask(sqlite_hub: Hub) -> Ask:
    """Asks as somebody who may do everything."""
    log.configure()
    deliver(sqlite_hub, [
        account("crm", "1", name="Acorn Foods Ltd", tax="GB980780684", country="GB"), account("crm", "2", name="Acorn"),
        invoice("billing", "i1", number="INV-1", status="open", account="1", currency="EUR", gross="12.5"),
    ])  # fmt: skip
    with writing(sqlite_hub.engine) as connection:
        key = access.issue(connection, Principal("fuzz", "admin", limits=UNLIMITED), sqlite_hub.clock())
    client = create_app(sqlite_hub).test_client()
    return lambda query: client.post("/graphql", json={"query": query}, headers={"Authorization": f"Bearer {key}"})


def asked_anything(ask: Ask, documents: Any, many: int) -> None:
    @settings(max_examples=many, deadline=None, derandomize=many == FEW, suppress_health_check=list(HealthCheck),
              database=None, phases=[Phase.generate])  # fmt: skip
    @given(documents)
    def one(query: str) -> None:
        reply = ask(query)
        told = reply.get_json()
        assert reply.status_code == 200, (reply.status_code, query)
        for error in told.get("errors", ()):
            assert error["extensions"]["code"] != "HUB-1000", (error, query)
            assert not LEAKS.search(error["message"]), error["message"]
        assert told.get("data") is not None or told["errors"]

    one()


@pytest.mark.parametrize("many", [FEW, pytest.param(MANY, marks=pytest.mark.slow)])
def test_any_query_is_answered(ask: Ask, many: int) -> None:
    asked_anything(ask, queries(SCHEMA, custom_scalars=SCALARS), many)


@pytest.mark.parametrize("many", [FEW, pytest.param(MANY, marks=pytest.mark.slow)])
def test_any_mutation_is_answered(ask: Ask, many: int) -> None:
    asked_anything(ask, mutations(SCHEMA, custom_scalars=SCALARS), many)
