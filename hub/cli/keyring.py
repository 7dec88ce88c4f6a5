"""Commands about API keys: who has one, what it sees, and until when it holds."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import click

from hub.cli.terminal import folder, form, open_hub, put_json, put_table, say

author = click.option("--as", "author", default="command line", help="Your name; it stands in the audit log.")


@click.group()
def keys() -> None:
    """API keys."""


@keys.command("issue")
@click.argument("name")
@click.argument("role", type=click.Choice(["reader", "steward", "approver", "operator", "engineer", "admin"]))
@click.option("--entity", "entities", multiple=True, help="Only this entity; may stand several times.")
@click.option("--hide", "hidden", multiple=True, type=click.Choice(["personal", "money"]), help="Fields it masks.")
@click.option("--until", help="When it expires: 2026-12-31 or 2026-12-31T18:00Z.")
@click.option("--rate", default=6000, show_default=True, help="Requests a minute; 0 for any number.")
@click.option("--cost", default=6000000, show_default=True, help="Cost a minute, as answers tell it; 0 for any.")
@author
@folder
def issue(name: str, role: str, *, entities: tuple[str, ...], directory: Path | None, **said: object) -> None:
    """Issue a key for NAME in ROLE; it is shown this once."""
    from hub.store.access import Principal, grant
    from hub.store.allowance import Limits
    from hub.store.engine import writing
    from hub.store.sight import Sight

    hub, hidden, until = open_hub(directory), said["hidden"], said["until"]
    sight = Sight.of(entities or None, hidden if isinstance(hidden, tuple) else ())
    who = Principal(name, role, sight, limits=Limits(*(int(str(said[one])) or None for one in ("rate", "cost"))))
    with writing(hub.engine) as connection:
        ends = _time(until) if isinstance(until, str) else None
        click.echo(grant(connection, who, str(said["author"]), hub.clock(), expires_at=ends))


@keys.command("ls")
@folder
@form
def ls(*, directory: Path | None, form: str) -> None:
    """List the keys: whose, what each sees, when it was last used, and its state. Never their secrets."""
    from hub.store.access import every
    from hub.store.engine import reading

    hub = open_hub(directory)
    with reading(hub.engine) as connection:
        rows = every(connection, hub.clock())
    if form == "json":
        put_json(rows)
        return
    columns = (
        "id",
        "name",
        "role",
        "state",
        "entities",
        "hidden",
        "rate",
        "cost",
        "last_used_at",
        "expires_at",
        "heir",
    )
    put_table(columns, [[", ".join(v) if isinstance(v := row[name], list) else v for name in columns] for row in rows])


@keys.command("rotate")
@click.argument("key_id")
@click.option("--overlap", default=7.0, show_default=True, help="Days for which the old key still holds.")
@author
@folder
def rotate(key_id: str, *, overlap: float, author: str, directory: Path | None) -> None:
    """Print a new key in place of KEY_ID, shown this once; the old one holds until the overlap is over."""
    from hub.store import access
    from hub.store.engine import writing

    hub = open_hub(directory)
    with writing(hub.engine) as connection:
        made = access.rotate(connection, key_id, author, hub.clock(), overlap=timedelta(days=overlap))
    click.echo(made)
    say(f"{key_id} holds for {overlap:g} more days.")


@keys.command("revoke")
@click.argument("key_id")
@author
@folder
def revoke(key_id: str, *, author: str, directory: Path | None) -> None:
    """End the key whose id is the part between the first two underscores."""
    from hub.store.access import revoke as revoke_key
    from hub.store.engine import writing

    hub = open_hub(directory)
    with writing(hub.engine) as connection:
        ended = revoke_key(connection, key_id, author, hub.clock())
    put_table(("key", "state"), [(key_id, "revoked" if ended else "was not in force")])


def _time(text: str) -> datetime:
    from hub.flow.travel import moment

    return moment(text)
