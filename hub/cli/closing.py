"""Commands about closed books."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from hub.cli.terminal import folder, form, open_hub, put_json, put_table, say

author = click.option("--as", "author", required=True, help="Your name; it stands in the journal.")
reason = click.option("--reason", required=True, help="Why.")


@click.group()
def books() -> None:
    """Closed books: what touches a closed period waits for finance before it leaves."""


@books.command("close")
@click.option("--of", "whose", default="*", help="The golden id of the legal entity; everybody's without it.")
@click.option("--through", required=True, type=click.DateTime(formats=["%Y-%m-%d"]), help="The last closed day.")
@reason
@author
@folder
def close(*, whose: str, through: datetime, reason: str, author: str, directory: Path | None) -> None:
    """Close books through a day."""
    from hub.flow.books import close as close_books
    from hub.flow.promote import Will

    hub = open_hub(directory)
    made = close_books(hub.engine, whose, through.date(), Will(author, reason), hub.clock())
    say(f"closed through {through:%Y-%m-%d}. To reopen: hub books reopen {made} --reason WHY --as {author}")


@books.command("reopen")
@click.argument("closing", type=int)
@reason
@author
@folder
def reopen(closing: int, *, reason: str, author: str, directory: Path | None) -> None:
    """Take CLOSING back."""
    from hub.flow.books import reopen as reopen_books
    from hub.flow.promote import Will

    hub = open_hub(directory)
    reopen_books(hub.engine, closing, Will(author, reason), hub.clock())
    say("reopened.")


@books.command("ls")
@folder
@form
def ls(*, directory: Path | None, form: str) -> None:
    """List closings, the newest first, and how many records of their period have changed since."""
    from hub.flow.books import outdated
    from hub.store import books as stored
    from hub.store.engine import reading

    hub = open_hub(directory)
    with reading(hub.engine) as connection:
        moved = outdated(connection, hub.rulesets)
        rows = [row | {"touched": len({one.golden for one in moved.get(row["id"], ())})}
                for row in stored.every(connection)]  # fmt: skip
    if form == "json":
        put_json(rows)
    else:
        columns = ("id", "books", "through", "author", "reason", "closed_at", "reopened_at", "reopened_by", "touched")
        put_table(columns, [[row[name] for name in columns] for row in rows])
