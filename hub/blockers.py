"""What keeps a golden record from leaving, one line a target and reason, each with the page on which it is settled."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hub.store import figures
from hub.store.engine import Engine, reading

NEXT = {
    "waits": ("/review/approvals", "approve it"),
    "held": ("/review", "settle what holds it"),
    "planned": ("/publish/{plan}", "see the plan"),
    "rejected": ("/publish/{plan}", "see what it said"),
}


@dataclass(frozen=True, slots=True)
class Blocker:
    """One reason: whom it keeps waiting, in words, since when, and what to do."""

    target: str
    says: str
    since: datetime
    where: str
    next: str


def blockers(engine: Engine, golden_id: str) -> list[Blocker]:
    """What keeps a golden record from leaving now; nothing when it is owed to nobody, or goes with the next plan."""
    with reading(engine) as connection:
        pending, entries = figures.pending(connection, golden_id), figures.standing_entries(connection, golden_id)
    found = []
    for row in pending:
        if row["held"] is not None:
            found.append(_blocker(row["target"], f"held: {row['held']}", row["created_at"], "held"))
        elif row["waits_for"] is not None and row["approved_at"] is None:
            found.append(_blocker(row["target"], f"waits for {row['waits_for']}", row["created_at"], "waits"))
    for row in entries:
        kind = "rejected" if row["state"] in ("rejected", "parked") else "planned"
        says = f"{row['state']} in P-{row['plan_id']} ({row['plan_state']})" + (
            f": {row['reason']}" if row["reason"] else ""
        )
        found.append(_blocker(row["target"], says, row["created_at"], kind, row["plan_id"]))
    return found


def _blocker(target: str, says: str, since: datetime, kind: str, plan: int = 0) -> Blocker:
    where, following = NEXT[kind]
    return Blocker(target, says, since, where.format(plan=plan), following)
