"""The command `hub`. Light to start: a command's own module is imported when it is called.

Data goes to standard output, everything else to standard error. Exit codes: 0 done, 1 failed, 2 wrong
usage, 4 some records failed, 5 approval needed, 6 stale or in conflict.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import click

from canonical.errors import MasterDataError

_COMMANDS = {
    "demo": "hub.cli.start:demo",
    "serve": "hub.cli.start:serve",
    "work": "hub.cli.start:work",
    "migrate": "hub.cli.start:migrate",
    "seed": "hub.cli.start:seed",
    "ingest": "hub.cli.data:ingest",
    "record": "hub.cli.data:record",
    "walk": "hub.cli.data:walk",
    "sources": "hub.cli.data:sources",
    "review": "hub.cli.steward:review",
    "publish": "hub.cli.publishing:publish",
    "webhooks": "hub.cli.telling:webhooks",
    "schedule": "hub.cli.scheduling:schedule",
    "books": "hub.cli.closing:books",
    "delegation": "hub.cli.delegating:delegation",
    "reconcile": "hub.cli.reconciling:reconcile",
    "hear": "hub.cli.reconciling:hear",
    "drift": "hub.cli.reconciling:drift",
    "rules": "hub.cli.rulebook:rules",
    "config": "hub.cli.configuring:config",
    "match": "hub.cli.match:match",
    "model": "hub.cli.rulebook:model",
    "codes": "hub.cli.codes:codes",
    "map": "hub.cli.rulebook:mapping",
    "try": "hub.cli.playground:attempt",
    "check": "hub.cli.admin:check",
    "doctor": "hub.cli.admin:doctor",
    "explain": "hub.cli.admin:explain",
    "audit": "hub.cli.admin:audit",
    "replay": "hub.cli.proving:replay",
    "keys": "hub.cli.keyring:keys",
    "users": "hub.cli.users:users",
    "documents": "hub.cli.documents:documents",
}
_EXITS = {"HUB-4220": 6, "HUB-4221": 6, "HUB-4401": 6, "HUB-4402": 5, "HUB-4403": 6}


class _Lazy(click.Group):
    """A group that knows its commands by name and imports one when it is asked for."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """All commands, in the order above."""
        return list(_COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now."""
        if cmd_name not in _COMMANDS:
            return None
        module, name = _COMMANDS[cmd_name].split(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, _HELP[name]) for name in _COMMANDS])


_HELP = {
    "demo": "Load a synthetic company, match, judge, publish, and serve it.",
    "serve": "Serve console and GraphQL.",
    "work": "Run the schedules.",
    "migrate": "Create or update the store.",
    "seed": "Write the synthetic company to a folder.",
    "ingest": "Take in a CSV, JSON Lines or JSON file.",
    "record": "Show a golden record, find one, or ask why a field has its value.",
    "walk": "Show the road of one source record, station by station.",
    "sources": "Count what came in: nothing vanishes.",
    "review": "The steward's queue.",
    "publish": "Plan, approve and apply what goes to a target.",
    "webhooks": "Changes told to others, signed, until they are taken.",
    "schedule": "What runs when, when it must not, and running it now.",
    "books": "Close books: what touches a closed period waits.",
    "delegation": "Lend a role's approvals until a day.",
    "reconcile": "Read a target back and compare it with what it was sent.",
    "hear": "Take in what was edited in a target.",
    "drift": "What targets have against what they were sent: resend, adopt, accept.",
    "rules": "The rules in force; check a rule document.",
    "config": "The configuration as files: export, diff, apply.",
    "match": "Match any table by itself: CSV, JSON Lines, Parquet.",
    "model": "The canonical entities and their fields.",
    "codes": "Code lists: what a system's codes mean.",
    "map": "Try a mapping on a file; nothing is stored.",
    "try": "Show what would become of a payload; nothing is stored.",
    "check": "Check rules, mappings and store.",
    "doctor": "Is everything here that is needed?",
    "explain": "What a code means, and what to do.",
    "audit": "Verify the audit log.",
    "replay": "Rebuild every golden record from the log and compare.",
    "keys": "Issue, list, rotate and revoke API keys.",
    "users": "Local accounts: add, list, change passwords, disable.",
    "documents": "GraphQL documents that callers name by their hash.",
}


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("-v", "--verbose", is_flag=True, help="Log more, and show tracebacks.")
@click.version_option(package_name="concord-hub", prog_name="hub")
@click.pass_context
def cli(ctx: click.Context, *, verbose: bool) -> None:
    """Concord: golden records for subscription businesses."""
    ctx.obj = {"verbose": verbose}


def main(arguments: list[str] | None = None) -> None:
    """Run a command; a known error is told in three lines and never as a traceback."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        cli.main(args=arguments, prog_name="hub")
    except MasterDataError as error:
        if "-v" in arguments or "--verbose" in arguments:
            raise
        _tell(error)
        sys.exit(_EXITS.get(error.code, 1))


def _tell(error: Any) -> None:
    click.echo(f"{error.code} {error.message}", err=True)
    click.echo(f"  next: {error.hint}", err=True)
    click.echo(f"  more: hub explain {error.code}", err=True)
