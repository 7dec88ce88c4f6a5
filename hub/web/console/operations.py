"""Pages of operations: what goes out, what waits for an approval, what targets have, what runs when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response

from hub import queries
from hub.flow import publish
from hub.flow import reconcile as reconciling
from hub.hours import aged
from hub.store import drift, plans, schedules
from hub.store.access import Principal
from hub.store.engine import reading, writing
from hub.web import auth
from hub.web.console.acting import attempt, said, whole
from hub.worker import run_now

routes = Blueprint("operations", __name__)
MAY_RUN = ("operator", "approver")
MAY_SETTLE = ("operator", "steward", "approver")


@routes.get("/publish")
def outgoing() -> str:
    """Plans, what is owed, and what waits for an approval."""
    auth.visitor()
    hub = auth.hub()
    with reading(hub.engine) as connection:
        waiting = plans.waiting(connection)
    owed, made = queries.overview(hub.engine)["owed"], queries.plans(hub.engine)
    return render_template(
        "publish.html",
        title="Publish",
        plans=made,
        owed=owed,
        waiting=waiting,
        targets=hub.targets,
    )


@routes.post("/publish")
def plan() -> Response:
    """Plan what is owed to a target."""

    def act(who: Principal) -> str:
        hub = auth.hub()
        number = publish.make_plan(hub.engine, hub.target(said("target")), who.name, hub.clock())
        return f"P-{number} is planned; somebody else approves it."

    return attempt(act, "operations.outgoing", *MAY_RUN)


@routes.get("/publish/<int:number>")
def one_plan(number: int) -> str:
    """One plan, entry by entry; every entry ends in exactly one state."""
    auth.visitor()
    head, entries = queries.plan_with_entries(auth.hub().engine, number)
    counts: dict[str, int] = {}
    for entry in entries:
        counts[entry["state"]] = counts.get(entry["state"], 0) + 1
    wanted = request.args.get("state", "")
    shown = [entry for entry in entries if wanted in ("", entry["state"])]
    return render_template(
        "plan.html", title=f"Plan P-{number}", head=head, entries=shown[:500], counts=counts, total=len(shown),
        wanted=wanted,
    )  # fmt: skip


@routes.post("/publish/<int:number>/approve")
def approve(number: int) -> Response:
    """Approve exactly the content that was shown."""

    def act(who: Principal) -> str:
        publish.approve(auth.hub().engine, number, said("hash"), who.name, auth.hub().clock(), role=who.role)
        return f"P-{number} is approved."

    return attempt(act, "operations.one_plan", number=number)


@routes.post("/publish/<int:number>/apply")
def apply(number: int) -> Response:
    """Send what the plan says."""

    def act(_who: Principal) -> str:
        hub = auth.hub()
        target = hub.target(queries.plan(hub.engine, number)["target"])
        counts = publish.apply(hub.engine, target, number, hub.clock)
        return ", ".join(f"{count} {state}" for state, count in sorted(counts.items())) or "nothing was owed."

    return attempt(act, "operations.one_plan", *MAY_RUN, number=number)


@routes.post("/waiting")
def let_go() -> Response:
    """Let a publication go that waits for an approval."""

    def act(who: Principal) -> str:
        auth.hub().desk(who).approve(said("golden"), said("target"), whole("version", most=10**9), said("reason"))
        return "Approved; the next plan takes it along."

    return attempt(act, "figures.approvals" if said("back") == "approvals" else "operations.outgoing")


@routes.get("/drift")
def differences() -> str:
    """What targets have against what they were sent."""
    auth.visitor()
    hub = auth.hub()
    with reading(hub.engine) as connection:
        rows, runs = drift.standing(connection), drift.latest(connection, 10)
    now = hub.clock()
    for row in rows:
        row["age"] = aged(now, row["since"])
    return render_template("drift.html", title="Drift", rows=rows, runs=runs, targets=hub.targets)


@routes.post("/drift")
def read_back() -> Response:
    """Read a target back."""

    def act(_who: Principal) -> str:
        hub = auth.hub()
        found = reconciling.reconcile(hub.engine, hub.target(said("target")), hub.clock)
        told = ", ".join(f"{count} {kind}" for kind, count in found.counts.items())
        return f"{found.read} records read: {told}." if found.complete else f"Broken off: {found.trouble}"

    return attempt(act, "operations.differences", *MAY_SETTLE)


@routes.post("/drift/<int:number>")
def settle(number: int) -> Response:
    """Resend, adopt or accept one difference."""

    def act(who: Principal) -> str:
        hub, reason = auth.hub(), said("reason")
        match said("act"):
            case "resend":
                reconciling.resend(hub.engine, number, who.name, reason, hub.clock())
                return "Owed again: the next plan sends the difference to what is there."
            case "adopt":
                return f"Taken in as {hub.adopt(number, who, reason)}; the rules decide what wins."
            case _:
                until = hub.clock() + timedelta(days=whole("days")) if whole("days") else None
                reconciling.accept(hub.engine, number, who.name, reason, hub.clock(), until=until)
                return "Accepted."

    return attempt(act, "operations.differences", *MAY_SETTLE)


@routes.get("/schedules")
def timetable() -> str:
    """What runs when, and how it ended last."""
    auth.visitor()
    with reading(auth.hub().engine) as connection:
        rows, firings = schedules.every(connection), schedules.firings(connection)
    return render_template("schedules.html", title="Schedules", rows=rows, firings=firings)


@routes.post("/schedules/<name>")
def pause(name: str) -> Response:
    """Pause a schedule, or let it run again."""

    def act(_who: Principal) -> str:
        with writing(auth.hub().engine) as connection:
            (row,) = [one for one in schedules.every(connection) if one["id"] == name]
            schedules.put(connection, {**row, "paused": not row["paused"]})
        return f"{name} {'runs again' if row['paused'] else 'is paused'}."

    return attempt(act, "operations.timetable", "operator")


@routes.post("/schedules/<name>/run")
def run(name: str) -> Response:
    """Run a schedule now."""
    return attempt(lambda _who: run_now(auth.hub(), name), "operations.timetable", "operator")


@routes.app_template_filter("day")
def day(moment: datetime | None) -> str:
    """A moment as people read it, in UTC."""
    return moment.astimezone(UTC).strftime("%-d %b %Y %H:%M") if moment else ""
