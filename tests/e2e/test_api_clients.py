"""The API as other people's clients use it: `gql` in Python; from npm (slow) Apollo over generated types, Relay's
compiler, and the audit of GraphQL over HTTP.

The slow ones install exact versions of tests/e2e/node/package.json: `pytest -m slow tests/e2e/test_api_clients.py`.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gql import Client, gql
from gql.transport.httpx import HTTPXTransport
from graphql import build_schema
from werkzeug.serving import make_server

from hub.store import access
from hub.store.access import Principal
from hub.store.engine import writing
from hub.web.app import create_app
from hub.web.console.journal import QUERIES
from hub.web.graphql.schema import PRINTED
from hub.wiring import Hub
from tests.worlds import account, deliver, invoice

ROOT, NODE = Path(__file__).resolve().parents[2], Path(__file__).with_name("node")
README = re.findall(r"```graphql\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
SAID = {f"Readme{n}": text for n, text in enumerate(README, 1)} | {
    re.sub(r"\W", "", name.title()): text for name, text in QUERIES.items()
}
needs_node = pytest.mark.skipif(shutil.which("npm") is None, reason="no Node here: apt-get install nodejs npm")


@pytest.fixture
def served(sqlite_hub: Hub) -> Iterator[tuple[str, str]]:
    """Where a small hub answers, and a steward's key to it."""
    deliver(sqlite_hub, [
        account("crm", "1", name="Acorn Foods Ltd", tax="GB980780684", country="GB"),
        account("billing", "c1", name="ACORN FOODS LIMITED", tax="GB980780684", country="GB"),
        invoice("billing", "i1", number="INV-1", status="open", account="c1", currency="EUR", gross="12.5"),
    ])  # fmt: skip
    with writing(sqlite_hub.engine) as connection:
        key = access.issue(connection, Principal("shop", "steward"), sqlite_hub.clock())
    server = make_server("127.0.0.1", 0, create_app(sqlite_hub), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/graphql", key
    server.shutdown()
    thread.join()
    server.server_close()


def test_readme_has_a_query_to_try() -> None:
    assert README


def test_python_client_runs_what_readme_and_api_page_show(served: tuple[str, str]) -> None:
    url, key = served
    transport = HTTPXTransport(url, headers={"Authorization": f"Bearer {key}"})
    with Client(transport=transport, schema=build_schema(PRINTED.read_text("utf-8"))) as session:
        answers = {name: session.execute(gql(text)) for name, text in SAID.items()}
        found = session.execute(gql('{ byKey(system: "crm", entity: "account", key: "1") { label version } }'))
    assert answers.keys() == SAID.keys()
    assert found["byKey"] == {"label": "Acorn Foods Ltd", "version": 1}
    assert answers["CustomersWithReasons"]["accounts"]["nodes"][0]["legalName"] == "Acorn Foods Ltd"
    assert answers["InvoicesOfOneCustomer"]["accounts"]["nodes"][0]["invoices"]["nodes"][0]["number"] == "INV-1"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the clients of npm, the schema, and the queries as files."""
    at = tmp_path_factory.mktemp("node")
    shutil.copytree(NODE, at, dirs_exist_ok=True)
    shutil.copy(PRINTED, at / "schema.graphql")
    (at / "queries").mkdir()
    for name, text in SAID.items():
        (at / "queries" / f"{name}.graphql").write_text(f"query {name} {text}", "utf-8")
    run(at, "npm", "install", "--no-audit", "--no-fund", "--silent")
    return at


def run(at: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=at, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.mark.slow
@needs_node
def test_audit_of_graphql_over_http_finds_nothing(served: tuple[str, str], node: Path) -> None:
    results: list[dict[str, Any]] = json.loads(run(node, "node", "audit.mjs", *served))
    assert len(results) > 50
    assert [one for one in results if one["status"] != "ok"] == []


@pytest.mark.slow
@needs_node
def test_apollo_runs_generated_operations(served: tuple[str, str], node: Path) -> None:
    run(node, "npx", "graphql-codegen", "--config", "codegen.json")
    run(node, "npx", "tsc", "--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext", "--target", "es2022",
        "typed.ts")  # fmt: skip
    run(node, "npx", "esbuild", "apollo.ts", "--bundle", "--platform=node", "--format=esm", "--outfile=apollo.mjs",
        "--log-level=error")  # fmt: skip
    answers = json.loads(run(node, "node", "apollo.mjs", *served))
    assert answers.keys() == {f"{name}Document" for name in SAID}
    (first,) = answers["CustomersWithReasonsDocument"]["accounts"]["nodes"]
    assert first["legalName"] == "Acorn Foods Ltd"


@pytest.mark.slow
@needs_node
def test_relay_compiles_a_connection_and_a_refetch_by_node(node: Path) -> None:
    run(node, "npx", "relay-compiler", "relay.config.json")
    made = {path.name for path in (node / "relay" / "__generated__").iterdir()}
    assert {"CustomersQuery.graphql.ts", "CustomersMoreQuery.graphql.ts", "CustomersOneQuery.graphql.ts"} <= made
