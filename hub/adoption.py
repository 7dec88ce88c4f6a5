"""An edit made in a target, taken over as a statement of that system: it goes the road of every delivery.

What wins then is decided by the rules, field by field: where the target does not own a field its word is evidence
and the difference stays. The record is tied to the golden record that it was sent from by a decision of the person
who adopts it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

import orjson

from adapters.decode import decode
from adapters.mapping import MappedSource
from canonical.ids import SourceKey
from hub.clock import Clock
from hub.desk import Desk
from hub.errors import InvalidRequest
from hub.flow.ingest import Delivery, ingest
from hub.flow.reconcile import close, standing_one
from hub.store import reads
from hub.store.engine import Engine, reading, writing

PARTS = frozenset({"account", "product"})  # an invoice is corrected where it was issued


@dataclass(frozen=True, slots=True)
class Adoption:
    """What an adoption is made with."""

    engine: Engine
    desk: Desk
    source: MappedSource  # the target's words, read as a source
    clock: Clock


def adopt(made: Adoption, drift_id: int, reason: str) -> str:
    """Take over what stands there; the source key of the statement. Raises NotFound, Conflict, InvalidRequest."""
    with writing(made.engine) as connection:
        row = standing_one(connection, drift_id, reason)
    if row["there"] is None or row["entity"] not in PARTS or row["golden_id"] is None:
        raise InvalidRequest(
            f"D-{drift_id} cannot be adopted: only an edit of a customer or product that we sent can.",
            hint="Resend it, or accept it until a date.",
        )
    key = SourceKey(row["target"], row["entity"], row["remote_id"])
    delivery = _delivery(row, made.clock())
    ingest(made.engine, made.desk.rulesets, made.source, delivery, clock=made.clock)
    with reading(made.engine) as connection:
        rows = reads.members(connection, row["golden_id"])
    members = [SourceKey(one["system"], one["entity"], one["key"]) for one in rows]
    if members and key not in members:
        made.desk.decide("same", members[0], key, f"adopted from {row['target']}: {reason}")
    with writing(made.engine) as connection:
        row = standing_one(connection, drift_id, reason)
        close(connection, row, ("closed", "adopt", None), (made.desk.principal.name, reason), made.clock())
    return str(key)


def _delivery(row: Mapping[str, Any], now: datetime) -> Delivery:
    said = {**row["there"], "key": row["remote_id"], "at": min(row["since"], now).isoformat()}
    line = orjson.dumps(said).decode()
    seal = sha256(f"{row['target']} {line}".encode()).hexdigest()
    return Delivery(f"drift D-{row['id']} of {row['target']}", seal, [decode(line, 1)])
