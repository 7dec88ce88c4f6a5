"""Publishing on the command line: plan, show, approve, apply."""

from __future__ import annotations

from pathlib import Path

import click

from hub.cli.failing import COMMANDS as FAILING
from hub.cli.terminal import folder, form, open_hub, plan_number, put_json, put_table, say

author = click.option("--as", "author", required=True, help="Your name; it stands in the journal.")


@click.group()
def publish() -> None:
    """Plan, approve and apply what goes to a target."""


for command in FAILING:
    publish.add_command(command)


@publish.command("plan")
@click.argument("target")
@author
@folder
@form
def plan(target: str, *, author: str, directory: Path | None, form: str) -> None:
    """Save a plan of everything that TARGET has not heard of yet."""
    from hub.flow.publish import make_plan

    hub = open_hub(directory)
    plan_id = make_plan(hub.engine, hub.target(target), author, hub.clock())
    _show(hub, plan_id, form)
    say(f"saved P-{plan_id}. Next: hub publish approve P-{plan_id} --as SOMEBODY-ELSE")


@publish.command("show")
@click.argument("plan")
@folder
@form
def show(plan: str, *, directory: Path | None, form: str) -> None:
    """Show what a plan sends, or sent."""
    _show(open_hub(directory), plan_number(plan), form)


@publish.command("approve")
@click.argument("plan")
@click.option("--hash", "content", help="Approve only if the plan has this content.")
@click.option("--role", default="approver", show_default=True, help="The role that you approve in.")
@author
@folder
def approve(plan: str, *, content: str | None, role: str, author: str, directory: Path | None) -> None:
    """Approve PLAN. Its author cannot."""
    from hub.flow.publish import approve as approve_plan

    hub = open_hub(directory)
    approve_plan(hub.engine, plan_number(plan), content, author, hub.clock(), role=role)
    say(f"approved. Next: hub publish apply {plan}")


@publish.command("apply")
@click.argument("plan")
@folder
@form
def apply(plan: str, *, directory: Path | None, form: str) -> None:
    """Send exactly what PLAN says."""
    from hub import queries
    from hub.flow.publish import apply as apply_plan

    hub = open_hub(directory)
    head = queries.plan(hub.engine, plan_number(plan))
    result = apply_plan(hub.engine, hub.target(head["target"]), head["id"], hub.clock)
    if form == "json":
        put_json(result)
    else:
        put_table(("state", "records"), sorted(result.items()))
    if result.keys() & {"planned", "sending"}:
        say("not all of it: what waits for its next try is sent by `hub work`, or by this command again.")
    if result.get("rejected") or result.get("parked"):
        raise SystemExit(4)


@publish.command("waiting")
@folder
@form
def waiting(directory: Path | None, *, form: str) -> None:
    """List what waits for somebody's approval before it may leave."""
    from hub.store.engine import reading
    from hub.store.plans import waiting as listed

    with reading(open_hub(directory).engine) as connection:
        rows = listed(connection)
    columns = ("golden_id", "version", "label", "target", "waits_for", "created_at")
    if form == "json":
        put_json([{name: row[name] for name in columns} for row in rows])
    else:
        put_table(columns, [[row[name] for name in columns] for row in rows])


@publish.command("release")
@click.argument("golden")
@click.argument("target")
@click.option("--version", type=int, required=True, help="The version that you have seen.")
@click.option("--role", default="approver", show_default=True, help="In which role you approve.")
@click.option("--reason", required=True, help="Why it may leave.")
@author
@folder
def release(
    golden: str, target: str, *, version: int, role: str, reason: str, author: str, directory: Path | None
) -> None:
    """Let what waits of GOLDEN leave for TARGET."""
    from hub.store.access import Principal

    open_hub(directory).desk(Principal(author, role)).approve(golden, target, version, reason)
    say("approved; the next plan takes it along.")


@publish.command("ls")
@folder
@form
def ls(directory: Path | None, *, form: str) -> None:
    """List the plans, the newest first."""
    from hub import queries

    rows = queries.plans(open_hub(directory).engine)
    if form == "json":
        put_json(rows)
    else:
        put_table(
            ("plan", "target", "state", "made", "by"),
            [(f"P-{r['id']}", r["target"], r["state"], r["created_at"], r["created_by"]) for r in rows],
        )


def _show(hub: object, plan_id: int, form: str) -> None:
    from hub import queries

    head, entries = queries.plan_with_entries(hub.engine, plan_id)  # type: ignore[attr-defined]
    if form == "json":
        put_json(dict(head) | {"entries": entries})
        return
    counts: dict[str, int] = {}
    for entry in entries:
        word = "held" if entry["state"] == "held" else entry["action"]
        counts[word] = counts.get(word, 0) + 1
    click.echo(
        f"P-{plan_id} {head['target']} {head['state']} hash {head['content_hash'][:8]}: "
        + ", ".join(f"{n} {w}" for w, n in sorted(counts.items()))
    )
    for entry in [e for e in entries if e["action"] != "unchanged"][:20]:
        changed = ", ".join(sorted(entry["changes"])[:6])
        what = f"{entry['golden_id']} {entry['label']}  {entry['reason'] or changed}"
        click.echo(f"  {entry['action']:<10} {entry['state']:<12} {what}")
