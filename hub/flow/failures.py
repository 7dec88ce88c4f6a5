"""What targets did not take: when it is tried again, when it is given up, and what a person does about it.

What may pass (a lost connection, a limit) is tried again after a time that doubles, drawn by chance below it so that
senders spread out ("full jitter"), never sooner than the target asked. What the target refuses is sent again only
with the next plans. Both end: after so many tries a message is dead, which holds nothing up but its own children,
until somebody replays it or there is a newer version. What somebody parks stays so until it is replayed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import SystemRandom
from typing import Any

from adapters.base import NOT_SENT, Receipt, Status
from hub.errors import Conflict, InvalidRequest, NotFound, require_reason, require_role
from hub.store import audit, failures, gates, plans
from hub.store.access import Principal
from hub.store.audit import Act
from hub.store.engine import Engine, reading, writing

ATTEMPTS = 10  # of what may pass
REFUSALS = 3  # of one version
FIRST = timedelta(seconds=2)  # below which the first waiting time is drawn
SLOWEST = timedelta(minutes=30)
MAY_ACT = ("operator", "approver", "admin")
Row = Mapping[str, Any]
_NEXT = {
    Status.STALE: "it was edited there: hub reconcile TARGET, then resend or adopt",
    Status.DUPLICATE: "choose there which record it is, then replay",
    Status.GONE: "it was deleted there: hub reconcile TARGET, then resend or accept",
    Status.FORBIDDEN: "correct the rights of the hub's user there, then replay",
    Status.SCHEMA_DRIFT: "correct the field there or in targets.yaml, then replay",
    Status.INVALID: "correct it in its source, or the set-up there and replay",
    Status.UNCERTAIN: "look whether it is there, then replay",
}  # what a person does about it


@dataclass(frozen=True, slots=True)
class Ending:
    """What a try came to: the entry's state, when it is tried again, and what is kept of the failure."""

    state: str
    at: datetime
    next_at: datetime | None = None
    failure: Row | None = None
    counts: bool = True  # not where the message never left, because another one had met the trouble


def ending(entry: Row, receipt: Receipt, before: Row | None, now: datetime, settle: timedelta) -> Ending:
    """What a receipt makes of an entry; `before` is what had failed of its golden record."""
    if receipt.status.taken:
        return Ending("acknowledged", now)
    uncertain = receipt.status is Status.UNCERTAIN
    passing = receipt.status.passing or uncertain
    if receipt.status.halting or receipt.code == NOT_SENT:
        return Ending("planned", now, None if receipt.status.halting else now + (receipt.wait or FIRST), counts=False)
    same = before is not None and before["version"] == entry["version"]
    tries = (before["tries"] if before and same else 0) + 1
    dead = tries >= (ATTEMPTS if passing else REFUSALS)
    next_at = None
    if passing and not dead:
        next_at = now + max(waiting(tries), receipt.wait or timedelta(), settle if uncertain else timedelta())
    state = "rejected" if not passing else "parked" if dead else "sending" if uncertain else "planned"
    kept = {
        "golden_id": entry["golden_id"], "version": entry["version"], "state": "dead" if dead else "waiting",
        "status": receipt.status, "code": receipt.code, "says": receipt.says, "tries": tries,
        "since": before["since"] if before else now, "next_at": next_at,
    }  # fmt: skip
    return Ending(state, now, next_at, kept)


def waiting(tries: int) -> timedelta:
    """How long to wait after so many tries: by chance, below a limit that doubles each time."""
    most = min(FIRST * 2 ** min(tries - 1, 20), SLOWEST)
    return timedelta(seconds=most.total_seconds() * SystemRandom().random())


def why_not_again(failed: Row | None, version: int) -> str | None:
    """Why a golden record does not go into the next plan, or None."""
    if failed is None:
        return None
    if failed["state"] == "parked":
        return f"parked by {failed['author']}: {failed['reason']}"
    if failed["state"] == "dead" and failed["version"] >= version:
        return f"given up after {failed['tries']} tries: {failed['says'] or failed['status']}"
    return None


