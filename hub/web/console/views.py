"""Pages, each a question: what waits for me, are these the same, why this value, what went out."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, send_from_directory, url_for
from werkzeug.wrappers import Response

from canonical.catalogue import ENTITIES
from canonical.errors import MasterDataError
from canonical.ids import SourceKey
from hub import queries
from hub.store.access import Principal
from hub.web import auth
from hub.web.console.acting import attempt, said

routes = Blueprint("console", __name__, template_folder="templates")
PAGE = 50


@routes.app_context_processor
def _everywhere() -> dict[str, Any]:
    """What every page may use."""
    return {"form_token": auth.form_token, "entities": list(ENTITIES), "shown": queries.shown}


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
    auth.visitor()
    found = queries.overview(auth.hub().engine)
    wrong = queries.unbalanced(found["sources"])
    return render_template("today.html", title="Today", **found, wrong=wrong)


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
    return render_template(
        "record.html", title=view.golden["label"], view=view, fields=fields, was=request.args.get("was")
    )


@routes.get("/review")
def review() -> str | Response:
    """The queue: open questions, the oldest first."""
    auth.visitor()
    rows = queries.tasks(auth.hub().engine, first=PAGE + 1, after=request.args.get("after", ""))
    if "next" in request.args and rows:
        return redirect(url_for("console.question", task=rows[0]["id"]))
    more = rows[PAGE - 1]["id"] if len(rows) > PAGE else None
    return render_template("review.html", title="Review", rows=rows[:PAGE], more=more)


@routes.get("/review/<task>")
def question(task: str) -> str:
    """Two records side by side, with the evidence for and against."""
    auth.visitor()
    return render_template("question.html", title="Same or not?", **queries.question(auth.hub().engine, task))


@routes.post("/review/<task>")
def decide(task: str) -> Response:
    """Answer a question and go back to the queue, with a way to take it back."""
    auth.check_form()
    principal = auth.visitor()
    hub = auth.hub()
    answer, reason = request.form.get("answer", ""), request.form.get("reason", "").strip() or "looked at side by side"
    decision = hub.desk(principal).answer(task, answer, reason)
    flash(f"Decided: {answer}.", f"undo:{decision}")
    return redirect(url_for("console.review", next="") if "next" in request.form else url_for("console.review"))


@routes.post("/undo/<decision>")
def undo(decision: str) -> Response:
    """Take a decision back."""
    auth.check_form()
    auth.hub().desk(auth.visitor()).undo(decision)
    flash("Undone. Everything is as it was.", "done")
    return redirect(url_for("console.review"))


@routes.post("/detach")
def detach() -> Response:
    """Take a source record out of its golden record and keep it out."""

    def act(who: Principal) -> str:
        made = auth.hub().desk(who).detach(SourceKey.parse(said("key")), said("reason"))
        return f"Detached: {len(made)} decision{'s' if len(made) != 1 else ''}, each of which can be undone."

    return attempt(act, "console.record", entity=said("entity"), asked=said("golden"))


@routes.get("/decisions")
def decisions() -> str:
    """What people decided, the newest first."""
    auth.visitor()
    return render_template("decisions.html", title="Decisions", rows=queries.decisions(auth.hub().engine))


@routes.get("/sources/<key>")
def source(key: str) -> str:
    """The road of one source record."""
    auth.visitor()
    road = queries.walk(auth.hub().engine, SourceKey.parse(key))
    return render_template("source.html", title=key, road=road)
