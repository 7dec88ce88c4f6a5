"""Commands about schedules: what runs when, when it must not, and running it now."""

from __future__ import annotations

from pathlib import Path

import click

from hub.cli.terminal import folder, form, open_hub, put_json, put_table, say


@click.group()
def schedule() -> None:
    """What runs when; workers follow within ten seconds."""


@schedule.command("ls")
@folder
@form
def ls(*, directory: Path | None, form: str) -> None:
    """List the schedules."""
    from hub.store import schedules
    from hub.store.engine import reading

    with reading(open_hub(directory).engine) as connection:
        rows = schedules.every(connection)
    if form == "json":
        put_json(rows)
        return
    columns = ("id", "job", "target", "cron", "timezone", "paused", "blackouts")
    put_table(columns, [[*(r[n] for n in columns[:-1]), "; ".join(r["blackouts"] or ())] for r in rows])


@schedule.command("put")
@click.argument("name")
@click.argument("job", type=click.Choice(["publish", "reconcile", "hear", "dates", "webhooks", "retention"]))
@click.option("--cron", required=True, help="Five fields: minute hour day month weekday.")
@click.option("--target", help="For publish, reconcile and hear.")
@click.option("--zone", default="UTC", show_default=True, help="Such as Europe/Berlin.")
@click.option(
    "--blackout", "blackouts", multiple=True, help="When it must not run: 22:00-23:30, or days from..through."
)
@folder
def put(
    name: str, job: str, *, cron: str, target: str | None, zone: str, blackouts: tuple[str, ...], directory: Path | None
) -> None:
    """Create or replace the schedule NAME."""
    from hub.store import schedules
    from hub.store.engine import writing
    from hub.worker import require_fit

    hub = open_hub(directory)
    row = {"job": job, "target": target, "cron": cron, "timezone": zone, "paused": False, "blackouts": list(blackouts)}
    require_fit(name, row, hub.targets)
    with writing(hub.engine) as connection:
        schedules.put(connection, {"id": name, **row})
    say(f"{name} runs {job} at {cron} {zone}.")


@schedule.command("pause")
@click.argument("name")
@click.option("--resume", is_flag=True, help="Let it run again.")
@folder
def pause(name: str, *, resume: bool, directory: Path | None) -> None:
    """Pause the schedule NAME, or let it run again."""
    from hub.store import schedules
    from hub.store.engine import writing

    with writing(open_hub(directory).engine) as connection:
        schedules.put(connection, {**schedules.get(connection, name), "paused": not resume})
    say(f"{name} {'runs again' if resume else 'is paused'}.")


@schedule.command("run")
@click.argument("name")
@folder
def run(name: str, *, directory: Path | None) -> None:
    """Run the schedule NAME now, whatever its time; its blackout windows hold."""
    from hub.worker import run_now

    say(run_now(open_hub(directory), name))
