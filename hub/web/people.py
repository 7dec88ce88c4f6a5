"""Signing in with a name and a password."""

from __future__ import annotations

from flask import Blueprint, redirect, request, session, url_for
from werkzeug.wrappers import Response

from hub.errors import NotAuthenticated
from hub.store import people
from hub.store.engine import writing
from hub.web import auth

routes = Blueprint("people", __name__)


@routes.post("/login/password")
def open_session() -> Response:
    """Open a session with a name and a password."""
    auth.check_form()
    now = auth.hub().clock()
    with writing(auth.hub().engine) as connection:
        found = people.sign_in(connection, request.form.get("name", "").strip(), request.form.get("password", ""), now)
    if found is None:
        raise NotAuthenticated(people.REFUSED)
    session.clear()
    session["person"], session["since"], session["seen"] = found.name, now.timestamp(), now.timestamp()
    return redirect(url_for("console.today"))
