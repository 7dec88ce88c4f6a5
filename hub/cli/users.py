"""Local accounts on the command line."""

from __future__ import annotations

from pathlib import Path

import click

from hub.cli.terminal import folder, form, open_hub, put_json, put_table, say

author = click.option("--as", "author", default="cli", show_default=True, help="Your name; it stands in the audit log.")
password = click.option(
    "--password", envvar="HUB_PASSWORD", prompt=True, hide_input=True, confirmation_prompt=True,
    help="Asked for, or from HUB_PASSWORD.",
)  # fmt: skip


@click.group()
def users() -> None:
    """Local accounts: who signs in to the console with a password."""


@users.command("add")
@click.argument("name")
@click.argument("role")
@password
@author
@folder
def add(name: str, role: str, *, password: str, author: str, directory: Path | None) -> None:
    """Make an account NAME in ROLE."""
    from hub.store import people
    from hub.store.access import Principal
    from hub.store.engine import writing

    hub = open_hub(directory)
    with writing(hub.engine) as connection:
        people.add(connection, Principal(name, role), password, author, hub.clock())
    say(f"{name} may sign in as {role}.")


@users.command("ls")
@folder
@form
def listing(*, directory: Path | None, form: str) -> None:
    """List accounts."""
    from hub.store import people
    from hub.store.engine import reading

    hub = open_hub(directory)
    with reading(hub.engine) as connection:
        rows = people.every(connection)
    if form == "json":
        put_json(rows)
        return
    now = hub.clock()
    locked = {row["name"] for row in rows if row["locked_until"] and row["locked_until"] > now}
    put_table(
        ("name", "role", "state", "last seen"),
        [
            (
                row["name"], row["role"],
                "disabled" if row["disabled_at"] else "locked" if row["name"] in locked else "active",
                f"{row['last_seen_at']:%Y-%m-%d %H:%M}" if row["last_seen_at"] else "",
            )
            for row in rows
        ],
    )  # fmt: skip


@users.command("passwd")
@click.argument("name")
@password
@author
@folder
def passwd(name: str, *, password: str, author: str, directory: Path | None) -> None:
    """Set a new password for NAME; its sessions end."""
    from hub.store import people
    from hub.store.engine import writing

    hub = open_hub(directory)
    with writing(hub.engine) as connection:
        people.change_password(connection, name, password, author, hub.clock())
    say(f"{name} has a new password; sessions from before are over.")


@users.command("disable")
@click.argument("name")
@author
@folder
def disable(name: str, *, author: str, directory: Path | None) -> None:
    """Let nobody sign in as NAME; its sessions end."""
    from hub.store import people
    from hub.store.engine import writing

    hub = open_hub(directory)
    with writing(hub.engine) as connection:
        people.disable(connection, name, author, hub.clock())
    say(f"{name} cannot sign in any more.")
