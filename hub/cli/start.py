"""Commands that start something: the demo, the server, the worker, the store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hub.cli.terminal import folder, form, open_hub, put_json, say


@click.command()
@folder
@click.option("--no-serve", is_flag=True, help="Do everything but start the server.")
@click.option("--accounts", default=2000, show_default=True, help="Size of the synthetic company.")
@click.option("--port", type=int, help="Port of the server.")
@click.option("--erp", type=click.Choice(["file", "tryton"]), default="file", help="What to publish to.")
@form
def demo(directory: Path | None, *, no_serve: bool, accounts: int, port: int | None, erp: str, form: str) -> None:
    """Load a synthetic company, match, judge, publish, and serve it."""
    from contextlib import nullcontext

    hub = open_hub(directory, prepare=True)
    with _tryton(hub) if erp == "tryton" else nullcontext():
        _demo(hub, accounts, port, form)
        if not no_serve:
            _serve(hub, port)


def _demo(hub: Any, accounts: int, port: int | None, form: str) -> None:
    from hub.demo import run, tell

    result = run(hub, accounts, say)
    if form == "json":
        put_json(result.document)
    else:
        tell(result, port or hub.settings.port)
    if result.unbalanced:
        raise SystemExit(4)


def _tryton(hub: Any) -> Any:
    """A Tryton server of this hub's own, which `targets.yaml` names as its ERP from now on."""
    from adapters.peers.tryton import TrytonServer
    from canonical.document import written

    say("setting up Tryton; the first time it is installed, which takes about half a minute")
    server = TrytonServer(hub.settings.dir / "tryton")
    path = hub.settings.dir / "targets.yaml"
    path.write_text(written({"erp": {"kind": "tryton", **server.options}}), "utf-8")
    say(f"Tryton  {server.options['url']}  its books are in {server.folder}; {path} says how it is reached")
    return server


@click.command()
@folder
@click.option("--port", type=int, help="Port to listen on (default: HUB_PORT).")
def serve(directory: Path | None, *, port: int | None) -> None:
    """Serve console and GraphQL, with a worker beside it."""
    _serve(open_hub(directory), port)


@click.command()
@folder
def work(directory: Path | None) -> None:
    """Run the schedules until stopped; any number of workers may run."""
    from hub import log
    from hub.worker import run

    log.configure()
    run(open_hub(directory))


@click.command()
@folder
def migrate(directory: Path | None) -> None:
    """Create the store or bring it up to this version."""
    hub = open_hub(directory, prepare=True)
    say(f"the store at {hub.engine.url.render_as_string(hide_password=True)} is ready.")


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--accounts", default=2000, show_default=True, help="Size of the synthetic company.")
@click.option("--seed", "number", default=7, show_default=True, help="Another number, another company.")
def seed(directory: Path, *, accounts: int, number: int) -> None:
    """Write the synthetic company to a folder: one file per system and kind, and the truth."""
    from seed import generate

    summary = generate(directory, accounts=accounts, seed=number)
    say(f"{sum(summary.records.values())} records of {accounts} accounts in {directory}")


def _serve(hub: Any, port: int | None) -> None:
    from hub.serving import serve_forever

    serve_forever(hub, port or hub.settings.port)
