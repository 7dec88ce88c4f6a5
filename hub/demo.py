"""The whole road on a synthetic company: five systems in, golden records, a publish run out."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click

from adapters.registry import SOURCES
from hub import queries
from hub.flow import publish
from hub.store import access, people, schedules
from hub.store.access import ROLES, Principal
from hub.store.engine import Connection, writing
from hub.wiring import Hub
from seed import generate

STATES = ("acknowledged", "rejected", "held", "superseded", "parked")
QUERY = (
    "{ accounts(first: 3) { nodes { id legalName status taxId { country number } "
    'provenance(fields: ["legalName"]) { source rule } } } }'
)


@dataclass(frozen=True, slots=True)
class Result:
    """What the demo did, and the keys that it issued."""

    document: dict[str, Any]
    keys: dict[str, str]
    passwords: dict[str, str]
    seconds: float
    unbalanced: list[Any]


def run(hub: Hub, accounts: int, say: Callable[[str], None]) -> Result:
    """Generate, ingest, judge, publish. Run again, it changes nothing and plans nothing new."""
    started = time.perf_counter()
    folder = hub.settings.dir / "seed"
    generate(folder, accounts=accounts)
    for system in SOURCES:
        for path in sorted((folder / system).iterdir()):
            report = hub.ingest_file(hub.source(system), path)
            counts = f"{report.payloads} payloads, {report.rejected} rejected, {report.repeated} repeated"
            say(f"{system}/{path.name}: {counts}")
    published = _publish(hub)
    with writing(hub.engine) as connection:
        nightly = {"id": "nightly-erp", "job": "publish", "target": "erp"}
        schedules.put(connection, nightly | {"cron": "0 2 * * *", "timezone": "UTC", "paused": False})
        checked = {"id": "morning-erp", "job": "reconcile", "target": "erp"}
        schedules.put(connection, checked | {"cron": "0 6 * * *", "timezone": "UTC", "paused": False})
        keys = {role: access.issue(connection, Principal(f"demo-{role}", role), hub.clock()) for role in ROLES}
        passwords = {f"demo-{role}": _account(connection, Principal(f"demo-{role}", role), hub) for role in ROLES}
    found = queries.overview(hub.engine)
    document = {"sources": found["sources"], "golden": found["golden"], "tasks": found["tasks"], "publish": published}
    return Result(document, keys, passwords, time.perf_counter() - started, queries.unbalanced(found["sources"]))


def tell(result: Result, port: int) -> None:
    """Print what there is now and what to look at next."""
    document = result.document
    click.echo(f"{'SYSTEM':<9}{'ENTITY':<18}{'ACCEPTED':>9}{'LINKED':>8}{'REVIEW':>8}{'REJECTED':>9}{'FAILED':>8}")
    for row in document["sources"]:
        counts = "".join(
            f"{row[name]:>{width}}"
            for name, width in (("accepted", 9), ("linked", 8), ("review", 8), ("rejected", 9), ("failed", 8))
        )
        click.echo(f"{row['system']:<9}{row['entity']:<18}{counts}")
    click.echo(
        f"\naccepted = linked + review + rejected + failed: {'no!' if result.unbalanced else 'yes, on every line'}"
    )
    click.echo("golden    " + ", ".join(f"{count} {name}" for name, count in document["golden"].items()))
    click.echo("tasks     " + ", ".join(f"{count} {kind}" for kind, count in sorted(document["tasks"].items())))
    click.echo("published " + ", ".join(f"{document['publish'][name]} {name}" for name in ("planned", *STATES)))
    click.echo(f"done in {result.seconds:.1f} s\n")
    click.echo(f"console   http://127.0.0.1:{port}/          sign in with an account below")
    click.echo(f"graphql   http://127.0.0.1:{port}/graphql\n")
    for name, password in result.passwords.items():
        click.echo(f"{name:<14} {password}")
    click.echo()
    for role, key in result.keys.items():
        click.echo(f"{role:<9} {key}")
    click.echo(f"\ncurl -s http://127.0.0.1:{port}/graphql -H 'Authorization: Bearer {result.keys['reader']}' \\")
    click.echo(f"  -H 'Content-Type: application/json' -d '{_as_json(QUERY)}'\n")
    click.echo(
        "next: open the review queue in the console, or `hub review ls`; `hub walk crm:account:…` follows one record."
    )


def _publish(hub: Hub) -> dict[str, int]:
    target = hub.target("erp")
    plan_id = publish.make_plan(hub.engine, target, "demo", hub.clock())
    publish.approve(hub.engine, plan_id, None, "demo-approver", hub.clock())
    counts = publish.apply(hub.engine, target, plan_id, hub.clock)
    return {"planned": sum(counts.values()), **{state: counts.get(state, 0) for state in STATES}}


def _account(connection: Connection, who: Principal, hub: Hub) -> str:
    """An account of this run: its password is new each time."""
    password = secrets.token_urlsafe(12)
    if who.name in {row["name"] for row in people.every(connection)}:
        people.change_password(connection, who.name, password, "demo", hub.clock())
    else:
        people.add(connection, who, password, "demo", hub.clock())
    return password


def _as_json(query: str) -> str:
    import json

    return json.dumps({"query": query})
