"""Commands about rules, the model and mappings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hub.cli import rehearsal
from hub.cli.terminal import form, put_json, put_table, say


@click.group()
def rules() -> None:
    """The rules: their versions, drafts, and what a draft would change."""


for _command in (rehearsal.ls, rehearsal.simulate, rehearsal.simulations, rehearsal.promote, rehearsal.rollback):
    rules.add_command(_command)


@rules.command("check")
@click.argument("file", type=click.Path(exists=True, path_type=Path))
@form
def check(file: Path, *, form: str) -> None:
    """Check a rule document: schema, fields, facts, conditions, rules that can never fire, undecided fields."""
    from canonical.document import place_in
    from rules.check import remarks
    from rules.ruleset import load

    text = file.read_text("utf-8")
    ruleset = load(text, file.name)
    found = [(*place_in(text, one.path), one) for one in remarks(ruleset)]
    if form == "json":
        rows = [{"line": line, "column": column, "rule": one.rule, "words": one.words} for line, column, one in found]
        put_json({"file": file.name, "version": ruleset.version, "remarks": rows})
    for line, column, one in found if form == "table" else ():
        click.echo(f"{file.name}:{line}:{column} {one.rule}: {one.words}.")
    if found:
        say(f"{file.name}: {len(found)} to look at again.")
        raise SystemExit(1)
    say(f"{file.name}: well. It would be version {ruleset.version}.")


@rules.command("schema")
def schema() -> None:
    """Print the JSON Schema of a rule document."""
    from rules.document import RuleDocument

    put_json(RuleDocument.model_json_schema(by_alias=True))


@click.command()
@click.argument("entity", required=False)
@form
def model(entity: str | None, *, form: str) -> None:
    """Show the canonical entities, or the fields of one."""
    from canonical.catalogue import ENTITIES
    from canonical.catalogue import entity as entity_named

    if entity is None:
        rows: list[tuple[Any, ...]] = [
            (e.name, e.prefix, len(e.fields), e.description.splitlines()[0]) for e in ENTITIES.values()
        ]
        columns: tuple[str, ...] = ("entity", "prefix", "fields", "what it is")
    else:
        fields = entity_named(entity).fields.values()
        marks = ("match", "personal", "money", "indexed")
        rows = [
            (f.name, f.marks.reference or "", " ".join(m for m in marks if getattr(f.marks, m)), f.marks.description)
            for f in fields
        ]
        columns = ("field", "refers to", "marks", "what it is")
    if form == "json":
        put_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        put_table(columns, rows)


@click.group("map")
def mapping() -> None:
    """Mappings from a system's words to canonical ones."""


@mapping.command("try")
@click.argument("system")
@click.argument("file", type=click.Path(exists=True, path_type=Path))
@click.option("--mapping", "document", type=click.Path(exists=True, path_type=Path), help="A mapping of your own.")
@click.option("--first", default=5, show_default=True, help="How many payloads.")
def attempt(system: str, file: Path, *, document: Path | None, first: int) -> None:
    """Translate the first payloads of FILE; nothing is stored."""
    from itertools import islice

    from adapters.decode import read_payloads
    from adapters.mapping import load
    from adapters.registry import source
    from hub.clock import now

    made = source(system) if document is None else load(document.read_text("utf-8"), document.name)
    shown = []
    for payload in islice(read_payloads(file), first):
        found = made.translate(payload.content, now()) if payload.content is not None else None
        records = (
            [{"key": str(r.key), "values": dict(r.values), "asserted_at": r.asserted_at} for r in found.records]
            if found
            else []
        )
        findings = [
            *payload.findings,
            *(found.findings if found else ()),
            *(f for r in (found.records if found else ()) for f in r.findings),
        ]
        shown.append(
            {
                "line": payload.line,
                "records": records,
                "findings": [f"{f.code} {f.field or ''} {f.message}" for f in findings],
            }
        )
    put_json(shown)
