"""Commands about configuration as files: rules and schedules, kept in version control and moved between hubs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hub.cli.terminal import folder, form, open_hub, put_json, put_table, say

FOLDER = click.Path(file_okay=False, path_type=Path)


@click.group()
def config() -> None:
    """Rules and schedules as files: write them out, compare, put in force."""


@config.command("export")
@click.argument("files", type=FOLDER)
@folder
def export(files: Path, *, directory: Path | None) -> None:
    """Write what is in force to FILES."""
    from hub.flow.configuration import export as write

    base = write(open_hub(directory).engine, files)
    say(f"written to {files}; base {base[:12]}.")


@config.command("diff")
@click.argument("files", type=FOLDER)
@folder
@form
def diff(files: Path, *, directory: Path | None, form: str) -> None:
    """Show what FILES would change, and the base that `hub config apply` asks for."""
    from hub.flow.configuration import compare

    _tell(compare(open_hub(directory).engine, files), form)


@config.command("apply")
@click.argument("files", type=FOLDER)
@click.option("--base", required=True, help="The base that `hub config diff` named.")
@click.option("--as", "author", required=True, help="Your name; it stands in the journal.")
@click.option("--reason", required=True, help="Why this change.")
@folder
@form
def apply(files: Path, *, base: str, author: str, reason: str, directory: Path | None, form: str) -> None:
    """Put in force what FILES state: rules are simulated and promoted, schedules replaced."""
    from hub.flow.configuration import apply as put
    from hub.flow.promote import Will

    hub = open_hub(directory)
    found = put(hub.engine, files, base, Will(author, reason), hub.clock())
    _tell(found, form)
    say(f"applied: {len(found.drafts)} rule documents, {len(found.schedules)} schedules.")


def _tell(found: Any, form: str) -> None:
    rows = [(one.file, one.path, one.before, one.after) for one in found.differences]
    if form == "json":
        columns = ("file", "path", "before", "after")
        put_json({"base": found.base, "differences": [dict(zip(columns, row, strict=True)) for row in rows]})
        return
    put_table(("file", "where", "in force", "files"), [tuple(str(cell)[:60] for cell in row) for row in rows])
    say(f"{len(rows)} differences; base {found.base[:12]}.")
