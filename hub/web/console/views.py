"""Pages, each a question: what waits for me, are these the same, why this value, what went out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, abort, g, redirect, render_template, request, send_from_directory, session, url_for
from werkzeug.wrappers import Response

from canonical.catalogue import ENTITIES
from canonical.errors import MasterDataError
from canonical.ids import SourceKey
from hub import comparing, queries
from hub.backlog import Filter, backlog
from hub.blockers import blockers
from hub.desk import MAY_DECIDE
from hub.flow.travel import believed, moment
from hub.store import queue
from hub.store.engine import reading
from hub.web import auth
from hub.web.console import charts

routes = Blueprint("console", __name__, template_folder="templates")
PAGE = 50
DRAWN = 12  # pairs of a golden record of which the evidence is drawn step by step


@routes.app_context_processor
def _everywhere() -> dict[str, Any]:
    """What every page may use."""
    me = g.get("principal")
    look = request.cookies.get("look", "")
    return {
        "form_token": auth.form_token, "entities": list(ENTITIES), "shown": queries.shown, "me": me,
        "may_decide": me is not None and me.role in MAY_DECIDE, "theme": look[:1], "dense": "d" in look[1:],
        "keys_on": "k" not in look[1:], "blind": "b" in look[1:], "undoing": session.get("undo", ""),
    }  # fmt: skip


@routes.get("/static/<path:name>")
def static_file(name: str) -> Response:
    """A style sheet or an icon."""
    return send_from_directory(f"{routes.root_path}/static", name, max_age=3600)


@routes.get("/favicon.ico")
def favicon() -> Response:
    """The icon that browsers ask for."""
    return static_file("icon.svg")


def login_page(error: MasterDataError) -> str:
    """The sign-in page, saying why it is shown."""
    return render_template("login.html", error=error, title="Sign in")


@routes.get("/")
def today() -> str:
    """What there is, what waits, what is owed."""
    who, hub = auth.visitor(), auth.hub()
    found = queries.overview(hub.engine)
    wrong = queries.unbalanced(found["sources"])
    queue_now = backlog(hub.engine, Filter(), who.name, hub.clock())
    return render_template("today.html", title="Today", **found, wrong=wrong, queue=queue_now)


@routes.get("/records/<entity>")
def records(entity: str) -> str:
    """Golden records of an entity, searched by the start of an indexed value."""
    auth.visitor()
    if entity not in ENTITIES:
        abort(404)
    text, after = request.args.get("q", "").strip(), request.args.get("after", "")
    rows, _ = queries.page(auth.hub().engine, entity, after=after, text=text, first=PAGE + 1)
    more = rows[PAGE - 1]["id"] if len(rows) > PAGE else None
    return render_template(
        "records.html", title=entity.replace("_", " "), entity=entity, rows=rows[:PAGE], text=text, more=more
    )


@routes.get("/records/<entity>/<asked>")
def record(entity: str, asked: str) -> str | Response:
    """One golden record: values with their reasons, sources, history, what targets have."""
    auth.visitor()
    view = queries.record(auth.hub().engine, asked)
    if view.redirected or view.golden["entity"] != entity:
        return redirect(url_for("console.record", entity=view.golden["entity"], asked=view.golden["id"], was=asked))
    fields = queries.fields(view.golden)
    engine, now = auth.hub().engine, auth.hub().clock()
    with reading(engine) as connection:
        links = queue.streams(connection, view.golden["id"])
    _, ties = queries.ties(engine, view.golden["id"])
    named = [f"{row['system']}:{row['entity']}:{row['key']}" for row in view.members]
    ruling = queries.rulings(engine, [view.golden]).get(view.golden["id"])
    again = {field.name: queries.reason(field, view.golden, ruling).again for field in fields}
    flips = {name: queries.flip_words(found) for name, found in again.items() if found}
    bands = auth.hub().rulesets[view.golden["entity"]].document.matching
    past = believed(engine, asked, moment(request.args["asof"])) if request.args.get("asof") else None
    return render_template(
        "record.html", title=view.golden["label"], view=view, fields=fields, was=request.args.get("was"), past=past,
        flips=flips, ties=ties, drawn=_drawn(ties, (bands.review, bands.match)),
        blockers=blockers(engine, view.golden["id"]),
        graph=charts.graph(named, [(tie.left, tie.right, tie.score) for tie in ties]),
        streams=charts.streams(links, view.golden["id"], now),
    )  # fmt: skip


def _drawn(ties: Sequence[queries.Tie], bands: tuple[float, float]) -> list[dict[str, Any]]:
    return [{"tie": tie, "chart": charts.waterfall(tie.parts, tie.score, bands)} for tie in ties[:DRAWN]]


@routes.get("/records/<entity>/<asked>/split")
def split(entity: str, asked: str) -> str:
    """What a golden record would be without some of its sources, and what those would be; nothing is changed."""
    auth.visitor()
    hub = auth.hub()
    view = queries.record(hub.engine, asked)
    every = [f"{row['system']}:{row['entity']}:{row['key']}" for row in view.members]
    stay = set(request.args.getlist("stays")) if "shown" in request.args else set(every)
    seen = comparing.split(hub.engine, hub.rulesets, view.golden["id"], set(every) - stay, hub.clock())
    return render_template("split.html", title="Split", view=view, seen=seen, every=every, entity=entity)


@routes.get("/sources/<key>")
def source(key: str) -> str:
    """The road of one source record."""
    auth.visitor()
    road = queries.walk(auth.hub().engine, SourceKey.parse(key))
    return render_template("source.html", title=key, road=road)
