"""The right to send a plan, which one process has at a time.

It runs out when that process dies. Clocks may differ or jump, so whoever finds it run out looks twice whether the
holder still extends it; and each write of a sender asks under its fence, the number of the times that the plan was
taken in hand, so that one who has lost the plan changes nothing any more.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from uuid import uuid4

from hub.clock import Clock
from hub.errors import Conflict, StoreUnavailable
from hub.flow.meanwhile import meanwhile
from hub.store import plans, sending
from hub.store.engine import Connection, Engine, reading, writing

LEASE = timedelta(minutes=5)
BEAT = 5.0  # seconds between two extensions
GRACE = 12.0  # seconds in which a holder who lives extends it at least once


class Lease:
    """A plan in one hand."""

    def __init__(self, engine: Engine, plan_id: int, clock: Clock) -> None:
        """Not taken yet."""
        self.engine, self.plan_id, self.clock = engine, plan_id, clock
        self.holder = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
        self.fence = 0

    @contextmanager
    def held(self, pause: Callable[[float], None]) -> Iterator[None]:
        """Take it, extend it while the work lasts, and give it back. Raises Conflict when another process has it."""
        self.take(pause)
        try:
            with meanwhile(self._extend, BEAT):
                yield
        finally:
            with writing(self.engine) as connection:
                sending.release(connection, self.plan_id, self.fence)

    def take(self, pause: Callable[[float], None]) -> None:
        """Take it. Raises Conflict when another process has it, or still extends one that seems to have run out."""
        with reading(self.engine) as connection:
            head = plans.get(connection, self.plan_id)
        if head is None:
            return
        if head["holder"] is not None and head["lease_until"] < self.clock():
            pause(GRACE)
        with writing(self.engine) as connection:
            again = plans.get(connection, self.plan_id, lock=True)
            alive = again is not None and again["holder"] and again["lease_until"] != head["lease_until"]
            now = self.clock()
            taken = None if alive else sending.hold(connection, self.plan_id, self.holder, now + LEASE, now)
        if taken is None:
            raise Conflict(
                f"plan P-{self.plan_id} is being sent by another process; nothing was sent by this one.",
                hint=f"Look again: one that has died is taken over after {LEASE.total_seconds() / 60:.0f} minutes.",
            )
        self.fence = taken

    def require(self, connection: Connection) -> None:
        """Hold it until this transaction ends. Raises Conflict when somebody else has taken it over."""
        if not sending.holds(connection, self.plan_id, self.fence, self.clock() + LEASE):
            raise Conflict(
                f"plan P-{self.plan_id} was taken over by another process; this one writes nothing more of it.",
                hint="Let the other one go on; `hub publish status` shows it.",
            )

    def _extend(self) -> bool:
        """Whether it is still this sender's."""
        with suppress(StoreUnavailable), writing(self.engine) as connection:  # what sends meets it, too
            return sending.holds(connection, self.plan_id, self.fence, self.clock() + LEASE)
        return True
