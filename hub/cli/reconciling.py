"""Commands about drift: read a target back, look at what differs, deal with it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from hub.cli.terminal import folder, form, open_hub, progress, put_json, put_table, say
from hub.hours import aged

author = click.option("--as", "author", required=True, help="Your name; it stands in the journal.")
reason = click.option("--reason", required=True, help="Why.")


@click.command()
@click.argument("target")
@click.option("--exit-code", "strict", is_flag=True, help="End with 4 when drift stands that nobody has accepted.")
@folder
@form
def reconcile(target: str, *, strict: bool, directory: Path | None, form: str) -> None:
    """Read TARGET back and compare it, field by field, with what it was sent."""
    from hub.flow.reconcile import reconcile as read_back
    from hub.store import drift as stored
    from hub.store.engine import reading

    hub = open_hub(directory)
    found = read_back(hub.engine, hub.target(target), hub.clock, progress(target))
    with reading(hub.engine) as connection:
        rows = stored.standing(connection, target)
    if form == "json":
        counts = {"read": found.read, "complete": found.complete, "trouble": found.trouble, **found.counts}
        put_json(counts | {"drift": rows})
    else:
        _show(rows, hub.clock())
        told = ", ".join(f"{count} {kind}" for kind, count in found.counts.items())
        say(f"{found.read} records read: {told}.")
    if found.trouble:
        say(f"broken off: {found.trouble} Nothing counts as missing.")
        raise SystemExit(1)
    if any(count for kind, count in found.counts.items() if kind != "accepted"):
        say("next: hub drift resend | adopt | accept D-NUMBER --reason WHY --as YOU")
        raise SystemExit(4 if strict else 0)


@click.command()
@click.argument("target")
@folder
@form
def hear(target: str, *, directory: Path | None, form: str) -> None:
    """Take in what was edited in TARGET since it was heard last; the rules decide what wins."""
    heard = open_hub(directory).hear(target)
    if form == "json":
        put_json(heard)
        return
    say(", ".join(f"{count} {word}" for word, count in heard.items()) or "nothing changed there.")


@click.group()
def drift() -> None:
    """What targets have against what they were sent."""


@drift.command("ls")
@click.argument("target", required=False)
@folder
@form
def ls(target: str | None, *, directory: Path | None, form: str) -> None:
    """List drift that stands, the oldest first."""
    from hub.store import drift as stored
    from hub.store.engine import reading

    hub = open_hub(directory)
    with reading(hub.engine) as connection:
        rows = stored.standing(connection, target)
    if form == "json":
        put_json(rows)
    else:
        _show(rows, hub.clock())


@drift.command("resend")
@click.argument("number")
@reason
@author
@folder
def resend(number: str, *, reason: str, author: str, directory: Path | None) -> None:
    """Owe the golden record to the target again; the next plan sends the difference to what is there."""
    from hub.flow import reconcile as flow

    hub = open_hub(directory)
    flow.resend(hub.engine, _number(number), author, reason, hub.clock())
    say("owed again; `hub publish plan TARGET` shows what would be sent.")


@drift.command("adopt")
@click.argument("number")
@reason
@author
@folder
def adopt(number: str, *, reason: str, author: str, directory: Path | None) -> None:
    """Take over what stands there, as a statement of that system; the rules decide what wins."""
    from hub.store.access import Principal

    key = open_hub(directory).adopt(_number(number), Principal(author, "steward"), reason)
    say(f"taken in as {key}; `hub walk {key}` shows what became of it.")


@drift.command("accept")
@click.argument("number")
@click.option("--until", type=click.DateTime(), help="Only until then (UTC).")
@reason
@author
@folder
def accept(number: str, *, until: datetime | None, reason: str, author: str, directory: Path | None) -> None:
    """Let it be as it is there, until a date or until it is another difference."""
    from hub.flow import reconcile as flow

    hub = open_hub(directory)
    end = until.replace(tzinfo=UTC) if until else None
    flow.accept(hub.engine, _number(number), author, reason, hub.clock(), until=end)
    say("accepted.")


def _number(text: str) -> int:
    digits = text.upper().removeprefix("D-")
    if not digits.isdigit():
        raise click.BadParameter(f"{text!r} is no drift; they are called D-1, D-2 …")
    return int(digits)


def _show(rows: list[dict[str, Any]], now: datetime) -> None:
    put_table(
        ("drift", "state", "kind", "entity", "record", "age", "money", "cause", "as sent -> as it is there"),
        [
            (
                f"D-{row['id']}", row["state"], row["kind"], row["entity"], row["label"] or row["subject"],
                aged(now, row["since"]), " ".join(row["amount"].values()) if row["amount"] else "", row["cause"],
                "; ".join(f"{name}: {a} -> {b}" for name, (a, b) in row["fields"].items()),
            )
            for row in rows
        ],
    )  # fmt: skip
