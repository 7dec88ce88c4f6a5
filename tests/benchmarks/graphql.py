"""Golden records over GraphQL beside a Flask endpoint written by hand: `python -m tests.benchmarks.graphql [--url …]`.

Both are asked in turn, in one run: the same processes of the production server (`hub serve`'s granian), the same tables,
the same key, the same JSON for an answer, which is compared before anything is measured. The endpoint does what
somebody would write who needs just these answers: a statement of their own, the driver's rows, `orjson`. Load comes
from wrk with 16 connections on the same machine. The store is filled directly, as judging would have left it.
`--golden 1000000` for a large one; `--limit 0.8` fails where GraphQL answers fewer requests than this share.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import orjson
from flask import Flask, Response, request
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from canonical.ids import SourceKey
from hub.serving import application, settle
from hub.settings import Settings
from hub.store import access, bulk
from hub.store.access import Principal
from hub.store.engine import writing
from hub.store.tables import golden, golden_version, record
from hub.web.graphql.shapes import camel
from hub.wiring import Hub

NOW = datetime(2026, 10, 1, 12, tzinfo=UTC)
PAGE = 100
CHUNK = 20_000
SCALARS = (
    "kind", "legal_name", "trading_name", "given_name", "family_name", "birth_date", "domain", "email", "phone",
    "status", "currency", "payment_terms", "industry", "segment", "external_number",
)  # fmt: skip
PARTS = {"billing_address": ("line1", "city", "postcode", "country"), "tax_id": ("number", "country")}
REASONS = "provenance { field source rule assertedAt losers { source reason } }"


_FIELDS = " ".join([*map(camel, SCALARS), *(f"{camel(n)} {{ {' '.join(parts)} }}" for n, parts in PARTS.items())])
ONE = f"query ($id: ID!) {{ account(id: $id) {{ id version label {_FIELDS} {REASONS} }} }}"
LIST = (
    f"query ($after: String) {{ accounts(first: {PAGE}, after: $after) "
    "{ nodes { id version label legalName domain email phone status currency billingAddress { city country } } "
    "pageInfo { hasNextPage endCursor } } }"
)


def golden_id(number: int) -> str:
    """The id of the golden record with this number; in order of number."""
    return f"acc_{number:08d}"


def fill(hub: Hub, size: int) -> None:
    """Customers, each with twenty-one values and the reasons for them."""
    keys = ((number, SourceKey("crm", "account", f"a{number}")) for number in range(size))
    while chunk := list(islice(keys, CHUNK)):
        with writing(hub.engine) as connection:
            columns = ("id", "system", "entity", "key", "number", "asserted_at", "content_hash", "state", "status")
            each = (NOW, b"\0" * 16, "live", "linked")
            bulk.insert(connection, record, columns,
                        ((key.record_id, "crm", "account", key.key, 1, *each) for _, key in chunk))  # fmt: skip
            columns = ("id", "entity", "state", "version", "label", "sources", "content_hash", "founder_id",
                       "generation", "published", "created_at", "changed_at")  # fmt: skip
            bulk.insert(connection, golden, columns, (
                (golden_id(n), "account", "live", 1, f"Company {n} Ltd", 3, b"\0" * 16, key.record_id, 1, False, NOW, NOW)
                for n, key in chunk
            ))  # fmt: skip
            columns = ("golden_id", "version", "values", "provenance", "members", "ruleset", "valid_from")
            members = [["billing:account:b1", "1"], ["crm:account:a1", "1"], ["erp:account:e1", "1"]]
            bulk.insert(connection, golden_version, columns, (
                (golden_id(n), 1, values(n), reasons(n), members, "bench", NOW) for n, _ in chunk
            ))  # fmt: skip


def values(number: int) -> dict[str, Any]:
    """What the record with this number holds."""
    said = {name: f"{name} {number}" for name in SCALARS}
    return said | {"legal_name": f"Company {number} Ltd", "domain": f"company{number}.example", "currency": "EUR"} | {
        "billing_address": {"line1": f"{number} High Street", "city": "Leeds", "postcode": "LS1 4AP", "country": "GB"},
        "tax_id": {"number": f"GB{number:09d}", "country": "GB"},
    }  # fmt: skip


def reasons(number: int) -> dict[str, Any]:
    """Where its values come from."""
    said = [f"crm:account:a{number}", "owner", NOW.isoformat(), [[f"billing:account:b{number}", "not the owner"]]]
    return dict.fromkeys((*SCALARS, *PARTS), said)


def by_hand(hub: Hub) -> Flask:
    """The endpoint that somebody would write for just these two questions, over the driver."""
    app, engine = Flask("by hand"), hub.engine
    mark = "?" if engine.dialect.name == "sqlite" else "%s"
    holds = f"select secret_hash, expires_at, revoked_at from api_key where id = {mark}"
    shown = ("select g.id, v.version, g.label, v.\"values\"{} from golden g join golden_version v "
             "on v.golden_id = g.id and v.version = g.version where ")  # fmt: skip
    one = shown.format(", v.provenance") + f"g.id = {mark}"
    many = shown.format("") + (
        f"g.entity = 'account' and g.state = 'live' and g.id > {mark} order by g.id limit {PAGE + 1}"
    )
    read = orjson.loads if engine.dialect.name == "sqlite" else lambda told: told

    @app.before_request
    def _known() -> tuple[str, int] | None:
        _, id_, secret = request.headers["Authorization"].removeprefix("Bearer ").split("_", 2)
        found = _rows(holds, id_)
        fits = found and secrets.compare_digest(found[0][0], sha256(secret.encode()).digest())
        return None if fits and found[0][1] is None and found[0][2] is None else ("no", 401)

    def _rows(statement: str, given: str) -> Any:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            return connection.exec_driver_sql(statement, (given,)).fetchall()

    def _told(row: Any, names: tuple[str, ...], parts: dict[str, tuple[str, ...]]) -> dict[str, Any]:
        held = read(row[3])
        told = {"id": row[0], "version": row[1], "label": row[2]} | {camel(n): held.get(n) for n in names}
        return told | {camel(n): held.get(n) and {p: held[n].get(p) for p in inner} for n, inner in parts.items()}

    @app.get("/account/<id_>")
    def account(id_: str) -> Response:
        (row,) = _rows(one, id_)
        told = _told(row, SCALARS, PARTS)
        told["provenance"] = [
            {"field": name, "source": source, "rule": rule, "assertedAt": at,
             "losers": [{"source": loser, "reason": reason} for loser, reason in losers]}
            for name, (source, rule, at, losers) in read(row[4]).items()
        ]  # fmt: skip
        return Response(orjson.dumps({"data": {"account": told}}), content_type="application/json")

    @app.get("/accounts")
    def accounts() -> Response:
        rows = _rows(many, request.args.get("after", ""))
        names = ("legal_name", "domain", "email", "phone", "status", "currency")
        nodes = [_told(row, names, {"billing_address": ("city", "country")}) for row in rows[:PAGE]]
        end = _cursor(nodes[-1]["id"]) if nodes else None
        page = {"nodes": nodes, "pageInfo": {"hasNextPage": len(rows) > PAGE, "endCursor": end}}
        return Response(orjson.dumps({"data": {"accounts": page}}), content_type="application/json")

    return app


def _cursor(id_: str) -> str:
    from hub.store.listing import Sort
    from hub.web.graphql.connections import _cursor as cursor

    return cursor({"id": id_}, Sort())


def both() -> Any:
    """What the server serves: the hub, and under /hand what was written by hand, in the same processes."""
    made = application()
    made.wsgi_app = DispatcherMiddleware(made.wsgi_app, {"/hand": by_hand(made.config["HUB"]).wsgi_app})
    settle()
    return made


@contextmanager
def served(settings: Settings, port: int) -> Iterator[str]:
    """Both under the production server; where."""
    said = {"HUB_DIR": str(settings.dir), "HUB_DATABASE_URL": settings.url, "HUB_SECRET": "benchmark" * 4}
    server = subprocess.Popen(
        [sys.executable, "-m", "granian", "tests.benchmarks.graphql:both", "--factory", "--interface", "wsgi",
         "--workers", str(settings.processes), "--blocking-threads", "4", "--port", str(port), "--no-ws", "--log-level", "warning"],
        env=os.environ | said,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(120):
            try:
                urllib.request.urlopen(f"{address}/health")  # noqa: S310 (our own server)
                break
            except OSError:
                time.sleep(0.5)
        yield address
    finally:
        server.terminate()
        server.wait(30)


class Load:
    """wrk with a key against one address."""

    def __init__(self, folder: Path, address: str, key: str, seconds: float) -> None:
        """Scripts are written into the folder."""
        self.folder, self.address, self.key, self.seconds = folder, address, key, seconds

    def ask(self, path: str, body: Any = None) -> dict[str, Any]:
        """One answer."""
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        sent = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(self.address + path, sent, headers)  # noqa: S310 (our own server)
        with urllib.request.urlopen(asked) as answer:  # noqa: S310 (the same)
            told: dict[str, Any] = json.loads(answer.read())
        return told

    def measure(self, lines: list[tuple[str, Any]], clients: int) -> tuple[float, float, float]:
        """Requests per second, p50 and p99 in milliseconds, of these requests in turn."""
        bodies = [f"{{{_lua(path)}, {_lua(json.dumps(body)) if body else 'nil'}}}" for path, body in lines]
        script = self.folder / "load.lua"
        script.write_text(_SCRIPT % (self.key, ",\n".join(bodies)))
        threads = min(2, clients)
        told = subprocess.run(
            [_wrk(), "-t", str(threads), "-c", str(clients), "-d", f"{self.seconds:g}s", "-s", script, self.address],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        found = re.search(r"RESULT (\S+) (\S+) (\S+) (\d+)", told)
        if not found or int(found[4]):
            raise SystemExit(f"not every request was answered:\n{told}")
        return float(found[1]), float(found[2]), float(found[3])


_SCRIPT = """
local key = "%s"
local asked = {%s}
local n = 0
function request()
  n = n %% #asked + 1
  local headers = {["Authorization"] = "Bearer " .. key, ["Content-Type"] = "application/json"}
  return wrk.format(asked[n][2] and "POST" or "GET", asked[n][1], headers, asked[n][2])