def status(engine: Engine, target: str | None = None) -> list[dict[str, Any]]:
    """What is under way, by target: open plans, what is owed and in no plan, what failed by state, its gate."""
    with reading(engine) as connection:
        open_plans = failures.under_way(connection, target)
        owing = failures.owing(connection)
        failed = failures.listed(connection, target)
        shut = {row["target"]: row for row in gates.closed(connection)}
    names = sorted({row["target"] for row in (*open_plans, *failed)} | (owing.keys() if target is None else {target}))
    return [
        {
            "target": name,
            "owed": owing.get(name, 0),
            "failed": {
                state: sum(row["state"] == state for row in failed if row["target"] == name)
                for state in ("waiting", "dead", "parked")
            },
            "gate": shut.get(name),
            "plans": [row for row in open_plans if row["target"] == name],
        }
        for name in names
    ]


def failed(engine: Engine, target: str | None = None) -> list[dict[str, Any]]:
    """What did not go across, the longest standing first: why, how often it was tried, and what to do next."""
    with reading(engine) as connection:
        rows = failures.listed(connection, target)
    return [row | {"next": _next(row)} for row in rows]


def replay(
    engine: Engine, target: str, golden_ids: Sequence[str], who: Principal, *, reason: str, now: datetime
) -> list[str]:
    """Try these golden records anew, or all that are given up or refused; what is parked only by name. The ids.

    Nothing is sent by this: it goes into the next plan, with its tries counted from the start. Raises NotFound for one
    that has not failed there, InvalidRequest without a reason, NotPermitted.
    """
    require_reason(reason, "replaying")
    require_role(who.role, MAY_ACT)
    with writing(engine) as connection:
        known = {row["golden_id"]: row for row in failures.listed(connection, target)}
        for golden_id in golden_ids:
            if golden_id not in known:
                raise NotFound(f"{golden_id} has not failed in {target}.", hint=f"`hub publish failed {target}`.")
        ids = sorted(golden_ids or (id_ for id_, row in known.items() if row["state"] != "parked"))
        failures.forget(connection, target, ids)
        plans.try_now(connection, target, ids)
        detail = {"golden": ids[:200], "count": len(ids), "reason": reason}
        audit.append(connection, Act(who.name, "replay", target, detail), now)
    return ids


def park(engine: Engine, target: str, golden_id: str, who: Principal, *, reason: str, now: datetime) -> None:
    """Send nothing of a golden record to a target until somebody replays it; plans go on without it.

    Raises NotFound when nothing is owed, Conflict while it is being sent, InvalidRequest, NotPermitted.
    """
    require_reason(reason, "parking")
    require_role(who.role, MAY_ACT)
    with writing(engine) as connection:
        version = failures.owed(connection, target, golden_id)
        before = failures.of(connection, target, [golden_id]).get(golden_id)
        if version is None and before is None:
            raise NotFound(f"nothing of {golden_id} is owed to {target}.", hint="`hub publish status` tells what is.")
        if before and before["state"] == "parked":
            raise InvalidRequest(f"{golden_id} is parked by {before['author']} already: {before['reason']}.")
        if not failures.set_aside(connection, target, golden_id, f"parked by {who.name}: {reason}"):
            raise Conflict(f"{golden_id} is being sent to {target} at this moment; nothing was changed.")
        row = dict(before or {"golden_id": golden_id, "version": version, "tries": 0, "since": now})
        failures.put(
            connection, target, [row | {"state": "parked", "author": who.name, "reason": reason, "next_at": None}]
        )
        audit.append(connection, Act(who.name, "park", golden_id, {"target": target, "reason": reason}), now)


def _next(row: Row) -> str:
    """What happens next, or what somebody has to do."""
    if row["state"] == "parked":
        return "nothing, until somebody replays it"
    if row["next_at"]:
        return f"tried again by itself at {row['next_at']:%Y-%m-%d %H:%M:%S} UTC"
    said = _NEXT.get(row["status"], "see that the target is well, then replay")
    return said if row["state"] == "dead" else f"{said}; the next plan tries it again"
