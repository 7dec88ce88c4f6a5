"""How `hub record why` answers: as a text that can be read aloud, and as a document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from hub.queries import Reason, RecordView, Tie, shown


def as_document(view: RecordView, found: Reason) -> dict[str, Any]:
    """The answer for programs. `candidates` stand in the order in which the rules placed them."""
    field, again = found.field, found.again
    said = {key: values.get(field.name) for key, values in view.said.items()}
    document: dict[str, Any] = {
        "field": field.name, "value": field.value, "source": field.source, "rule": field.rule,
        "ruleset": view.golden["ruleset"], "asserted_at": field.asserted_at, "stands": found.stands,
        "losers": [{"source": key, "reason": why, "value": said.get(key)} for key, why in field.losers],
    }  # fmt: skip
    if again is None:
        return document | {"candidates": [], "flip": None, "flips": []}
    candidates = [
        {
            "system": one.system, "key": one.key, "value": one.value, "asserted_at": one.asserted_at,
            "outcome": one.outcome.value, "reason": one.reason,
        }
        for one in again.candidates
    ]  # fmt: skip
    flips = [
        {"kind": one.kind.value, "change": one.words, "value": one.value, "days": round(one.days, 2)}
        for one in again.flips
    ]
    more = {"step": again.step, "owner": again.owner, "asked_before": again.passed}
    return document | more | {"candidates": candidates, "flip": flips[0] if flips else None, "flips": flips}


def tell_why(view: RecordView, found: Reason) -> None:
    """Print the answer for people."""
    field, again = found.field, found.again
    click.echo(shown(field.value))
    click.echo(
        f"  won: {field.source or 'a steward'} @ {field.asserted_at}   rule {field.rule} of {view.golden['ruleset']}"
    )
    if again is None:
        for key, why in field.losers:
            click.echo(f"  lost: {key}  {shown(view.said.get(key, {}).get(field.name))}  ({why})")
        return
    click.echo(f"  rule {again.rule}: {again.step}")
    for rule in again.passed:
        click.echo(f"  rule {rule} was asked before and found nobody")
    for one in again.candidates[1:]:
        moment = one.asserted_at.isoformat(sep=" ", timespec="seconds")
        click.echo(f"  {one.outcome.value}: {one.key}  {shown(one.value)}  @ {moment}  ({one.reason})")
    for place, flip in enumerate(again.flips):
        click.echo(f"  {'it would flip' if place == 0 else 'or'} {flip.words}: {shown(flip.value)}")
    if not again.flips:
        click.echo("  nothing that one change could do would flip it")
    if not found.stands:
        click.echo("  what the rules look at has changed since this was written; the next judgement decides anew")


BAR = 12  # log-odds that fill a bar


def ties_document(view: RecordView, ties: Sequence[Tie]) -> dict[str, Any]:
    """The links of a golden record for programs; weights are log-odds."""
    members = [
        {"source": f"{row['system']}:{row['entity']}:{row['key']}", "reason": row["reason"]} for row in view.members
    ]
    found = [
        {
            "left": tie.left,
            "right": tie.right,
            "score": tie.score,
            "parts": [{"comparison": name, "similarity": like, "weight": weight} for name, like, weight in tie.parts],
        }
        for tie in ties
    ]
    return {"id": view.golden["id"], "members": members, "evidence": found}


def tell_ties(view: RecordView, ties: Sequence[Tie]) -> None:
    """Print each link as a waterfall: what every comparison added to or took from the evidence."""
    click.echo(f"{view.golden['label']}  {view.golden['id']}  {len(view.members)} source records")
    for row in view.members:
        click.echo(f"  {row['system']}:{row['entity']}:{row['key']}  ({row['reason']})")
    for tie in ties:
        click.echo(f"\n{tie.left} and {tie.right}: {tie.score:+.1f} in all")
        for name, like, weight in sorted(tie.parts, key=lambda part: (-abs(part[2]), part[0])):
            bar = ("+" if weight > 0 else "-") * min(round(abs(weight) / BAR * 24), 24)
            click.echo(f"  {weight:+6.1f}  {name:<18} {like:.2f}  {bar}")
    if len(view.members) > 1 and not ties:
        click.echo("  no evidence is kept between them: a person's decision or a key that they share joined them")
