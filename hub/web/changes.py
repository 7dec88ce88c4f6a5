"""Changes as they happen: GET /changes as server-sent events, resumed where a consumer left off.

Each event carries its cursor as `id`, so that a browser or any SSE client goes on by `Last-Event-ID`. A stream ends by
itself after a while, and is opened again by the client: no consumer is tied to one process for ever.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from typing import Any

import orjson
from flask import Blueprint, Response, request

from hub.store import changes
from hub.store.engine import reading
from hub.web import auth
from hub.wiring import Hub

routes = Blueprint("changes", __name__)
PAGE = 500
PAUSE = 1.0  # seconds between two looks
LONGEST = 600.0  # seconds of one stream
QUIET = 15.0  # seconds after which a line says that the stream lives


@routes.get("/changes")
def stream() -> Response:
    """The changes after `since` or `Last-Event-ID`, then each new one; only those of `entity` where it is named.

    A change names a record and tells no value; entities out of sight are left out.
    """
    sight = auth.asking().sight
    hub = auth.hub()
    since = request.headers.get("Last-Event-ID") or request.args.get("since") or changes.START
    with reading(hub.engine) as connection:
        changes.after(connection, since, 1)  # an unknown cursor is an error now, not an empty stream
    entities = sight.among(request.args.get("entity"))
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Response(_events(hub, since, entities), headers=headers, content_type="text/event-stream; charset=utf-8")


def told(row: dict[str, Any]) -> dict[str, Any]:
    """A change as it is told."""
    names = ("cursor", "entity", "version", "kind", "heir")
    return {name: row[name] for name in names} | {"golden": row["golden_id"], "at": row["at"].isoformat()}


def _events(hub: Hub, cursor: str, entities: Collection[str] | None) -> Iterator[bytes]:
    started = said = time.monotonic()
    yield b"retry: 1000\n\n"
    while time.monotonic() - started < LONGEST:
        with reading(hub.engine) as connection:
            page = changes.after(connection, cursor, PAGE, entities)
        cursor = page.cursor
        for row in page.rows:
            yield f"id: {row['cursor']}\nevent: change\ndata: ".encode() + orjson.dumps(told(row)) + b"\n\n"
            said = time.monotonic()
        if not page.more:
            if time.monotonic() - said > QUIET:
                said = time.monotonic()
                yield b": still here\n\n"
            time.sleep(PAUSE)
