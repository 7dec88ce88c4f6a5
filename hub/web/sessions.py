"""Sessions that were opened with a password: whose they are, and when they are over."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import session

from hub.store import people
from hub.store.access import Principal
from hub.store.engine import reading
from hub.wiring import Hub

_MINUTE = 60  # seconds after which a use is noted


def signed_in(hub: Hub) -> Principal | None:
    """Who has opened this session with a password, if it was one. Raises NotAuthenticated when it is over."""
    name = session.get("person")
    if name is None:
        return None
    now = hub.clock()
    since, seen = (datetime.fromtimestamp(float(session.get(part, 0)), UTC) for part in ("since", "seen"))
    with reading(hub.engine) as connection:
        found = people.still(connection, str(name), since, seen, now)
    if (now - seen).total_seconds() > _MINUTE:
        session["seen"] = now.timestamp()
    return found
