"""The steward's queue on the command line."""

from __future__ import annotations

from pathlib import Path

import click

from hub.cli.overriding import override, overrides
from hub.cli.terminal import folder, form, open_hub, put_json, put_table, say

author = click.option("--as", "author", required=True, help="Your name; it stands in the journal.")


@click.group()
def review() -> None:
    """The steward's queue."""


review.add_command(override)
review.add_command(overrides)


@review.command("ls")
@click.option("--limit", default=20, show_default=True)
@folder
@form
def queue(*, limit: int, directory: Path | None, form: str) -> None:
    """List open questions, the oldest first."""
    from hub import queries

    rows = queries.tasks(open_hub(directory).engine, first=limit)
    if form == "json":
        put_json(rows)
        return
    put_table(
        ("task", "kind", "a", "b", "score", "reason"),
        [
            (
                r["id"],
                r["kind"],
                r["left_label"],
                r["right_label"],
                f"{r['score']:+.1f}" if r["score"] else "",
                r["reason"],
            )
            for r in rows
        ],
    )


@review.command("decide")
@click.argument("task")
@click.argument("answer", type=click.Choice(["same", "different"]))
@click.option("--reason", required=True, help="How you know.")
@author
@folder
def decide(task: str, answer: str, *, reason: str, author: str, directory: Path | None) -> None:
    """Answer TASK with same or different."""
    from hub.store.access import Principal

    decision = open_hub(directory).desk(Principal(author, "steward")).answer(task, answer, reason)
    say(f"decided. To take it back: hub review undo {decision} --as {author}")


@review.command("detach")
@click.argument("key")
@click.option("--reason", required=True, help="How you know.")
@author
@folder
def detach(key: str, *, reason: str, author: str, directory: Path | None) -> None:
    """Take source record KEY out of its golden record and keep it out."""
    from canonical.ids import SourceKey
    from hub.store.access import Principal

    made = open_hub(directory).desk(Principal(author, "steward")).detach(SourceKey.parse(key), reason)
    say(f"detached by {len(made)} decisions; `hub review undo DECISION` takes one back: {', '.join(made)}")


@review.command("undo")
@click.argument("decision")
@author
@folder
def undo(decision: str, *, author: str, directory: Path | None) -> None:
    """Take DECISION back."""
    from hub.store.access import Principal

    open_hub(directory).desk(Principal(author, "steward")).undo(decision)
    say("undone; the records were judged again.")
