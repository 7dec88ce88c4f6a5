"""Pages that add up: charts of operations, and the end of a month."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response

from canonical.catalogue import ENTITIES
from hub import closing
from hub.flow import books as bookkeeping
from hub.flow.promote import Will
from hub.store import books, decisions, figures, plans
from hub.store.access import Principal
from hub.store.engine import reading
from hub.web import auth
from hub.web.console import charts
from hub.web.console.acting import attempt, day_of, said, whole

routes = Blueprint("figures", __name__)
PAGE = 100


@routes.get("/figures")
def operations() -> str:
    """Who wins which field, when each system was last heard, what runs came to, how old drift is."""
    auth.visitor()
    hub, now = auth.hub(), auth.hub().clock()
    entity = request.args.get("entity", "account")
    if entity not in ENTITIES:
        entity = "account"
    with reading(hub.engine) as connection:
        won, looked = figures.winners(connection, entity)
        heard, runs, drift = figures.heard(connection), figures.runs(connection), figures.drifting(connection)
    hours = {name: round((now - moment).total_seconds() / 3600, 1) for name, moment in heard.items()}
    return render_template(
        "figures.html", title="Figures", entity=entity, looked=looked, heard=heard, hours=hours,
        shares=charts.shares({name: won[name] for name in ENTITIES[entity].fields if name in won}),
        lag=charts.bars(hours, " h"), runs=charts.columns(runs), drift=charts.heat(drift, now),
    )  # fmt: skip


@routes.get("/review/approvals")
def approvals() -> str:
    """What waits for a second pair of eyes: publications, and plans; why somebody cannot give it is told."""
    who = auth.visitor()
    with reading(auth.hub().engine) as connection:
        waiting = plans.waiting(connection)
        made = [row for row in figures.unsent(connection) if row["state"] == "draft"]
        authors = {row["golden_id"]: decisions.authors_about(connection, row["golden_id"]) for row in waiting[:PAGE]}
    able = {row["id"]: who.role in (row["waits_for"], "approver", "admin") for row in waiting}
    return render_template(
        "approvals.html", title="Approvals", waiting=waiting[:PAGE], total=len(waiting), plans=made, authors=authors,
        able=able,
    )  # fmt: skip


@routes.get("/close")
def month_end() -> str:
    """What is open before books close; which are closed."""
    auth.visitor()
    hub, now = auth.hub(), auth.hub().clock()
    items = closing.checklist(hub.engine, now)
    with reading(hub.engine) as connection:
        closed, outdated = books.every(connection), bookkeeping.outdated(connection, hub.rulesets)
    return render_template(
        "close.html", title="Month-end", items=items, closed=closed, outdated=outdated,
        through=closing.last_month(now.date()), may_close=auth.visitor().role in closing.MAY_CLOSE,
        open=sum(1 for item in items if item.count),
    )  # fmt: skip


@routes.post("/close")
def close() -> Response:
    """Close everybody's books through a day."""

    def act(who: Principal) -> str:
        hub, day = auth.hub(), day_of("through")
        closing.sign_off(hub.engine, who, day, said("reason"), hub.clock(), in_spite=bool(said("in_spite")))
        return f"The books are closed through {day}: what touches them waits for an approval before it leaves."

    return attempt(act, "figures.month_end")


@routes.post("/close/reopen")
def reopen() -> Response:
    """Take a closing back."""

    def act(who: Principal) -> str:
        number = whole("closing", most=10**9)
        bookkeeping.reopen(auth.hub().engine, number, Will(who.name, said("reason")), auth.hub().clock())
        return "The books are open again."

    return attempt(act, "figures.month_end", *closing.MAY_CLOSE)
