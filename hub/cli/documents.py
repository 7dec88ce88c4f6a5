"""Commands about trusted documents: what callers may name by its hash."""

from __future__ import annotations

from pathlib import Path

import click

from hub.cli.terminal import folder, form, open_hub, put_json, put_table


@click.group()
def documents() -> None:
    """GraphQL documents that callers name by their SHA-256."""


@documents.command("add")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@folder
def add(paths: tuple[Path, ...], *, directory: Path | None) -> None:
    """Register documents: .graphql files, or the .json map that Relay, Apollo or graphql-codegen writes."""
    from hub.web.graphql.schema import build
    from hub.web.graphql.trusted import register

    home, schema = open_hub(directory).settings.dir, build().graphql_schema
    put_table(("document", "file"), [(one, path.name) for path in paths for one in register(home, schema, path)])


@documents.command("ls")
@folder
@form
def ls(*, directory: Path | None, form: str) -> None:
    """List the documents."""
    from hub.web.graphql.trusted import registered

    found = registered(open_hub(directory).settings.dir)
    if form == "json":
        put_json([{"document": name, "begins": text} for name, text in found])
        return
    put_table(("document", "begins"), found)


@documents.command("rm")
@click.argument("document")
@folder
def rm(document: str, *, directory: Path | None) -> None:
    """Answer DOCUMENT no longer."""
    from hub.web.graphql.trusted import withdraw

    known = withdraw(open_hub(directory).settings.dir, document)
    put_table(("document", "state"), [(document, "withdrawn" if known else "was not registered")])
