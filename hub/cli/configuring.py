"""Commands about the configuration as files: take it out, see what differs, bring it into another hub."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from hub.cli.terminal import folder, form, open_hub, put_json, say

where = click.argument("files", type=click.Path(file_okay=False, exists=True, path_type=Path))


@click.group()
def config() -> None:
    """The configuration as files for git: rules, mappings, code lists, schedules, targets."""


@config.command()
@click.argument("files", type=click.Path(file_okay=False, path_type=Path))
@folder
def export(files: Path, *, directory: Path | None) -> None:
    """Write what this hub is configured with to the folder FILES."""
    from hub.flow import configuration

    here = open_hub(directory).configuration()
    made = configuration.export(here, files)
    say(f"{len(made)} files in {files}; the configuration is {here.seal}.")


@config.command()
@where
@folder
@form
def diff(files: Path, *, directory: Path | None, form: str) -> None:
    """Say what would change if this hub were what FILES say; nothing is changed."""
    from hub.flow import configuration
    from hub.flow.wording import RULES

    hub = open_hub(directory)
    wanted = _wanted(files, hub.targets)
    here = hub.configuration()
    changes = configuration.compare(here, wanted)
    _show(changes, here.seal, form)
    if changes and form == "table":
        if any(change.part == "rules" for change in changes):
            say(f"next: hub rules simulate {files / RULES} --as YOU")
        say(f"then: hub config apply {files} --base {here.seal} --as SOMEBODY-ELSE --reason WHY")


@config.command()
@where
@click.option("--base", required=True, help="The base that `hub config diff` has named.")
@click.option("--as", "author", required=True, help="Your name; it stands in the journal.")
@click.option("--reason", required=True, help="Why.")
@folder
@form
def apply(files: Path, *, base: str, author: str, reason: str, directory: Path | None, form: str) -> None:
    """Make this hub what FILES say: all that `hub config diff` has shown, or nothing."""
    from hub.flow.promote import Will

    hub = open_hub(directory)
    wanted = _wanted(files, hub.targets)
    changes = hub.configure(wanted, base, Will(author, reason))
    _show(changes, hub.configuration().seal, form)


def _wanted(files: Path, targets: Sequence[str]) -> Any:
    """What the folder wants, its schedules such that a worker could run them."""
    from hub.flow import configuration
    from hub.worker import require_fit

    wanted = configuration.read(files)
    for name, one in wanted.schedules.items():
        require_fit(name, one.model_dump(), targets)
    return wanted


def _show(changes: Sequence[Any], base: str, form: str) -> None:
    if form == "json":
        lines = [{"part": one.part, "name": one.name, "words": one.words} for one in changes]
        put_json({"base": base, "changes": lines})
        return
    for one in changes:
        click.echo(f"{one.part} {one.name}")
        for words in one.words:
            click.echo(f"  {words}")
    say(f"{len(changes)} parts differ; this hub's configuration is {base}." if changes else "nothing differs.")
