"""How `hub walk` prints the road of a record: one screen, one block per station."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from hub.queries import shown

LONGEST = 100  # characters of a payload or value on one line


def tell(road: Mapping[str, Any]) -> None:
    """Print the stations in the order in which the record passed them."""
    newest = road["versions"][0]
    _station(
        1,
        "payload",
        f"{newest['origin']}, line {newest['position']}, received {newest['received_at']:%Y-%m-%d %H:%M:%S}",
    )
    _line(newest["body"])
    numbers = ", ".join(f"{v['number']}{' late' if v['late'] else ''}" for v in road["versions"])
    _station(
        2, "translate", f"{road['key']}, asserted {newest['asserted_at']:%Y-%m-%d %H:%M:%S}, versions kept: {numbers}"
    )
    for name, value in newest["values"].items():
        _line(f"{name}: {shown(value)}")
    for finding in road["findings"]:
        _line(f"! {finding['code']} {finding['field'] or ''} {finding['message']}")
    common = sum(1 for key in road["keys"] if key["too_common"])
    shared = sum(1 for key in road["keys"] if key["records"] > 1)
    _station(
        3, "gather", f"{len(road['keys'])} blocking keys, {shared} shared with others, {common} too common to count"
    )
    _station(4, "judge", f"evidence about {len(road['evidence'])} other records")
    for one in road["evidence"][:8]:
        parts = ", ".join(f"{name} {weight:+.1f}" for name, _, weight in one["parts"] if weight)
        _line(f"{one['score']:+6.1f}  {one['system']}:{one['entity']}:{one['key']}  ({parts})")
    _resolve(road)
    _publish(road)


def _resolve(road: Mapping[str, Any]) -> None:
    golden = road["golden"]
    if golden is None:
        _station(5, "resolve", "linked to no golden record")
        return
    _station(
        5,
        "resolve",
        f"{golden['id']} v{golden['version']} {golden['label']!r}, {golden['sources']} sources, {golden['ruleset']}",
    )
    for link in road["links"]:
        until = f" until {link['until']:%Y-%m-%d %H:%M:%S}" if link["until"] else ""
        _line(f"linked to {link['golden_id']} since {link['since']:%Y-%m-%d %H:%M:%S}{until}: {link['reason']}")
    won = [name for name, p in golden["provenance"].items() if p[0] == road["key"]]
    _line(f"gives {len(won)} of {len(golden['values'])} fields: {', '.join(won) or 'none'}")


def _publish(road: Mapping[str, Any]) -> None:
    owed = ", ".join(f"{o['target']} v{o['version']} {o['state']}" for o in road["outbox"]) or "nothing owed"
    _station(6, "publish", owed)
    for sent in road["deliveries"]:
        said = f": {sent['says']}" if sent["says"] else ""
        _line(f"{sent['target']} v{sent['version']} {sent['action']}, attempt {sent['attempt']} {sent['status']}{said}")


def _station(number: int, name: str, text: str) -> None:
    click.echo(f"{number} {name:<10} {text}")


def _line(text: str) -> None:
    click.echo("             " + (text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"))
