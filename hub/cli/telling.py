"""Commands about outgoing webhooks."""

from __future__ import annotations

from pathlib import Path

import click

from hub.cli.terminal import folder, form, open_hub, put_json, put_table, say

author = click.option("--as", "author", required=True, help="Your name; it stands in the journal.")


@click.group()
def webhooks() -> None:
    """Changes told to others, signed, until they are taken."""


@webhooks.command("add")
@click.argument("url")
@click.option("--entity", "entities", multiple=True, help="Only this canonical entity; may stand several times.")
@author
@folder
def add(url: str, *, entities: tuple[str, ...], author: str, directory: Path | None) -> None:
    """Tell URL of every change from now on; prints the secret to verify signatures with, this once."""
    from hub.flow.webhooks import subscribe

    hub = open_hub(directory)
    made, secret = subscribe(hub.engine, url, entities, author, hub.clock())
    click.echo(secret)
    say(f"webhook {made}. The schedule `webhooks` tells it every minute; `hub webhooks log {made}` shows each try.")


@webhooks.command("ls")
@folder
@form
def ls(*, directory: Path | None, form: str) -> None:
    """List the webhooks."""
    from hub.store import webhooks as stored
    from hub.store.engine import reading

    with reading(open_hub(directory).engine) as connection:
        rows = stored.every(connection)
    if form == "json":
        put_json(rows)
        return
    columns = ("id", "url", "state", "cursor", "attempts", "next_at", "created_by")
    put_table(columns, [[row[name] for name in columns] for row in rows])


@webhooks.command("log")
@click.argument("webhook", type=int)
@folder
@form
def log(webhook: int, *, directory: Path | None, form: str) -> None:
    """List the newest tries of WEBHOOK."""
    from hub.store import webhooks as stored
    from hub.store.engine import reading

    with reading(open_hub(directory).engine) as connection:
        rows = stored.deliveries(connection, webhook)
    if form == "json":
        put_json(rows)
        return
    columns = ("id", "message", "events", "attempt", "status", "says", "at")
    put_table(columns, [[row[name] for name in columns] for row in rows])


@webhooks.command("resend")
@click.argument("delivery", type=int)
@author
@folder
def resend(delivery: int, *, author: str, directory: Path | None) -> None:
    """Go back to before DELIVERY and tell from there again."""
    from hub.flow.webhooks import resend as go_back

    hub = open_hub(directory)
    go_back(hub.engine, delivery, author, hub.clock())
    say("told again with the next run.")


@webhooks.command("pause")
@click.argument("webhook", type=int)
@click.option("--resume", is_flag=True, help="Let it tell again, from where it stands.")
@author
@folder
def pause(webhook: int, *, resume: bool, author: str, directory: Path | None) -> None:
    """Pause WEBHOOK, or let it tell again."""
    from hub.flow.webhooks import set_state

    hub = open_hub(directory)
    set_state(hub.engine, webhook, "active" if resume else "paused", author, hub.clock())
    say("tells again." if resume else "paused; what it misses is told when it is resumed.")
