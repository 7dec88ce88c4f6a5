"""Whose approval something needs besides what the rules say of one record: of a large plan, of an old approval.

A role's approvals can be lent to somebody until a day. Whoever approves with a lent role stands in for the lender, so
what either of the two has decided they cannot approve.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from hub.errors import InvalidRequest, NotFound, NotPermitted, require_reason, require_role
from hub.flow.dates import ACTOR
from hub.store import audit, delegations, plans
from hub.store.access import Principal
from hub.store.audit import Act
from hub.store.engine import Connection, Engine, writing
from rules.ruleset import RuleSet


@dataclass(frozen=True, slots=True)
class Loan:
    """A role's approvals for somebody until a time, and why."""

    role: str
    borrower: str
    until: datetime
    reason: str


def lend(engine: Engine, lender: Principal, loan: Loan, now: datetime) -> int:
    """Let somebody else approve in a role that the lender has; the delegation's id. Raises NotPermitted."""
    require_reason(loan.reason, "a delegation")
    if loan.until <= now:
        raise InvalidRequest(f"{loan.until:%Y-%m-%d %H:%M} is over; a role is lent until a later time.")
    if loan.borrower == lender.name:
        raise InvalidRequest(f"{lender.name} cannot borrow from {lender.name}.", hint="Name a colleague.")
    if lender.role not in (loan.role, "admin"):
        raise NotPermitted(f"{lender.name} is {lender.role}, and cannot lend the approvals of {loan.role}.")
    with writing(engine) as connection:
        made = delegations.lend(connection, asdict(loan) | {"lender": lender.name, "since": now})
        detail = asdict(loan) | {"until": loan.until.isoformat(), "delegation": made}
        audit.append(connection, Act(lender.name, "lend", loan.role, detail), now)
    return made


def take_back(engine: Engine, delegation_id: int, who: Principal, now: datetime) -> None:
    """End a delegation before its day; its lender or an admin may. Raises NotFound, NotPermitted."""
    with writing(engine) as connection:
        row = delegations.get(connection, delegation_id)
        if row is not None and who.name != row["lender"] and who.role != "admin":
            raise NotPermitted(f"delegation {delegation_id} is {row['lender']}'s; nothing was changed.")
        if row is None or not delegations.end(connection, delegation_id, now):
            raise NotFound(f"there is no delegation {delegation_id} in force.", hint="`hub delegation ls`.")
        audit.append(connection, Act(who.name, "take back", row["role"], {"delegation": delegation_id}), now)


def standing_for(connection: Connection, who: Principal, roles: Collection[str], now: datetime) -> frozenset[str]:
    """In whose name somebody approves in one of these roles: their own, and the lenders'. Raises NotPermitted."""
    held = delegations.roles_of(connection, who, now)
    able = [lenders for role, lenders in sorted(held.items()) if role in roles]
    if not able:
        require_role(who.role, sorted(roles))
    return frozenset({who.name}) | min(able, key=len)


def lapse(connection: Connection, inforce: Mapping[str, RuleSet], now: datetime) -> None:
    """Take back approvals under which nothing has left in time: they are asked for again."""
    for name, ruleset in inforce.items():
        days = ruleset.document.approval_lapses_after_days
        if days is not None and (ids := plans.unapprove(connection, name, now - timedelta(days=days))):
            detail = {"lapsed": len(ids), "after_days": days, "golden": ids[:200]}
            audit.append(connection, Act(ACTOR, "approval lapsed", name, detail), now)


def asked_of_plan(inforce: Mapping[str, RuleSet], going: Iterable[tuple[str, str]]) -> str | None:
    """The role that must approve a plan because it changes so many records there; of (entity, action) that go."""
    counted = Counter(entity for entity, action in going if action not in ("create", "unchanged"))
    for name, ruleset in inforce.items():
        blast = ruleset.document.blast
        if blast is not None and counted[name] > blast.more_than:
            return blast.wait_for
    return None
