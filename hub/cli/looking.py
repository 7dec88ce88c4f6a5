"""Looking at the queue on the command line: the question that comes first, and the queue in numbers."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from hub.cli.terminal import folder, form, open_hub, put_json, put_table, say


@click.command("next")
@click.option("--as", "author", default="", help="Your name: what others hold is passed over.")
@folder
@form
def following(*, author: str, directory: Path | None, form: str) -> None:
    """Show the question that comes first: both sides, as one, and the evidence."""
    from hub.backlog import Filter, backlog
    from hub.comparing import comparison

    hub = open_hub(directory)
    now = hub.clock()
    found = [one for one in backlog(hub.engine, Filter(), author, now).questions if one.holder in (None, author)]
    if not found:
        say("no question waits.")
        return
    first = found[0]
    seen = comparison(hub.engine, hub.rulesets, first.id, now)
    if form == "json":
        put_json({"task": first.id, "kind": first.kind, "why": first.why(now), "reason": seen.task["reason"],
                  "lines": [{"field": n.name, "a": n.left, "b": n.right, "as_one": n.after} for n in seen.lines],
                  "evidence": seen.evidence and dict(seen.evidence)})  # fmt: skip
        return
    _put(seen)
    say(f"{first.kind} {first.id}: {first.why(now)}. {len(found)} wait.")
    if first.kind in ("match", "reconfirm"):
        say(f"next: hub review decide {first.id} same|different|related --reason WHY --as NAME")


@click.command()
@folder
@form
def stats(*, directory: Path | None, form: str) -> None:
    """The queue in numbers: by kind and age, opened and answered per day, answers by score."""
    from hub.backlog import AGES, Filter, backlog
    from hub.store import queue
    from hub.store.engine import reading

    hub = open_hub(directory)
    now = hub.clock()
    found = backlog(hub.engine, Filter(), "", now)
    with reading(hub.engine) as connection:
        rows = queue.settled(connection, now - timedelta(days=14))
    numbers: dict[str, Any] = {
        "open": found.open, "put off": found.asleep, "hold something back": found.blocking, "overdue": found.overdue,
        **{f"open, {kind}": count for kind, count in sorted(found.kinds.items())},
        **{f"open, {age}": found.ages.get(age, 0) for age, _ in AGES},
        "opened in 14 days": sum(1 for _, start, _ in rows if start >= now - timedelta(days=14)),
        "answered in 14 days": sum(1 for _, _, end in rows if end is not None),
    }  # fmt: skip
    if form == "json":
        put_json(numbers)
        return
    put_table(("what", "questions"), [(name, str(count)) for name, count in numbers.items()])


def _put(seen: Any) -> None:
    from hub.queries import shown

    two = len(seen.sides) == 2
    head = ("field", "a", "b", "as one") if two else ("field", "says")
    cells = [[shown(said) if said is not None else "" for said in (n.left, n.right, n.after)] for n in seen.lines]
    put_table(head, [(n.name, *row[: 3 if two else 1]) for n, row in zip(seen.lines, cells, strict=True)])
    for name, likeness, weight in seen.evidence["parts"] if seen.evidence else ():
        say(f"  {name}: likeness {likeness:.2f}, {weight:+.1f}")


COMMANDS = (following, stats)
