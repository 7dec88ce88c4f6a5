"""Commands about roles that are lent for approvals."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from hub.cli.terminal import folder, form, open_hub, put_json, put_table, say

author = click.option("--as", "author", required=True, help="Your name; it stands in the journal.")
role = click.option("--role", required=True, help="The role that you have.")


@click.group()
def delegation() -> None:
    """Approvals while somebody is away: lend a role until a day, take it back."""


@delegation.command("lend")
@click.argument("borrower")
@role
@click.option("--until", required=True, type=click.DateTime(formats=["%Y-%m-%d"]), help="The day on which it ends.")
@click.option("--reason", required=True, help="Why.")
@author
@folder
def lend(borrower: str, *, role: str, until: datetime, reason: str, author: str, directory: Path | None) -> None:
    """Let BORROWER approve in your role."""
    from hub.flow.approvals import Loan
    from hub.flow.approvals import lend as lend_role
    from hub.store.access import Principal

    hub = open_hub(directory)
    loan = Loan(role, borrower, until.replace(tzinfo=UTC), reason)
    made = lend_role(hub.engine, Principal(author, role), loan, hub.clock())
    say(f"{borrower} may approve as {role} until {until:%Y-%m-%d}. To end it: hub delegation end {made} --as {author}")


@delegation.command("end")
@click.argument("number", type=int)
@click.option("--role", default="approver", show_default=True, help="The role that you have.")
@author
@folder
def end(number: int, *, role: str, author: str, directory: Path | None) -> None:
    """Take delegation NUMBER back."""
    from hub.flow.approvals import take_back
    from hub.store.access import Principal

    hub = open_hub(directory)
    take_back(hub.engine, number, Principal(author, role), hub.clock())
    say("taken back.")


@delegation.command("ls")
@folder
@form
def ls(*, directory: Path | None, form: str) -> None:
    """List delegations, the newest first."""
    from hub.store import delegations
    from hub.store.engine import reading

    with reading(open_hub(directory).engine) as connection:
        rows = delegations.every(connection)
    if form == "json":
        put_json(rows)
    else:
        columns = ("id", "role", "lender", "borrower", "since", "until", "ended_at", "reason")
        put_table(columns, [[row[name] for name in columns] for row in rows])
