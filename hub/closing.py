"""What is open before books close, and the sign-off that closes them.

Nothing here is kept: each item is counted when it is looked at, so a sign-off is about what stands then, and the
log keeps what stood open when somebody closed in spite of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hub.backlog import Filter, backlog
from hub.errors import Conflict, require_role
from hub.flow import books
from hub.flow.promote import Will
from hub.store import figures
from hub.store.access import Principal
from hub.store.book_tables import EVERYBODY
from hub.store.engine import Engine, reading

MAY_CLOSE = ("approver", "admin")


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that should be nothing before books close: how much of it stands, and the money it speaks of."""

    id: str
    name: str
    count: int
    says: str
    where: str  # the page on which it is settled
    money: Mapping[str, Decimal] = field(default_factory=dict)


def last_month(today: date) -> date:
    """The last day of the month before."""
    return today.replace(day=1) - timedelta(days=1)


def checklist(engine: Engine, now: datetime) -> list[Item]:
    """What stands open now, in the order in which it is settled."""
    asked = [one for one in backlog(engine, Filter(asleep=True), "", now).questions if one.money]
    with reading(engine) as connection:
        held, drift = figures.held_back(connection), figures.drifting(connection)
        unsent, unread = figures.unsent(connection), figures.unread(connection)
    return [
        Item("questions", "Open questions with money", len(asked), "records of which customers owe something",
             "/review", _sum(one.money.items() for one in asked)),
        Item("held", "Publications held back", sum(held.values()), _listed(held), "/review/approvals"),
        Item("plans", "Plans not sent to their end", len(unsent), _plans(unsent), "/publish"),
        Item("unread", "Runs not read back since", len(unread), _plans(unread), "/drift"),
        Item("drift", "Drift that stands", len(drift), _listed(Counter(row["target"] for row in drift)), "/drift",
             _sum([(row["amount"]["currency"], Decimal(row["amount"]["amount"]))] for row in drift if row["amount"])),
    ]  # fmt: skip


def sign_off(
    engine: Engine, principal: Principal, through: date, reason: str, now: datetime, *, in_spite: bool = False
) -> int:
    """Close everybody's books through a day; the closing's id.

    Raises NotPermitted, and Conflict while something stands open, unless they are closed in spite of it.
    """
    require_role(principal.role, MAY_CLOSE)
    standing = {item.id: item.count for item in checklist(engine, now) if item.count}
    if standing and not in_spite:
        told = ", ".join(f"{count} {id_}" for id_, count in standing.items())
        raise Conflict(f"this stands open: {told}. The books were not closed.", hint="Settle it, or close in spite.")
    return books.close(engine, EVERYBODY, through, Will(principal.name, reason), now, standing=standing)


def _sum(amounts: Iterable[Iterable[tuple[str, Decimal]]]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for pairs in amounts:
        for currency, amount in pairs:
            sums[currency] = sums.get(currency, Decimal()) + amount
    return dict(sorted(sums.items()))


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} for {name}" for name, count in sorted(counts.items()))


def _plans(rows: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(f"P-{row['id']} to {row['target']}" for row in rows[:8]) + (" …" if len(rows) > 8 else "")
