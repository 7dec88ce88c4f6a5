"""Commands about values that stewards set in place of what the systems say."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click
import orjson

from hub.cli.terminal import folder, form, open_hub, put_json, put_table, say


@click.command("override")
@click.argument("key")
@click.argument("field")
@click.argument("value")
@click.option("--reason", required=True, help="How you know.")
@click.option("--until", type=click.DateTime(), help="It ends then (UTC).")
@click.option("--while-said", is_flag=True, help="It ends when the record says something else than now.")
@click.option("--as", "author", required=True, help="Your name; it stands in the journal.")
@folder
def override(
    key: str, field: str, value: str, *, reason: str, until: datetime | None, while_said: bool, author: str,
    directory: Path | None,
) -> None:  # fmt: skip
    """Set FIELD of whatever golden record holds source record KEY to VALUE (a word, or JSON)."""
    from canonical.ids import SourceKey
    from hub.store.access import Principal

    end = until.replace(tzinfo=UTC) if until else None
    desk = open_hub(directory).desk(Principal(author, "steward"))
    said = _value(value)
    decision = desk.override(SourceKey.parse(key), field, said, reason=reason, until=end, while_said=while_said)
    say(f"set. To take it back: hub review undo {decision} --as {author}")


@click.command("overrides")
@folder
@form
def overrides(*, directory: Path | None, form: str) -> None:
    """List the values that stewards set, and whether they are in force."""
    from hub.store import overrides as stored
    from hub.store.engine import reading

    hub = open_hub(directory)
    with reading(hub.engine) as connection:
        found = stored.every(connection, hub.clock())
    rows = [
        {
            "decision": one.override.id, "record": str(one.override.record), "golden": one.golden,
            "field": one.override.field, "value": one.override.value, "state": one.state, "ends": one.ends,
            "author": one.author, "reason": one.reason,
        }
        for one in found
    ]  # fmt: skip
    if form == "json":
        put_json(rows)
        return
    put_table(tuple(rows[0]) if rows else ("decision",), [tuple(row.values()) for row in rows])


def _value(text: str) -> object:
    """An object, a list, a number or null as JSON; anything else as the text that it is."""
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    return text if isinstance(found, int | float) and not isinstance(found, bool) else found
