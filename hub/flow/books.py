"""Books closed and reopened by people: from then on whatever touches a closed period waits before it leaves.

It is asked when a plan is made, of what would leave and of what the target has, so that nothing depends on when a
record was judged; a plan that was made before the books were closed is stale.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from canonical.record import GoldenRecord
from hub.errors import InvalidRequest, NotFound, require_reason
from hub.flow.promote import Will
from hub.store import audit, books, plans, reads
from hub.store.audit import Act
from hub.store.book_tables import EVERYBODY
from hub.store.books import Moved
from hub.store.engine import Connection, Engine, writing
from hub.store.plans import Owed
from rules.ruleset import RuleSet


def close(
    engine: Engine,
    whose: str,
    through: date,
    will: Will,
    now: datetime,
    *,
    standing: Mapping[str, int] | None = None,
) -> int:
    """Close books through a day: of one legal entity by golden id, or of everybody (`*`). Raises NotFound.

    The log keeps what was `standing` open then: of what, and how many.
    """
    require_reason(will.reason, "closing books")
    if through > now.date():
        raise InvalidRequest(f"{through} is not over; books are closed through a day that is.")
    with writing(engine) as connection:
        if whose != EVERYBODY:
            found = reads.goldens(connection, [whose]).get(whose)
            if found is None or found["entity"] != "legal_entity":
                raise NotFound(f"{whose} is no legal entity.", hint="`hub record find legal_entity NAME` finds its id.")
        made = books.close(connection, whose, through, (will.author, will.reason), now)
        detail = {"through": through.isoformat(), "closing": made, "reason": will.reason}
        detail |= {"in spite of": dict(standing)} if standing else {}
        audit.append(connection, Act(will.author, "close books", whose, detail), now)
    return made


def reopen(engine: Engine, closing_id: int, will: Will, now: datetime) -> None:
    """Take a closing back. Raises NotFound."""
    require_reason(will.reason, "reopening books")
    with writing(engine) as connection:
        if not books.reopen(connection, closing_id, will.author, now):
            raise NotFound(f"there is no closing {closing_id} in force.", hint="`hub books ls` lists them.")
        audit.append(connection, Act(will.author, "reopen books", str(closing_id), {"reason": will.reason}), now)


def outdated(connection: Connection, rulesets: Mapping[str, RuleSet]) -> dict[int, list[Moved]]:
    """The closings after which something in their period changed, with what; the last in force of each books."""
    standing = books.standing(connection)
    found: dict[int, list[Moved]] = {}
    periods = {name: one.document.period for name, one in rulesets.items() if one.document.period is not None}
    for entity, period in periods.items() if standing else ():
        since, through = (min(one["closed_at"] for one in standing), max(one["through"] for one in standing))
        moved = books.moved(connection, entity, period.date, since, through)
        parents = plans.parents(connection, sorted({one.golden for one in moved})) if period.books else {}
        for one in standing:
            closed = {one["books"]: one["through"]}
            found.setdefault(one["id"], []).extend(
                each
                for each in moved
                if each.at > one["closed_at"]
                and books.touches(closed, each.days, parents.get(each.golden, {}).get(period.books or ""))
            )
    return {id_: sorted(moved, key=lambda one: one.at) for id_, moved in found.items() if moved}


def ask_for_closed(
    connection: Connection,
    rulesets: Mapping[str, RuleSet],
    owing: Sequence[Owed],
    goldens: Mapping[str, GoldenRecord],
    there: Mapping[str, Mapping[str, Any]],
) -> list[Owed]:
    """What is owed, and of it whatever touches a closed period waiting for whom the entity's rules name."""
    closed = books.through(connection)
    if not closed:
        return list(owing)
    dated = [one for one in owing if rulesets[one.entity].document.period is not None]
    parents = plans.parents(connection, [one.golden_id for one in dated])
    asked: dict[str, str] = {}
    for one in dated:
        period = rulesets[one.entity].document.period
        if period is None or one.waits_for or one.approved:
            continue
        said = [goldens[one.golden_id].values] if one.golden_id in goldens else []
        said += [there[one.golden_id]["values"]] if one.golden_id in there else []
        keeper = parents.get(one.golden_id, {}).get(period.books or "")
        if books.touches(closed, [values.get(period.date) for values in said], keeper):
            asked[one.golden_id] = period.wait_for
    plans.ask(connection, {one.rows[-1]: asked[one.golden_id] for one in dated if one.golden_id in asked})
    return [replace(one, waits_for=asked.get(one.golden_id, one.waits_for)) for one in owing]
