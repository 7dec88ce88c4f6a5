"""How `hub record show` prints a golden record of another time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from hub import queries
from hub.cli.terminal import put_json, put_table


def tell(row: Mapping[str, Any], form: str) -> None:
    """Print the record with the basis on which it is shown."""
    if form == "json":
        names = ("id", "entity", "label", "version", "state", "values", "provenance", "members", "ruleset", "basis")
        put_json({name: row[name] for name in names})
        return
    click.echo(f"{row['label']}  {row['id']}  {row['entity']}  v{row['version']}  {row['state']}")
    click.echo(f"{row['basis']} ({row['ruleset']})\n")
    lines = [(f.name, queries.shown(f.value), f.source or "steward", f.rule) for f in queries.fields(row)]
    put_table(("field", "value", "from", "rule"), lines)
    click.echo()
    put_table(("source", "version"), row["members"])
