"""Local accounts: argon2 passwords, a pause after failed tries, sessions that end.

Who knows a name learns nothing from trying it: an unknown name, a wrong password and an account that is
locked take as long and are told alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from hub.errors import Conflict, InvalidRequest, NotAuthenticated, NotFound
from hub.store import audit
from hub.store.access import ROLES, Principal
from hub.store.audit import Act
from hub.store.people_tables import person

SHORTEST, LONGEST = 12, 200  # characters of a password
TRIES = 5
PAUSE = timedelta(minutes=15)
LASTS = timedelta(hours=12)  # a session, whatever happens
IDLE = timedelta(hours=1)  # a session in which nothing happens
OVER, AGAIN = "the session is over.", "Sign in again; what you saved is kept."
REFUSED = "name and password do not go together, or the account is locked for now."


def add(connection: sa.Connection, who: Principal, password: str, author: str, now: datetime) -> None:
    """Make an account. Raises InvalidRequest, Conflict for a name that is taken."""
    if who.role not in ROLES:
        raise InvalidRequest(f"{who.role[:20]!r} is no role.", hint=", ".join(ROLES))
    if not who.name.strip() or len(who.name) > 80:
        raise InvalidRequest("a name has 1 to 80 characters.")
    if _row(connection, who.name) is not None:
        raise Conflict(f"there is an account {who.name}; nothing was changed.", hint="`hub users passwd NAME`.")
    row = {"name": who.name, "role": who.role, "password": _hashed(password), "failed": 0,
           "created_at": now, "changed_at": now}  # fmt: skip
    connection.execute(sa.insert(person).values(row))
    audit.append(connection, Act(author, "add user", who.name, {"role": who.role}), now)


def change_password(connection: sa.Connection, name: str, password: str, author: str, now: datetime) -> None:
    """Set a new password; sessions from before end, and a lock with them. Raises InvalidRequest, NotFound."""
    _update(connection, name, password=_hashed(password), changed_at=now, failed=0, locked_until=None)
    audit.append(connection, Act(author, "change password", name, {}), now)


def disable(connection: sa.Connection, name: str, author: str, now: datetime) -> None:
    """Let nobody sign in under this name, and end its sessions. Raises NotFound."""
    _update(connection, name, disabled_at=now, changed_at=now)
    audit.append(connection, Act(author, "disable user", name, {}), now)


def every(connection: sa.Connection) -> list[Mapping[str, Any]]:
    """All accounts, without their passwords."""
    columns = [column for column in person.c if column.name != "password"]
    return [dict(row) for row in connection.execute(sa.select(*columns).order_by(person.c.name)).mappings()]


def sign_in(connection: sa.Connection, name: str, password: str, now: datetime) -> Principal | None:
    """Who this is, or None; a failed try is counted, and too many lock the account for a while.

    The caller commits either way, so that tries are counted.
    """
    row = _row(connection, name)
    right = _matches(row["password"] if row else _nobody(), password[:LONGEST])
    if row is None or row["disabled_at"] is not None or (row["locked_until"] is not None and row["locked_until"] > now):
        return None
    if not right:
        failed = row["failed"] + 1
        locked = now + PAUSE if failed >= TRIES else None
        _update(connection, name, failed=0 if locked else failed, locked_until=locked)
        if locked:
            audit.append(connection, Act(name, "lock user", name, {"until": locked.isoformat()}), now)
        return None
    _update(connection, name, failed=0, locked_until=None, last_seen_at=now)
    return Principal(name, row["role"])


def still(connection: sa.Connection, name: str, since: datetime, seen: datetime, now: datetime) -> Principal:
    """Who has a session that was opened `since` and last used when `seen`. Raises NotAuthenticated when it is over."""
    row = _row(connection, name)
    require_open(since, seen, now)
    if row is None or row["disabled_at"] is not None or row["changed_at"] > since:
        raise NotAuthenticated(OVER, hint=AGAIN)
    return Principal(name, row["role"])


def require_open(since: datetime, seen: datetime, now: datetime) -> None:
    """Raise NotAuthenticated when a session that was opened `since` and last used when `seen` is over."""
    if now - since > LASTS or now - seen > IDLE:
        raise NotAuthenticated(OVER, hint=AGAIN)


def _row(connection: sa.Connection, name: str) -> Mapping[str, Any] | None:
    row = connection.execute(sa.select(person).where(person.c.name == name)).mappings().one_or_none()
    return dict(row) if row else None


def _update(connection: sa.Connection, name: str, **values: Any) -> None:
    changed = sa.update(person).where(person.c.name == name).values(**values).returning(person.c.name)
    if connection.execute(changed).one_or_none() is None:
        raise NotFound(f"there is no account {name}.", hint="`hub users ls` lists them.")


def _hashed(password: str) -> str:
    if not SHORTEST <= len(password) <= LONGEST:
        raise InvalidRequest(f"a password has {SHORTEST} to {LONGEST} characters, this one has {len(password)}.")
    return _HASHER.hash(password)


def _matches(stored: str, password: str) -> bool:
    try:
        return _HASHER.verify(stored, password)
    except (VerifyMismatchError, InvalidHashError):
        return False


@cache
def _nobody() -> str:
    """What the password of an unknown name is compared with."""
    return _HASHER.hash("nobody has this password")


_HASHER = PasswordHasher()
