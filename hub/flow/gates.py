"""One gate for all who send to a target, and one pace: in the store, so that every process keeps them.

Trouble with the connection shuts it for a time that doubles, or for as long as the target asks. After some in a row
one sender tries with one message, and the others wait for what becomes of it. A target that does not let us in shuts
it for longer, and for workers only: a person who sends has looked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from adapters.base import NOT_SENT, Receipt, Status
from hub.clock import Clock
from hub.flow.failures import waiting
from hub.store import gates
from hub.store.engine import Connection, Engine, writing

FAILS = 3  # in a row, after which one tries for all
PROBE = timedelta(minutes=2)  # that the others wait for it
REFUSED = timedelta(minutes=15)  # the first time
LONGEST_REFUSED = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Shared:
    """A pace that all processes keep together, by the generic cell rate algorithm on one row."""

    engine: Engine
    clock: Clock
    target: str
    rate: float
    burst: int

    def wait(self) -> float:
        """Take a turn; the seconds to wait for it."""
        with writing(self.engine) as connection:
            return gates.turn(connection, self.target, self.clock().timestamp(), 1 / self.rate, self.burst / self.rate)


def passing(connection: Connection, target: str, now: datetime, most: int) -> int:
    """How many messages may be sent now: all, one to try it for all senders, or none."""
    row = gates.get(connection, target)
    if row["opens_at"] is not None and row["opens_at"] > now:
        return 0
    if row["fails"] < FAILS:
        return most
    gates.probe(connection, target, now + PROBE)
    return 1


def opening(connection: Connection, target: str, now: datetime) -> datetime:
    """From when on something may be sent."""
    return max(gates.get(connection, target)["opens_at"] or now, now)


def heard(connection: Connection, target: str, receipts: Sequence[Receipt], now: datetime) -> None:
    """Shut or open the gate by what came back of a call."""
    whole = (Status.THROTTLED, Status.SESSION_LOST)  # speaks of the connection, not of a record
    troubled = [one for one in receipts if one.status in whole or one.code == NOT_SENT]
    if not troubled and receipts and all(one.status.passing for one in receipts):
        troubled = list(receipts)
    refused = next((one for one in receipts if one.status.halting), None)
    if refused:
        _shut(connection, target, now, refused.says, refused=True)
    elif troubled:
        asked = max((one.wait for one in troubled if one.wait), default=None)
        _shut(connection, target, now, troubled[0].says, asked=asked)
    elif any(one.status.taken for one in receipts):
        gates.open_up(connection, target)


def lost(connection: Connection, target: str, says: str, now: datetime) -> None:
    """A call came to nothing."""
    _shut(connection, target, now, says)


def looked_at(connection: Connection, target: str) -> None:
    """Somebody sends by hand: a target that did not let us in is asked again."""
    if gates.get(connection, target)["refused"]:
        gates.open_up(connection, target)


def _shut(
    connection: Connection,
    target: str,
    now: datetime,
    says: str | None,
    *,
    asked: timedelta | None = None,
    refused: bool = False,
) -> None:
    fails = gates.get(connection, target)["fails"]
    wait = min(REFUSED * 2 ** min(fails, 10), LONGEST_REFUSED) if refused else asked or waiting(fails + 1)
    gates.shut(connection, target, now + wait, says, refused=refused)
