"""Sessions that were opened with a password or with the issuer: whose they are, and when they are over."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import session

from hub.store import people
from hub.store.access import Principal
from hub.store.engine import reading
from hub.wiring import Hub

_MINUTE = 60  # seconds after which a use is noted


def signed_in(hub: Hub) -> Principal | None:
    """Who has opened this session with a password or with the issuer, if it was one of them.

    Raises NotAuthenticated when it is over.
    """
    name, guest = session.get("person"), session.get("guest")
    if name is None and guest is None:
        return None
    now = hub.clock()
    since, seen = (datetime.fromtimestamp(float(session.get(part, 0)), UTC) for part in ("since", "seen"))
    if guest is not None:
        people.require_open(since, seen, now)
        found = Principal(*guest)
    else:
        with reading(hub.engine) as connection:
            found = people.still(connection, str(name), since, seen, now)
    if (now - seen).total_seconds() > _MINUTE:
        session["seen"] = now.timestamp()
    return found
