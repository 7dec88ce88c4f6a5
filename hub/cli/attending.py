"""Holding questions, putting them off, and saying something of them, on the command line."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import click

from hub.cli.terminal import folder, open_hub, say

author = click.option("--as", "author", required=True, help="Your name; others see it.")


@click.command()
@click.argument("task")
@click.option("--take-over", is_flag=True, help="Even if somebody else holds it; they are told.")
@click.option("--note", default="", help="What they are told.")
@author
@folder
def claim(task: str, *, take_over: bool, note: str, author: str, directory: Path | None) -> None:
    """Hold TASK for ten minutes, so that nobody else answers it."""
    from hub.store.access import Principal

    made = open_hub(directory).attending(Principal(author, "steward")).claim(task, take_over=take_over, note=note)
    say(f"yours until {made.until:%H:%M} UTC" + (f", taken over from {made.taken_from}." if made.taken_from else "."))


@click.command()
@click.argument("task")
@click.option("--days", type=click.IntRange(1, 365), default=1, show_default=True)
@click.option("--why", default="", help="What you wait for; it stands beside the question.")
@author
@folder
def snooze(task: str, *, days: int, why: str, author: str, directory: Path | None) -> None:
    """Put TASK off for some days."""
    from hub.store.access import Principal

    hub = open_hub(directory)
    until = hub.clock() + timedelta(days=days)
    hub.attending(Principal(author, "steward")).snooze(task, until, why)
    say(f"put off until {until:%Y-%m-%d %H:%M} UTC.")


@click.command("comment")
@click.argument("task")
@click.argument("text")
@author
@folder
def remark(task: str, text: str, *, author: str, directory: Path | None) -> None:
    """Say TEXT of TASK; it stays with the two records."""
    from hub.store.access import Principal

    open_hub(directory).attending(Principal(author, "steward")).say(task, text)
    say("said.")


COMMANDS = (claim, snooze, remark)
