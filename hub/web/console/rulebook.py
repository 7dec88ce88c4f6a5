"""Pages of rules: what is in force, what a draft would change, what codes mean, which values stewards have set."""

from __future__ import annotations

from datetime import UTC, datetime, time

from flask import Blueprint, abort, render_template, request
from werkzeug.wrappers import Response

from canonical.catalogue import ENTITIES
from canonical.document import place_in
from canonical.errors import MasterDataError
from canonical.ids import SourceKey
from hub.errors import InvalidRequest
from hub.flow import codes as explaining
from hub.flow import promote as promotion
from hub.flow import simulate as rehearsal
from hub.flow.promote import Will
from hub.store import codes, overrides, rulesets, simulations
from hub.store.access import Principal
from hub.store.engine import reading
from hub.web import auth
from hub.web.console.acting import attempt, day_of, said
from rules.check import remarks
from rules.ruleset import load

routes = Blueprint("rulebook", __name__)
MAY_CHANGE = ("engineer", "steward", "approver")
LONGEST = 200_000  # characters of a document


@routes.get("/rules")
def rules() -> str:
    """The rules in force of every entity, and the newest simulations."""
    auth.visitor()
    with reading(auth.hub().engine) as connection:
        history, made = rulesets.history(connection), simulations.latest(connection, 20)
    live = [row for row in history if row["state"] == "live"]
    seen: set[str] = set()
    first = [row for row in live if not (row["entity"] in seen or seen.add(row["entity"]))]  # type: ignore[func-returns-value]
    return render_template("rules.html", title="Rules", rows=first, simulations=made, titles=_titles())


@routes.route("/rules/<entity>", methods=["GET", "POST"])
def document(entity: str) -> str:
    """The rules of an entity as a finance person reads them; a draft is checked here, and simulated."""
    auth.visitor()
    if entity not in ENTITIES:
        abort(404)
    live = auth.hub().rulesets[entity]
    with reading(auth.hub().engine) as connection:
        versions = [row for row in rulesets.history(connection) if row["entity"] == entity]
    draft = request.form.get("document") if request.method == "POST" else None
    return render_template(
        "document.html", title=live.document.title, entity=entity, live=live, versions=versions, draft=draft,
        checked=_checked(draft) if draft else None,
    )  # fmt: skip


@routes.post("/rules/<entity>/simulate")
def simulate(entity: str) -> Response:
    """Judge everything with a draft; nothing but the result is kept."""
    made: list[int] = []

    def act(who: Principal) -> str:
        hub = auth.hub()
        draft = load(said("document")[:LONGEST], "draft.yaml")
        made.append(rehearsal.simulate(hub.engine, draft, who.name, hub.clock()))
        return f"S-{made[0]} shows what would change; somebody else promotes it."

    done = attempt(act, "rulebook.document", *MAY_CHANGE, entity=entity)
    return Response("", 303, {"Location": f"/simulations/{made[0]}"}) if made else done


@routes.get("/simulations/<int:number>")
def simulation(number: int) -> str:
    """What a draft would change, the riskiest first."""
    auth.visitor()
    with reading(auth.hub().engine) as connection:
        found = rehearsal.get(connection, number)
    fields = sorted(found.report["fields"], key=lambda line: not line["published"])
    return render_template(
        "simulation.html", title=f"Simulation S-{number}", one=found, most=100,
        changed=[line for line in fields if line["before"] != line["after"]],
        reasoned=[line for line in fields if line["before"] == line["after"]],
    )  # fmt: skip


@routes.post("/simulations/<int:number>/promote")
def promote(number: int) -> Response:
    """Put the draft in force."""

    def act(who: Principal) -> str:
        hub = auth.hub()
        made = promotion.promote(hub.engine, said("entity"), number, Will(who.name, said("reason")), hub.clock())
        return f"{made.version} is in force; what changed is what S-{number} said."

    return attempt(act, "rulebook.simulation", *MAY_CHANGE, number=number)


@routes.get("/codes")
def lists() -> str:
    """Codes that nobody has explained, and what the others mean."""
    auth.visitor()
    with reading(auth.hub().engine) as connection:
        unlisted, entries = codes.unlisted(connection), codes.entries(connection)
    return render_template("codes.html", title="Codes", unlisted=unlisted, entries=entries)


@routes.post("/codes")
def explain() -> Response:
    """Say what a code means; everybody who says it is read again."""

    def act(who: Principal) -> str:
        hub, place = auth.hub(), (said("system"), said("entity"), said("field"))
        made = codes.Listed(place, request.form.get("code", ""), said("value"), said("reason"), who.name)
        changed = explaining.explain(explaining.Desk(hub.engine, hub.rulesets, hub.clock()), made)
        return f"{made.code} means {made.value}; {changed} records were read and judged again."

    return attempt(act, "rulebook.lists", "engineer", "steward")


@routes.get("/values")
def values() -> str:
    """The values that stewards have set, and whether they are in force."""
    auth.visitor()
    hub = auth.hub()
    with reading(hub.engine) as connection:
        rows = overrides.every(connection, hub.clock())
    return render_template("values.html", title="Values set", rows=rows)


@routes.post("/values")
def put() -> Response:
    """Set a field of a golden record, or take a set value back."""

    def act(who: Principal) -> str:
        desk = auth.hub().desk(who)
        if said("undo"):
            desk.undo(said("undo"))
            return "Taken back; the record was judged again."
        stands, key = said("stands"), SourceKey.parse(said("key"))
        if stands not in ("said", "until", "ever"):
            raise InvalidRequest("nobody said how long the value stands; nothing was changed.", hint="Choose its end.")
        until = datetime.combine(day_of("until"), time(), UTC) if stands == "until" else None
        desk.override(
            key, said("field"), said("value") or None, reason=said("reason"), until=until, while_said=stands == "said"
        )
        return f"{said('field')} is set."

    if said("task"):
        return attempt(act, "desk.review", next=said("task"))
    where = {"entity": said("entity"), "asked": said("golden")} if said("golden") else {}
    return attempt(act, "console.record" if where else "rulebook.values", **where)


def _checked(text: str) -> dict[str, object]:
    """The version that a draft would be and its remarks, or why it is none."""
    try:
        made = load(text[:LONGEST], "draft.yaml")
    except MasterDataError as error:
        return {"error": f"{error.message} {error.hint}"}
    return {"version": made.version, "remarks": [(place_in(text, one.path)[0], one) for one in remarks(made)]}


def _titles() -> dict[str, str]:
    return {name: one.document.title for name, one in auth.hub().rulesets.items()}
