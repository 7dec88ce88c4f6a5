"""The command that proves: everything golden is what its sources, decisions and rules make of it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from hub.cli.terminal import folder, form, open_hub, put_json, say


@click.command()
@click.option("--verify", is_flag=True, help="Compare what is rebuilt with what stands.")
@click.option("--entity", help="Only this canonical entity.")
@folder
@form
def replay(*, verify: bool, entity: str | None, directory: Path | None, form: str) -> None:
    """Rebuild every golden record from the log and compare it, byte for byte; nothing is written."""
    from canonical.catalogue import ENTITIES
    from canonical.catalogue import entity as entity_named
    from hub.flow.replay import verify as prove

    if not verify:
        raise click.UsageError("say --verify: a replay writes nothing, it only compares.")
    wanted = [entity_named(entity).name] if entity else list(ENTITIES)
    proof = prove(open_hub(directory).engine, wanted)
    rate = round(proof.records / proof.seconds) if proof.seconds else 0
    if form == "json":
        put_json(asdict(proof) | {"records_per_second": rate})
    else:
        _tell(proof)
        say(f"{proof.seconds:.1f} s, {rate} source records per second")
    if proof.differences:
        raise SystemExit(1)


def _tell(proof: Any) -> None:
    click.echo(
        f"{proof.golden} golden records rebuilt from {proof.records} source records, {proof.tasks} open questions"
    )
    if not proof.differences:
        click.echo("all of them stand exactly as rebuilt.")
        return
    click.echo(f"{proof.differences} differences; the first:")
    for one in proof.first:
        click.echo(f"  {one.subject}  {one.field}")
        click.echo(f"    stored   {one.stored}")
        click.echo(f"    rebuilt  {one.rebuilt}")
