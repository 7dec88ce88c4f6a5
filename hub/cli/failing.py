"""Commands about what is under way to targets, and what did not go across."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from hub.cli.terminal import folder, form, open_hub, plan_number, put_json, put_table, say

author = click.option("--as", "author", required=True, help="Your name; it stands in the journal.")
reason = click.option("--reason", required=True, help="Why.")
role = click.option("--role", default="operator", show_default=True, help="The role that you act in.")


@click.command("status")
@click.argument("target", required=False)
@folder
@form
def status(target: str | None, *, directory: Path | None, form: str) -> None:
    """Tell what is under way: owed, failed, and plans that have not ended."""
    from hub.flow.failures import status as told

    rows = told(open_hub(directory).engine, target)
    if form == "json":
        put_json(rows)
        return
    for row in rows:
        states = ", ".join(f"{count} {state}" for state, count in row["failed"].items() if count) or "none"
        click.echo(f"{row['target']}: {row['owed']} owed and in no plan; failed: {states}")
        if gate := row["gate"]:
            click.echo(f"  nothing is sent before {gate['opens_at']:%Y-%m-%d %H:%M:%S} UTC: {gate['says']}")
        for one in row["plans"]:
            counts = ", ".join(f"{count} {state}" for state, count in sorted(one["counts"].items()))
            sender = f", sent by {one['holder']}" if one["holder"] else ""
            again = f", next try {one['next_at']:%Y-%m-%d %H:%M:%S} UTC" if one["next_at"] else ""
            click.echo(f"  P-{one['id']} {one['state']}: {counts}{sender}{again}")


@click.command("failed")
@click.argument("target", required=False)
@folder
@form
def failed(target: str | None, *, directory: Path | None, form: str) -> None:
    """List what did not go across: why, how often it was tried, and what comes next."""
    from hub.flow.failures import failed as told

    rows = told(open_hub(directory).engine, target)
    if form == "json":
        put_json(rows)
        return
    columns = ("target", "golden_id", "label", "version", "state", "status", "tries", "since", "says", "next")
    put_table(columns, [[row[name] for name in columns] for row in rows])


@click.command("replay")
@click.argument("target")
@click.argument("golden", nargs=-1)
@role
@reason
@author
@folder
def replay(target: str, golden: Sequence[str], *, role: str, reason: str, author: str, directory: Path | None) -> None:
    """Try anew what TARGET did not take: the GOLDEN records named, or all but the parked ones."""
    from hub.flow.failures import replay as again
    from hub.store.access import Principal

    hub = open_hub(directory)
    ids = again(hub.engine, target, golden, Principal(author, role), reason=reason, now=hub.clock())
    say(f"{len(ids)} go into the next plan. Next: hub publish plan {target} --as {author}")


@click.command("park")
@click.argument("target")
@click.argument("golden")
@role
@reason
@author
@folder
def park(target: str, golden: str, *, role: str, reason: str, author: str, directory: Path | None) -> None:
    """Send nothing of GOLDEN to TARGET until it is replayed; plans go on without it."""
    from hub.flow.failures import park as set_aside
    from hub.store.access import Principal

    hub = open_hub(directory)
    set_aside(hub.engine, target, golden, Principal(author, role), reason=reason, now=hub.clock())
    say(f"parked. Next, once it may go: hub publish replay {target} {golden}")


@click.command("discard")
@click.argument("plan")
@role
@reason
@author
@folder
def discard(plan: str, *, role: str, reason: str, author: str, directory: Path | None) -> None:
    """Discard PLAN, of which nothing was sent yet; what it would have sent is owed again."""
    from hub.flow.publish import discard as drop
    from hub.store.access import Principal

    hub = open_hub(directory)
    drop(hub.engine, plan_number(plan), Principal(author, role), reason, hub.clock())
    say("discarded; the next plan takes it along.")


COMMANDS = (status, failed, replay, park, discard)
