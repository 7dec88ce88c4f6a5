"""Changes told to others: signed by the Standard Webhooks scheme, in order, until they are taken.

A webhook is a place in the feed of changes. What comes after it goes as one message; only when the receiver has
answered 2xx does the place move on, so nothing is lost while a receiver is away, and a message that is sent again
carries the same id. Tries are a minute apart, then twice as far each time, up to an hour; after `MOST` in a row
the webhook is paused, and tells when somebody resumes it.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

import orjson

from adapters.errors import TargetUnavailable, UnknownOutcome
from adapters.transport import Manners, Transport
from canonical.catalogue import entity as entity_named
from hub.clock import Clock
from hub.errors import InvalidRequest, NotFound
from hub.store import audit, changes, webhooks
from hub.store.audit import Act
from hub.store.engine import Engine, reading, writing

PAGE = 200  # changes of one message
MOST = 24  # tries in a row
SLOWEST = timedelta(hours=1)


def subscribe(engine: Engine, url: str, entities: Sequence[str], author: str, now: datetime) -> tuple[int, str]:
    """Tell a receiver of every change from now on; the webhook's id and the secret, which is shown this once."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise InvalidRequest(f"{url[:80]!r} is no address to send to.", hint="https://HOST/PATH, without a password.")
    wanted = sorted({entity_named(name).name for name in entities}) or None
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    with writing(engine) as connection:
        row = {"url": url, "secret": secret, "entities": wanted, "cursor": changes.last(connection), "state": "active",
               "attempts": 0, "next_at": now, "created_by": author, "created_at": now}  # fmt: skip
        made = webhooks.add(connection, row)
        audit.append(connection, Act(author, "add webhook", str(made), {"url": url, "entities": wanted}), now)
    return made, secret


def tell(engine: Engine, clock: Clock) -> dict[int, int]:
    """Tell every receiver what it has not heard; webhook → changes that it took."""
    with reading(engine) as connection:
        due = webhooks.due(connection, clock())
    return {row["id"]: _tell(engine, row, clock) for row in due}


def resend(engine: Engine, delivery_id: int, author: str, now: datetime) -> None:
    """Go back to before a message, and tell from there again. Raises NotFound."""
    with writing(engine) as connection:
        row = webhooks.delivery(connection, delivery_id)
        if row is None:
            raise NotFound(f"there is no delivery {delivery_id}.", hint="`hub webhooks log ID` lists them.")
        back = {"cursor": row["since"], "state": "active", "attempts": 0, "next_at": now}
        webhooks.change(connection, row["webhook_id"], **back)
        audit.append(connection, Act(author, "resend webhook", str(row["webhook_id"]), {"delivery": delivery_id}), now)


def set_state(engine: Engine, webhook_id: int, state: str, author: str, now: datetime) -> None:
    """Pause a webhook, or let it tell again from where it stands. Raises NotFound."""
    with writing(engine) as connection:
        if not webhooks.change(connection, webhook_id, state=state, attempts=0, next_at=now):
            raise NotFound(f"there is no webhook {webhook_id}.", hint="`hub webhooks ls` lists them.")
        audit.append(connection, Act(author, f"{state} webhook", str(webhook_id), {}), now)


def signature(secret: str, message: str, moment: datetime, body: bytes) -> str:
    """The signature of a message: HMAC-SHA256 over id, time and body (Standard Webhooks, version 1)."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message}.{int(moment.timestamp())}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, sha256).digest()).decode()


def _tell(engine: Engine, row: Mapping[str, Any], clock: Clock) -> int:
    """Tell one receiver page by page until it has heard all, or does not take one."""
    parts = urlsplit(row["url"])
    transport = Transport(f"webhook {row['id']}", f"{parts.scheme}://{parts.netloc}", Manners(read=15.0, tries=1))
    taken, cursor, attempts = 0, row["cursor"], row["attempts"]
    try:
        while True:
            with reading(engine) as connection:
                page = changes.after(connection, cursor, PAGE)
            if not page.rows:
                return taken
            wanted = [one for one in page.rows if row["entities"] is None or one["entity"] in row["entities"]]
            told = (cursor, page.cursor, wanted)
            if wanted and not _send(engine, transport, {**row, "attempts": attempts}, told, clock):
                return taken
            taken, cursor, attempts = taken + len(wanted), page.cursor, 0
            with writing(engine) as connection:
                webhooks.change(connection, row["id"], cursor=cursor, attempts=0, next_at=clock())
    finally:
        transport.close()


def _send(
    engine: Engine,
    transport: Transport,
    row: Mapping[str, Any],
    told: tuple[str, str, Sequence[Mapping[str, Any]]],
    clock: Clock,
) -> bool:
    """One message; whether it was taken. Each try is kept."""
    (since, cursor, rows), now = told, clock()
    message = f"msg_{row['id']}_{since}_{cursor}"
    body = orjson.dumps({"type": "golden.changed", "timestamp": now.isoformat(), "data": [_event(one) for one in rows]})
    headers = {"content-type": "application/json", "webhook-id": message,
               "webhook-timestamp": str(int(now.timestamp())),
               "webhook-signature": signature(row["secret"], message, now, body)}  # fmt: skip
    parts = urlsplit(row["url"])
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    status, says = None, None
    try:
        status = transport.call("POST", path, content=body, headers=headers).status
    except (TargetUnavailable, UnknownOutcome) as error:
        says = error.message
    attempt = row["attempts"] + 1
    taken = status is not None and 200 <= status < 300
    kept = {"webhook_id": row["id"], "message": message, "since": since, "cursor": cursor, "events": len(rows),
            "attempt": attempt, "status": status, "says": says, "at": now}  # fmt: skip
    with writing(engine) as connection:
        webhooks.note(connection, kept)
        if not taken:
            wait = min(timedelta(minutes=2 ** (attempt - 1)), SLOWEST)
            state = "paused" if attempt >= MOST or status == 410 else "active"
            webhooks.change(connection, row["id"], attempts=attempt, next_at=now + wait, state=state)
    return taken


def _event(row: Mapping[str, Any]) -> dict[str, Any]:
    names = ("cursor", "entity", "version", "kind", "heir")
    return {name: row[name] for name in names} | {"golden": row["golden_id"], "at": row["at"].isoformat()}
