"""Commands about data: taking it in, looking at a record, following one, counting."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hub.cli.terminal import folder, form, open_hub, progress, put_json, put_table, say


@click.command()
@click.argument("system")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--mapping", type=click.Path(exists=True, path_type=Path), help="A mapping of your own.")
@click.option("--as", "kind", type=click.Choice(["csv", "jsonl", "json"]), help="The file's form.")
@click.option("--later", is_flag=True, help="Take in only; `hub match run` judges: for a large first load.")
@folder
@form
def ingest(
    system: str, file: Path, *, mapping: Path | None, kind: str | None, later: bool, directory: Path | None, form: str
) -> None:
    """Take in FILE as SYSTEM states it. Interrupted or repeated, nothing is doubled."""
    hub = open_hub(directory, prepare=True)
    source = hub.source(system, mapping)
    report = hub.ingest_file(source, file, kind, later=later, progress=progress(file.name))
    counts = ("payloads", "accepted", "rejected", "failed", "repeated", "late", "skipped")
    if form == "json":
        put_json({name: getattr(report, name) for name in counts} | {"findings": report.findings})
    else:
        put_table(counts, [[getattr(report, name) for name in counts]])
        for place, finding in report.examples:
            say(f"{place}: {finding.code} {finding.field or ''} {finding.message}. {finding.hint}")
    if report.payloads == 0:
        say("the file holds no records.")
    if report.rejected or report.failed:
        raise SystemExit(4)


@click.group()
def record() -> None:
    """Golden records."""


@record.command("show")
@click.argument("asked")
@click.option("--as-of", help="As the hub believed at this date (its end, UTC) or time.")
@click.option("--asserted", help="Judged again with only what the sources had asserted by this date or time.")
@folder
@form
def show(asked: str, *, as_of: str | None, asserted: str | None, directory: Path | None, form: str) -> None:
    """Show the golden record of an id or a source key (system:entity:key)."""
    from hub import queries

    hub = open_hub(directory)
    if as_of or asserted:
        from hub.cli.past import tell
        from hub.flow.travel import known

        tell(known(hub.engine, asked, as_of=as_of, asserted_by=asserted), form)
        return
    view = queries.record(hub.engine, asked)
    golden = view.golden
    if form == "json":
        put_json(dict(golden) | {"members": view.members, "former_ids": view.former_ids, "published": view.published})
        return
    click.echo(f"{golden['label']}  {golden['id']}  {golden['entity']}  v{golden['version']}  {golden['state']}")
    if view.redirected:
        click.echo(f"{asked} leads here.")
    click.echo()
    rows = []
    for field in queries.fields(golden):
        parent = view.parents.get(field.name)
        value = f"{parent[1]} ({parent[0]})" if parent else queries.shown(field.value)
        rows.append((field.name, value, field.source or "steward", field.rule, len(field.losers)))
    put_table(("field", "value", "from", "rule", "others"), rows)
    click.echo()
    put_table(
        ("source", "since", "reason"),
        [(f"{m['system']}:{m['entity']}:{m['key']}", m["since"], m["reason"]) for m in view.members],
    )
    for finding in view.findings:
        click.echo(f"{finding['severity']}: {finding['code']} {finding['field'] or ''} {finding['message']}")
    for one in view.published:
        click.echo(f"{one['target']} has v{one['acknowledged_version']} as {one['remote_id']}")


@record.command("why")
@click.argument("asked")
@click.argument("field", required=False)
@folder
@form
def why(asked: str, field: str | None, *, directory: Path | None, form: str) -> None:
    """Say why FIELD has its value: who won, by which rule, who lost and why, and what would flip it.

    Without FIELD: why the source records of ASKED are one thing, comparison by comparison.
    """
    from hub import queries
    from hub.cli.reasons import as_document, tell_ties, tell_why, ties_document

    engine = open_hub(directory).engine
    if field is None:
        whole, ties = queries.ties(engine, asked)
        if form == "json":
            put_json(ties_document(whole, ties))
        else:
            tell_ties(whole, ties)
        return
    view, found = queries.why(engine, asked, field)
    if form == "json":
        put_json(as_document(view, found))
    else:
        tell_why(view, found)


@record.command("find")
@click.argument("entity")
@click.argument("text")
@folder
@form
def find(entity: str, text: str, *, directory: Path | None, form: str) -> None:
    """Find golden records of ENTITY by the start of an indexed value."""
    from canonical.catalogue import entity as entity_named
    from hub import queries

    entity_named(entity)
    rows, _ = queries.page(open_hub(directory).engine, entity, after="", text=text, first=50)
    if form == "json":
        put_json(rows)
    else:
        put_table(
            ("id", "label", "sources", "version"), [(r["id"], r["label"], r["sources"], r["version"]) for r in rows]
        )


@click.command()
@click.argument("key")
@folder
@form
def walk(key: str, *, directory: Path | None, form: str) -> None:
    """Show the road of the source record KEY (system:entity:key), from payload to receipt."""
    from canonical.ids import SourceKey
    from hub import queries
    from hub.cli.road import tell

    road = queries.walk(open_hub(directory).engine, SourceKey.parse(key))
    if form == "json":
        put_json(road)
    else:
        tell(road)


@click.command()
@folder
@form
def sources(directory: Path | None, *, form: str) -> None:
    """Count per source and entity: accepted = linked + review + waiting + rejected + failed."""
    from hub import queries

    found: dict[str, Any] = queries.overview(open_hub(directory).engine)
    columns = ("system", "entity", "accepted", "linked", "review", "waiting", "rejected", "failed")
    if form == "json":
        put_json(found["sources"])
    else:
        put_table(columns, [[row[name] for name in columns] for row in found["sources"]])
    wrong = queries.unbalanced(found["sources"])
    if wrong:
        say(f"{len(wrong)} lines do not add up.")
        raise SystemExit(1)
