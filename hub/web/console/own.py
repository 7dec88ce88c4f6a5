"""Pages about the console itself: how it looks to whoever sits before it, its keys, whether the hub is well."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from hub import doctor, queries
from hub.web import auth

routes = Blueprint("own", __name__)
YEAR = 365 * 24 * 3600


@routes.get("/me")
def preferences() -> str:
    """Theme, density, keys: kept in a cookie, so they are of this browser."""
    auth.visitor()
    return render_template("preferences.html", title="Preferences")


@routes.post("/me")
def prefer() -> Response:
    """Keep what was chosen."""
    auth.check_form()
    auth.visitor()
    theme = {"light": "l", "dark": "d"}.get(request.form.get("theme", ""), "-")
    blind = "b" if "blind" in request.form else ""
    look = theme + blind + ("d" if "dense" in request.form else "") + ("" if "keys" in request.form else "k")
    flash("Kept for this browser.", "done")
    answer = redirect(url_for("own.preferences"))
    answer.set_cookie("look", look, max_age=YEAR, httponly=True, samesite="Lax")
    return answer


@routes.get("/help")
def helping() -> str:
    """What a steward does here, in the order of a day, and every key."""
    auth.visitor()
    return render_template("help.html", title="Help")


@routes.get("/status")
def health() -> str:
    """Each check of `hub doctor`, whether all records are accounted for, and what waits."""
    auth.visitor()
    found = queries.overview(auth.hub().engine)
    wrong = queries.unbalanced(found["sources"])
    return render_template(
        "health.html", title="Health", checks=doctor.examine(auth.hub().settings.dir), wrong=wrong, **found
    )
