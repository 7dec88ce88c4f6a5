"""The steward's queue on the command line."""

from __future__ import annotations

from pathlib import Path

import click

from hub.cli.attending import COMMANDS as ATTENDING
from hub.cli.looking import COMMANDS as LOOKING
from hub.cli.overriding import override, overrides
from hub.cli.terminal import folder, form, open_hub, put_json, put_table, say

author = click.option("--as", "author", required=True, help="Your name; it stands in the journal.")

for_good = click.option(
    "--block/--until-evidence-changes", default=True, show_default=True, help="Keep apart how long?"
)


@click.group()
def review() -> None:
    """The steward's queue."""


review.add_command(override)
for command in (*ATTENDING, *LOOKING):
    review.add_command(command)
review.add_command(overrides)


@review.command("ls")
@click.option("--limit", default=20, show_default=True)
@click.option("--sort", type=click.Choice(["priority", "oldest", "score"]), default="priority", show_default=True)
@folder
@form
def queue(*, limit: int, sort: str, directory: Path | None, form: str) -> None:
    """List open questions in the order of the console: what they hold up, money, time."""
    from hub.backlog import Filter, backlog, details
    from hub.hours import aged

    hub = open_hub(directory)
    found, now = backlog(hub.engine, Filter(sort=sort), "", hub.clock()), hub.clock()
    places = {one.id: one for one in found.questions[:limit]}
    known = details(hub.engine, list(places))
    rows = [known[id_] for id_ in places]
    if form == "json":
        put_json(rows)
        return
    put_table(
        ("task", "kind", "a", "b", "score", "age", "who", "why first"),
        [
            (
                r["id"],
                r["kind"],
                r["left_label"],
                r["right_label"],
                f"{r['score']:+.1f}" if r["score"] else "",
                aged(now, r["opened_at"]),
                places[r["id"]].holder or "-",
                places[r["id"]].why(now),
            )
            for r in rows
        ],
    )


@review.command("decide")
@click.argument("task")
@click.argument("answer", type=click.Choice(["same", "different", "related"]))
@click.option("--reason", required=True, help="How you know.")
@author
@folder
def decide(task: str, answer: str, *, reason: str, author: str, directory: Path | None) -> None:
    """Answer TASK with same, different or related."""
    from hub.store.access import Principal

    decision = open_hub(directory).desk(Principal(author, "steward")).answer(task, answer, reason)
    say(f"decided. To take it back: hub review undo {decision} --as {author}")


@review.command("detach")
@click.argument("key")
@click.option("--reason", required=True, help="How you know.")
@for_good
@author
@folder
def detach(key: str, *, reason: str, block: bool, author: str, directory: Path | None) -> None:
    """Take source record KEY out of its golden record and keep it out."""
    from canonical.ids import SourceKey
    from hub.store.access import Principal

    made = open_hub(directory).desk(Principal(author, "steward")).detach(SourceKey.parse(key), reason, block=block)
    say(f"detached by {len(made)} decisions; `hub review undo DECISION` takes one back: {', '.join(made)}")


@review.command("undo")
@click.argument("decision")
@click.option("--batch", is_flag=True, help="DECISION is the id of a batch: take all of it back.")
@author
@folder
def undo(decision: str, *, batch: bool, author: str, directory: Path | None) -> None:
    """Take DECISION back."""
    from hub.store.access import Principal

    desk = open_hub(directory).desk(Principal(author, "steward"))
    if batch:
        say(f"{desk.undo_batch(decision)} decisions undone; the records were judged again.")
        return
    desk.undo(decision)
    say("undone; the records were judged again.")


@review.command("bulk")
@click.argument("answer", type=click.Choice(["same", "different", "related"]))
@click.argument("tasks", nargs=-1, required=True)
@click.option("--reason", required=True, help="How you know.")
@author
@folder
def bulk(answer: str, tasks: tuple[str, ...], *, reason: str, author: str, directory: Path | None) -> None:
    """Give one ANSWER to many TASKS, as one batch that one undo takes back."""
    from hub.store.access import Principal

    made = open_hub(directory).desk(Principal(author, "steward")).answer_all(tasks, answer, reason)
    for task, why in made.skipped:
        say(f"skipped {task}: {why}")
    say(f"decided {len(made.made)} of {len(tasks)}. To take them back: hub review undo --batch {made.id} --as {author}")


@review.command("unmerge")
@click.argument("golden")
@click.option("--reason", required=True, help="How you know.")
@for_good
@author
@folder
def unmerge(golden: str, *, reason: str, block: bool, author: str, directory: Path | None) -> None:
    """Part what was the golden record GOLDEN, merged into another since, from what it is merged with."""
    from hub.store.access import Principal

    made = open_hub(directory).desk(Principal(author, "steward")).undo_merge(golden, reason, block=block)
    say(f"parted by {len(made.made)} decisions. To take them back: hub review undo --batch {made.id} --as {author}")