end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format("RESULT %%f %%f %%f %%d\\n", summary.requests / summary.duration * 1e6,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, e.connect + e.read + e.write + e.status + e.timeout))
end
"""


def _lua(text: str) -> str:
    return json.dumps(text)


def _wrk() -> str:
    found = shutil.which("wrk")
    if found is None:
        raise SystemExit("wrk is not there: it makes the load (Debian: apt-get install wrk).")
    return found


def questions(size: int) -> dict[str, tuple[list[tuple[str, Any]], list[tuple[str, Any]]]]:
    """What is asked, of GraphQL and of the endpoint."""
    some = [golden_id(number * 7919 % size) for number in range(500)]
    pages = {"first page of 100": 0, f"page {min(10_000, size // PAGE - 1):,} of 100": min(10_000, size // PAGE - 1)}
    asked = {
        "one record, 21 values, provenance": (
            [("/graphql", {"query": ONE, "variables": {"id": id_}}) for id_ in some],
            [(f"/hand/account/{id_}", None) for id_ in some],
        )
    }
    for name, page in pages.items():
        last = golden_id(page * PAGE - 1) if page else None
        after = {"after": _cursor(last)} if last else {}
        told: tuple[list[tuple[str, Any]], list[tuple[str, Any]]] = (
            [("/graphql", {"query": LIST, "variables": after})],
            [(f"/hand/accounts?after={last or ''}", None)],
        )
        asked[name] = told
    return asked


def compare(load: Load, size: int, rounds: int) -> dict[str, list[tuple[float, float, float]]]:
    """Question → GraphQL and the endpoint, each by its median round; they take turns."""
    found = {}
    for name, (ours, theirs) in questions(size).items():
        one, other = load.ask(*ours[0])["data"], load.ask(*theirs[0])["data"]
        if one != other:
            raise SystemExit(f"{name}: the two answers differ:\n{one}\n{other}")
        load.measure(ours, 16)
        load.measure(theirs, 16)
        told = [(load.measure(ours, 16), load.measure(theirs, 16)) for _ in range(rounds)]
        found[name] = [tuple(map(median, zip(*side, strict=True))) for side in zip(*told, strict=True)]
    return found  # type: ignore[return-value]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", help="An empty PostgreSQL database; SQLite without.")
    parser.add_argument("--golden", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--port", type=int, default=18_473)
    parser.add_argument("--limit", type=float, help="The share of the endpoint's requests that is enough.")
    asked = parser.parse_args()
    with TemporaryDirectory() as folder:
        settings = Settings(dir=Path(folder), database_url=asked.url)
        hub = Hub(settings)
        hub.prepare()
        fill(hub, asked.golden)
        with writing(hub.engine) as connection:
            key = access.issue(connection, Principal("bench", "reader"), hub.clock())
            connection.exec_driver_sql("analyze")
        hub.engine.dispose()
        with served(settings, asked.port) as address:
            found = compare(Load(Path(folder), address, key, asked.seconds), asked.golden, asked.rounds)
    print(f"{hub.engine.dialect.name}, {asked.golden:,} golden records, 16 clients, {settings.processes} processes")
    print("| question | GraphQL req/s | by hand | ratio | p50 ms | p99 ms | by hand p50 | p99 |\n|" + " --- |" * 8)
    for name, ((rate, middle, most), (other, low, high)) in found.items():
        print(
            f"| {name} | {rate:,.0f} | {other:,.0f} | {rate / other:.2f} | {middle:.1f} | {most:.1f} | {low:.1f} | {high:.1f} |"
        )
    if asked.limit and any(ours[0] < asked.limit * theirs[0] for ours, theirs in found.values()):
        sys.exit("GraphQL answers too few.")


if __name__ == "__main__":
    main()
