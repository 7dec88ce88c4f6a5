"""Commands for whoever runs the hub: is all well, what does a code mean, who has a key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from hub.cli.terminal import folder, form, open_hub, put_json, say


@click.command()
@folder
@form
def doctor(directory: Path | None, *, form: str) -> None:
    """Look whether everything is here that is needed; exit 1 if not."""
    from hub.doctor import examine

    found = examine(directory)
    if form == "json":
        put_json([{"check": f.name, "state": f.state, "says": f.says, "next": f.next} for f in found])
    else:
        for one in found:
            click.echo(f" {one.state:<5} {one.name:<10} {one.says}")
            if one.next:
                click.echo(f"       next       {one.next}")
    if any(one.state == "FAIL" for one in found):
        raise SystemExit(1)


@click.command()
@folder
def check(directory: Path | None) -> None:
    """Check the shipped rules and mappings, the store, and that nothing has vanished."""
    from adapters.registry import SOURCES, source
    from hub import queries
    from rules.ruleset import shipped

    checks: dict[str, Callable[[], str]] = {
        "rules": lambda: f"{len(shipped())} rule sets",
        "mappings": lambda: f"{len([source(name) for name in SOURCES])} mappings",
        "store": lambda: str(open_hub(directory).engine.url.render_as_string(hide_password=True)),
        "balance": lambda: _balance(queries.overview(open_hub(directory).engine)["sources"]),
    }
    for name, run in checks.items():
        click.echo(f" ok    {name:<10} {run()}")


def _balance(sources: Sequence[Any]) -> str:
    from hub.queries import unbalanced

    return f"{len(sources)} lines, {len(unbalanced(sources))} that do not add up"


@click.command()
@click.argument("code")
def explain(code: str) -> None:
    """Say what CODE means and what to do about it."""
    from hub.doctor import explanation

    title, meaning, following = explanation(code.upper())
    click.echo(f"{code.upper()}  {title}")
    click.echo(f"  {meaning}")
    click.echo(f"  next: {following}")


@click.group()
def audit() -> None:
    """The audit log."""


@audit.command("verify")
@folder
def verify(directory: Path | None) -> None:
    """Check the hash chain; name the first entry that was changed."""
    from hub.store.audit import verify as verify_chain
    from hub.store.engine import reading
    from hub.store.shown import seal

    hub = open_hub(directory)
    seal(hub.engine, hub.beside)
    with reading(hub.engine) as connection:
        broken = verify_chain(connection)
    if broken is not None:
        say(f"the log is not what was written, from entry {broken} on.")
        raise SystemExit(1)
    say("the chain holds.")
