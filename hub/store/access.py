"""API keys: 256 random bits, of which only the SHA-256 is kept; what each sees, until when it holds, its rotation."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import sqlalchemy as sa

from hub.errors import Conflict, InvalidRequest, NotFound
from hub.store import audit
from hub.store.access_tables import api_key
from hub.store.allowance import UNLIMITED, Limits
from hub.store.audit import Act
from hub.store.sight import EVERYTHING, Sight

ROLES = ("reader", "steward", "approver", "operator", "engineer", "admin")
OVERLAP = timedelta(days=7)  # how long a rotated key still holds, if nothing is said
_MINUTE = timedelta(minutes=1)
_SHOWN = (
    api_key.c.id, api_key.c.name, api_key.c.role, api_key.c.entities, api_key.c.hidden, api_key.c.created_at,
    api_key.c.last_used_at, api_key.c.expires_at, api_key.c.revoked_at, api_key.c.heir, api_key.c.rate, api_key.c.cost,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking, in which role, with which sight; `key` is the API key that they came with."""

    name: str
    role: str
    sight: Sight = EVERYTHING
    key: str | None = None
    limits: Limits = UNLIMITED

    @property
    def caller(self) -> str:
        """What tells this caller from all others, whatever it is called."""
        return f"key {self.key}" if self.key else f"person {self.name}"


def issue(connection: sa.Connection, principal: Principal, now: datetime, *, expires_at: datetime | None = None) -> str:
    """A new key, shown this once: hub_<id>_<secret>. Raises InvalidRequest."""
    if principal.role not in ROLES:
        raise InvalidRequest(f"{principal.role[:20]!r} is no role.", hint=", ".join(ROLES))
    if any(one is not None and one < 1 for one in (principal.limits.rate, principal.limits.cost)):
        raise InvalidRequest("a limit is at least 1 a minute.", hint="To end a key, revoke it.")
    if expires_at is not None and expires_at <= now:
        raise InvalidRequest(f"{expires_at:%Y-%m-%d %H:%M} is over; a key expires at a later time.")
    id_, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    sight = principal.sight
    row = {"id": id_, "name": principal.name, "role": principal.role, "created_at": now, "expires_at": expires_at,
           "entities": None if sight.entities is None else sorted(sight.entities),
           "hidden": sorted(sight.hidden) or None,
           "rate": principal.limits.rate, "cost": principal.limits.cost}  # fmt: skip
    connection.execute(sa.insert(api_key).values(row | {"secret_hash": sha256(secret.encode()).digest()}))
    return f"hub_{id_}_{secret}"


def grant(
    connection: sa.Connection, principal: Principal, author: str, now: datetime, *, expires_at: datetime | None = None
) -> str:
    """Issue a key and write down who did; the key, shown this once. Raises InvalidRequest."""
    made = issue(connection, principal, now, expires_at=expires_at)
    sight = principal.sight
    detail = {"name": principal.name, "role": principal.role, "hidden": sorted(sight.hidden),
              "entities": None if sight.entities is None else sorted(sight.entities),
              "rate": principal.limits.rate, "cost": principal.limits.cost,
              "until": expires_at and expires_at.isoformat()}  # fmt: skip
    audit.append(connection, Act(author, "issue key", key_id(made), detail), now)
    return made


def key_id(key: str) -> str:
    """The part of a key that names it and is no secret."""
    return key.split("_")[1]


def recognise(connection: sa.Connection, key: str, now: datetime) -> Principal | None:
    """Whose key it is, or None if it is nobody's, was revoked or has expired."""
    return recognise_use(connection, key, now)[0]


def recognise_use(connection: sa.Connection, key: str, now: datetime) -> tuple[Principal | None, bool]:
    """Whose key it is, and whether nobody has noted for a minute that it is used."""
    parts = key.split("_", 2)
    if len(parts) != 3 or parts[0] != "hub":
        return None, False
    row = _valid(connection, parts[1], now)
    if row is None or not hmac.compare_digest(row["secret_hash"], sha256(parts[2].encode()).digest()):
        return None, False
    seen = row["last_used_at"]
    return _principal(row), seen is None or seen <= now - _MINUTE


def holder(connection: sa.Connection, key_id: str, now: datetime) -> Principal | None:
    """Who holds a key that was shown before, as long as it is in force."""
    row = _valid(connection, key_id, now)
    return _principal(row) if row else None


def note_use(connection: sa.Connection, key_id: str, now: datetime) -> None:
    """Note that a key is used, unless somebody has done so within the minute."""
    stale = sa.or_(api_key.c.last_used_at.is_(None), api_key.c.last_used_at <= now - _MINUTE)
    connection.execute(sa.update(api_key).where(api_key.c.id == key_id, stale).values(last_used_at=now))


def every(connection: sa.Connection, now: datetime) -> list[dict[str, Any]]:
    """All keys without their secrets, the newest first, each with its state: valid, rotated, expired or revoked."""
    rows = connection.execute(sa.select(*_SHOWN).order_by(api_key.c.created_at.desc(), api_key.c.id)).mappings()
    return [{str(name): value for name, value in row.items()} | {"state": _state(row, now)} for row in rows]


def rotate(connection: sa.Connection, old: str, author: str, now: datetime, *, overlap: timedelta = OVERLAP) -> str:
    """A new key in place of one, with its name, role and scope; the old one holds until the overlap is over.

    Raises NotFound, Conflict.
    """
    row = connection.execute(sa.select(api_key).where(api_key.c.id == old).with_for_update()).mappings().one_or_none()
    if row is None:
        raise NotFound(f"there is no key {old[:40]}.", hint="`hub keys ls` lists them.")
    if _state(row, now) != "valid":
        raise Conflict(f"key {old} is {_state(row, now)}; nothing was changed.", hint="Issue a new key.")
    if overlap < timedelta(0):
        raise InvalidRequest("an overlap of less than nothing cannot be kept.", hint="For example 7 days, or 0.")
    made = issue(connection, _principal(row), now, expires_at=row["expires_at"])
    until = min(now + overlap, row["expires_at"] or now + overlap)
    ending = {"expires_at": until, "heir": key_id(made)}
    connection.execute(sa.update(api_key).where(api_key.c.id == old).values(**ending))
    audit.append(connection, Act(author, "rotate key", old, {"heir": ending["heir"], "until": until.isoformat()}), now)
    return made


def revoke(connection: sa.Connection, key_id: str, author: str, now: datetime) -> bool:
    """End a key; whether there was one to end."""
    ended = sa.update(api_key).where(api_key.c.id == key_id, api_key.c.revoked_at.is_(None)).values(revoked_at=now)
    if connection.execute(ended.returning(api_key.c.id)).one_or_none() is None:
        return False
    audit.append(connection, Act(author, "revoke key", key_id, {}), now)
    return True


def _valid(connection: sa.Connection, key_id: str, now: datetime) -> Mapping[Any, Any] | None:
    row = connection.execute(_OF_ID, {"id": key_id}).mappings().one_or_none()
    return row if row is not None and _state(row, now) in ("valid", "rotated") else None


def _state(row: Mapping[Any, Any], now: datetime) -> str:
    if row["revoked_at"] is not None:
        return "revoked"
    if row["expires_at"] is not None and row["expires_at"] <= now:
        return "expired"
    return "rotated" if row["heir"] else "valid"


def _principal(row: Mapping[Any, Any]) -> Principal:
    sight = Sight.of(row["entities"], row["hidden"] or ())
    return Principal(row["name"], row["role"], sight, row["id"], Limits(row["rate"], row["cost"]))


_OF_ID = sa.select(api_key).where(api_key.c.id == sa.bindparam("id"))
