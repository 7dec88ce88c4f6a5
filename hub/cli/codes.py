"""Commands about code lists: what a system's code means, and which nobody has explained."""

from __future__ import annotations

from pathlib import Path

import click

from hub.cli.terminal import folder, form, open_hub, put_json, put_table, say

author = click.option("--as", "author", required=True, help="Your name; it stands in the journal.")
reason = click.option("--reason", required=True, help="How you know.")
place = (
    click.argument("system"), click.argument("entity"), click.argument("field"), click.argument("code")
)  # fmt: skip


@click.group()
def codes() -> None:
    """Code lists: a system's codes in canonical words."""


@codes.command("ls")
@click.option("--unmapped", is_flag=True, help="Only codes that no list explains, and how many records say them.")
@click.option("--history", is_flag=True, help="Entries that have ended, too.")
@folder
@form
def ls(*, unmapped: bool, history: bool, directory: Path | None, form: str) -> None:
    """List what codes mean, or what nobody has explained."""
    from hub.store import codes as stored
    from hub.store.engine import reading

    with reading(open_hub(directory).engine) as connection:
        rows = stored.unlisted(connection) if unmapped else stored.entries(connection, ended=history)
    if form == "json":
        put_json(rows)
        return
    last = ("records", "key") if unmapped else ("value", "since", "until", "author", "reason")
    columns = ("system", "entity", "field", "code", *last)
    put_table(columns, [[row[name] for name in columns] for row in rows])
    if unmapped and rows:
        say("next: hub codes map SYSTEM ENTITY FIELD CODE VALUE --reason WHY --as YOU")


@codes.command("map")
@place[0]
@place[1]
@place[2]
@place[3]
@click.argument("value")
@reason
@author
@folder
def map_code(
    system: str, entity: str, field: str, code: str, value: str, *, reason: str, author: str, directory: Path | None
) -> None:
    """Say that SYSTEM's CODE means VALUE in FIELD of ENTITY; all records that say it are read and judged again."""
    from hub.flow.codes import Desk, explain
    from hub.store.codes import Listed

    hub = open_hub(directory)
    desk = Desk(hub.engine, hub.rulesets, hub.clock())
    changed = explain(desk, Listed((system, entity, field), code, value, reason, author))
    say(f"{code} means {value}; {changed} records were read and judged again.")


@codes.command("unmap")
@place[0]
@place[1]
@place[2]
@place[3]
@reason
@author
@folder
def unmap(system: str, entity: str, field: str, code: str, *, reason: str, author: str, directory: Path | None) -> None:
    """Take back what a code means; all records that say it are read and judged again."""
    from hub.flow.codes import Desk, withdraw

    hub = open_hub(directory)
    desk = Desk(hub.engine, hub.rulesets, hub.clock())
    changed = withdraw(desk, (system, entity, field), code, author, reason)
    say(f"{code} means nothing any more; {changed} records were read and judged again.")
