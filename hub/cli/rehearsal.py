"""Commands about changing rules: simulate a draft, look at what it would do, promote it, go back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from hub.cli.terminal import folder, form, open_hub, put_json, put_table, say

author = click.option("--as", "author", required=True, help="Your name; it stands in the journal.")
reason = click.option("--reason", required=True, help="Why this version.")
MOST = 10  # lines of one list in a text; JSON has them all


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@author
@folder
@form
def simulate(paths: tuple[Path, ...], *, author: str, directory: Path | None, form: str) -> None:
    """Judge all live records with the draft documents in PATHS; nothing changes but the saved result."""
    from hub.flow.simulate import get
    from hub.flow.simulate import simulate as rehearse
    from hub.store.engine import reading
    from rules.ruleset import load

    hub = open_hub(directory)
    live = {one.version for one in hub.rulesets.values()}
    made = []
    for path in _documents(paths):
        draft = load(path.read_text("utf-8"), path.name)
        if draft.version in live:
            say(f"{path.name} says what is in force.")
            continue
        simulation_id = rehearse(hub.engine, draft, author, hub.clock())
        with reading(hub.engine) as connection:
            made.append((simulation_id, get(connection, simulation_id)))
    _show(made, form)


@click.command()
@click.argument("simulation", required=False)
@folder
@form
def simulations(simulation: str | None, *, directory: Path | None, form: str) -> None:
    """List the saved simulations, or show one in full."""
    from hub.flow.simulate import get
    from hub.store.engine import reading
    from hub.store.simulations import latest

    hub = open_hub(directory)
    with reading(hub.engine) as connection:
        if simulation is not None:
            _show([(_number(simulation), get(connection, _number(simulation)))], form)
            return
        rows = latest(connection)
    if form == "json":
        put_json(rows)
        return
    columns = ("id", "draft", "in place of", "records", "golden", "at", "by")
    put_table(columns, [
        (f"S-{r['id']}", *(r[n] for n in ("version", "base", "records")), r["counts"]["golden_touched"],
         *(r[n] for n in ("created_at", "created_by")))
        for r in rows
    ])  # fmt: skip


@click.command()
@click.argument("entity")
@click.argument("simulation")
@author
@reason
@folder
def promote(entity: str, simulation: str, *, author: str, reason: str, directory: Path | None) -> None:
    """Put the draft of SIMULATION, that somebody else made, in force; what then changes is what it said, or nothing."""
    from hub.flow.promote import Will
    from hub.flow.promote import promote as put_in_force

    hub = open_hub(directory)
    ruleset = put_in_force(hub.engine, entity, _number(simulation), Will(author, reason), hub.clock())
    say(f"{ruleset.version} is in force. To go back: hub rules rollback {entity} VERSION; `hub rules ls` names them.")


@click.command()
@click.argument("entity")
@click.argument("version")
@author
@reason
@folder
def rollback(entity: str, version: str, *, author: str, reason: str, directory: Path | None) -> None:
    """Put an older VERSION of ENTITY's rules in force again; it is simulated first."""
    from hub.flow.promote import Will
    from hub.flow.promote import rollback as go_back

    hub = open_hub(directory)
    simulation_id = go_back(hub.engine, entity, version, Will(author, reason), hub.clock())
    say(f"{version} is in force again, as S-{simulation_id} said.")


@click.command("ls")
@click.option("--entity", help="Only this canonical entity.")
@folder
@form
def ls(directory: Path | None, *, entity: str | None, form: str) -> None:
    """List the versions of the rules: which are in force, since when, by whom and why."""
    from hub.store.engine import reading
    from hub.store.rulesets import history

    with reading(open_hub(directory).engine) as connection:
        rows = [row for row in history(connection) if entity in (None, row["entity"])]
    if form == "json":
        put_json(rows)
        return
    columns = ("entity", "version", "state", "since", "by", "simulation", "why")
    put_table(columns, [
        (r["entity"], r["version"], r["state"], f"{r['at']:%Y-%m-%d %H:%M}", r["author"] or "shipped",
         f"S-{r['simulation_id']}" if r["simulation_id"] else "", r["reason"])
        for r in rows
    ])  # fmt: skip


def _documents(paths: Iterable[Path]) -> list[Path]:
    found = [file for path in paths for file in (sorted(path.glob("*.y*ml")) if path.is_dir() else [path])]
    if not found:
        raise click.UsageError("there is no rule document (*.yaml) in the folder.")
    return found


