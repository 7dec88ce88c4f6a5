"""API keys: 256 random bits, of which only the SHA-256 is kept."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

import sqlalchemy as sa

from hub.store.tables import api_key

ROLES = ("reader", "steward", "approver", "operator", "engineer", "admin")


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking, and in which role."""

    name: str
    role: str


def issue(connection: sa.Connection, principal: Principal, now: datetime) -> str:
    """A new key, shown this once: hub_<id>_<secret>."""
    id_, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    row = {"id": id_, "name": principal.name, "role": principal.role, "created_at": now}
    connection.execute(sa.insert(api_key).values(row | {"secret_hash": sha256(secret.encode()).digest()}))
    return f"hub_{id_}_{secret}"


def recognise(connection: sa.Connection, key: str) -> Principal | None:
    """Whose key it is, or None if it is nobody's or was revoked."""
    parts = key.split("_", 2)
    if len(parts) != 3 or parts[0] != "hub":
        return None
    query = sa.select(api_key).where(api_key.c.id == parts[1], api_key.c.revoked_at.is_(None))
    row = connection.execute(query).one_or_none()
    if row is None or not hmac.compare_digest(row.secret_hash, sha256(parts[2].encode()).digest()):
        return None
    return Principal(row.name, row.role)


def revoke(connection: sa.Connection, key_id: str, now: datetime) -> bool:
    """End a key; whether there was one to end."""
    ended = sa.update(api_key).where(api_key.c.id == key_id, api_key.c.revoked_at.is_(None)).values(revoked_at=now)
    return connection.execute(ended.returning(api_key.c.id)).one_or_none() is not None
