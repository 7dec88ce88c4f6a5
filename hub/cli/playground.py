"""`hub try`: what would become of a payload, told without storing it."""

from __future__ import annotations

import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import click

from hub.cli.terminal import folder, form, open_hub, put_json, say


@click.command("try")
@click.argument("system")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--mapping", type=click.Path(exists=True, path_type=Path), help="A mapping of your own.")
@folder
@form
def attempt(system: str, file: Path, *, mapping: Path | None, directory: Path | None, form: str) -> None:
    """Show what would become of the payloads in FILE (`-`: standard input): records, candidates, golden, what leaves.

    At most fifty payloads are tried, and nothing is stored.
    """
    from adapters.decode import read_payloads
    from hub.flow.trial import attempt as tried

    hub = open_hub(directory)
    piped = str(file) == "-"
    payloads = read_payloads(BytesIO(sys.stdin.buffer.read()), "jsonl") if piped else read_payloads(file)
    found = tried(hub.engine, hub.bench(system, mapping), payloads)
    if form == "json":
        put_json(found)
        return
    for one in found:
        _tell(one)
    say(f"{len(found)} tried, nothing stored.")


def _tell(one: dict[str, Any]) -> None:
    click.echo(f"payload {one['place']}: {one['outcome']}")
    for finding in one["findings"]:
        click.echo(f"  {finding['code']} {finding['field'] or ''} {finding['message']}. {finding['next']}")
    for record in one["records"]:
        click.echo(f"  {record['key']}")
        for other in record["candidates"]:
            parts = sorted(other["parts"], key=lambda part: -abs(part["weight"]))[:4]
            said = ", ".join(f"{part['comparison']} {part['weight']:+.1f}" for part in parts)
            click.echo(f"    {other['verdict']:<6} {other['score']:+6.1f}  {other['key']}  {said}")
        for golden in record["golden"]:
            _tell_golden(golden)
        for asked in record["asks"]:
            click.echo(f"    asks   {asked['left']} {asked['right'] or ''}  {asked['reason']}")


def _tell_golden(golden: dict[str, Any]) -> None:
    from hub import queries

    click.echo(f"    {golden['change']:<9} {golden['id']} v{golden['version']} of {len(golden['members'])} records")
    for name, change in golden["changed"].items():
        before, after = queries.shown(change["before"]), queries.shown(change["after"])
        click.echo(f"      {name:<18} {before} -> {after}  ({change['rule']})")
    for finding in golden["findings"]:
        click.echo(f"      finding {finding['code']} {finding['message']}")
    for leaving in golden["leaves"]:
        wait = f", waits for {leaving['waits_for']}" if leaving["waits_for"] else ""
        held = f", held by {leaving['held']}" if leaving["held"] else ""
        click.echo(f"      leaves for {leaving['target']} by {leaving['rule']}{wait}{held}")
    for rule in golden["rules"]:
        tests = "; ".join(f"{t['fact']} is {t['is']!r}, asked {t['asked']}" for t in rule["tests"])
        click.echo(f"      {'fired' if rule['fired'] else 'not  '} {rule['rule']}: {tests}")
