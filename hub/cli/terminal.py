"""What commands share: the hub that they talk to, and how they print."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import orjson

if TYPE_CHECKING:
    from hub.wiring import Hub

folder = click.option(
    "--dir", "directory", type=click.Path(path_type=Path), help="Where the embedded store lives (default: HUB_DIR)."
)
form = click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", help="How to print.")


def open_hub(directory: Path | None = None, *, prepare: bool = False) -> Hub:
    """The hub of the environment, or of this folder. Raises StoreBehind when its tables are not there."""
    from hub.settings import Settings
    from hub.store.engine import reading
    from hub.store.migrate import require_head
    from hub.wiring import Hub

    hub = Hub(Settings(dir=directory) if directory else Settings())
    if prepare:
        hub.prepare()
    else:
        with reading(hub.engine) as connection:
            require_head(connection)
    return hub


def put_json(document: Any) -> None:
    """One JSON document on standard output."""
    click.echo(orjson.dumps(document, default=_plain, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS).decode())


def put_table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """A table with a heading line, columns as wide as needed; nothing is cut."""
    cells = [[("" if value is None else str(value)) for value in row] for row in rows]
    widths = [max([len(name), *(len(row[i]) for row in cells)]) for i, name in enumerate(columns)]
    for row in [[name.upper() for name in columns], *cells]:
        click.echo("  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True)).rstrip())


def say(text: str) -> None:
    """A line for the person at the terminal, not for a program that reads the output."""
    click.echo(text, err=True)


def plan_number(plan: str) -> int:
    """The number of a plan from its name, such as P-7."""
    digits = plan.upper().removeprefix("P-")
    if not digits.isdigit():
        raise click.BadParameter(f"{plan!r} is not a plan; plans are called P-1, P-2 …")
    return int(digits)


def progress(label: str) -> Any:
    """A callback that tells how many payloads are done: on one line of a terminal, else now and then."""
    told = [0]

    def tell(count: int) -> None:
        if sys.stderr.isatty():
            click.echo(f"\r{label}: {count}", nl=False, err=True)
        elif count >= told[0] * 2 + 10_000:
            told[0] = count
            say(f"{label}: {count}")

    return tell


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)