def _number(simulation: str) -> int:
    digits = simulation.upper().removeprefix("S-")
    if not digits.isdigit():
        raise click.BadParameter(f"{simulation!r} is not a simulation; they are called S-1, S-2 …")
    return int(digits)


def _show(made: list[tuple[int, Any]], form: str) -> None:
    if form == "json":
        put_json([
            {"simulation": f"S-{id_}", "entity": s.entity, "base": s.base, "version": s.version, "records": s.records,
             "counts": s.counts, "report": s.report, "created_at": s.created_at, "created_by": s.created_by}
            for id_, s in made
        ])  # fmt: skip
        return
    for id_, one in made:
        _tell(id_, one)


def _tell(simulation_id: int, one: Any) -> None:
    """The riskiest first: what moves identities, what contradicts people, what the targets see, then values."""
    counts, report = one.counts, one.report
    click.echo(f"S-{simulation_id}  {one.version} in place of {one.base}  ({one.records} records, all of them, exact)")
    click.echo(
        f"  {counts['merges']} merges, {counts['splits']} splits, {counts['golden_touched']} golden records touched, "
        f"{counts['values']} values; {counts['reviews_entered']} questions more, {counts['reviews_left']} fewer"
    )
    sent = ", ".join(f"{count} to {target}" for target, count in counts["publications"].items()) or "none"
    asked = counts["agree"] + counts["contradict"] + counts["undecided"]
    click.echo(f"  publications: {sent}; agrees with {counts['agree']} of {asked} steward decisions")
    _list("money", report.get("money", []), _money)
    _list("in closed books", report.get("closed", []), _closed)
    named = f"{one.entity} {one.version}"
    fields = sorted(report["fields"], key=lambda line: (not line["published"], line["before"] == line["after"]))
    _list("merge", report["merges"], lambda r: f"{r['golden']} {r['label']!r} -> {r['into']}{_published(r)}")
    _list(
        "split",
        report["splits"],
        lambda r: f"{r['from']} loses {', '.join(r['records'])} to {r['golden']}{_published(r)}",
    )
    _list("against a decision", report["answers"]["contradict"],
          lambda r: f"{r['left']} and {r['right']} {r['answer']}, not by the draft ({r['score']:+.1f})")  # fmt: skip
    _list("finding gained", report["findings_gained"], lambda r: f"{r['golden']} {r['severity']}: {r['message']}")
    _list("field", fields, _field)
    _list(
        "relation broken", report.get("relations_gained", []), lambda r: f"{r['golden']} {r['effect']}: {r['message']}"
    )
    _list("relation met again", report.get("relations_lost", []), lambda r: f"{r['golden']} {r['message']}")
    _list("publication", report["publications"], lambda r: f"{r['target']} {r['action']} {r['golden']}")
    _list("question", report["reviews_entered"], lambda r: f"{r['left']} {r['right'] or ''}  {r['reason']}")
    _list("question gone", report["reviews_left"], lambda r: f"{r['left']} {r['right'] or ''}  {r['reason']}")
    _list("finding lost", report["findings_lost"], lambda r: f"{r['golden']} {r['severity']}: {r['message']}")
    _list("document", report["document"], lambda r: f"{r[0]}: {r[1]} -> {r[2]}")
    click.echo(f"next: hub rules promote {named.split()[0]} S-{simulation_id} --as SOMEBODY-ELSE --reason WHY")


def _list(title: str, lines: list[Any], shown: Any) -> None:
    for line in lines[:MOST]:
        click.echo(f"  {title:<19} {shown(line)}")
    if len(lines) > MOST:
        click.echo(f"  {title:<19} … and {len(lines) - MOST} more; --format json has them all")


def _money(line: Mapping[str, Any]) -> str:
    return f"{line['field']} {line['before']} -> {line['after']} {line['currency']} in {line['records']} records"


def _closed(line: Mapping[str, Any]) -> str:
    return f"{line['golden']} {line['label']!r} {', '.join(line['days'])}  waits for {line['wait_for']}"


def _field(line: Mapping[str, Any]) -> str:
    from hub.queries import shown

    values = f"{shown(line['before'])} -> {shown(line['after'])}" if line["before"] != line["after"] else "same value"
    return f"{line['golden']} {line['field']}  {values}  {line['from']} -> {line['to']}{_published(line)}"


def _published(line: Mapping[str, Any]) -> str:
    return "  (published)" if line.get("published") else ""
