"""Who is asking: an API key as a bearer token, or a console session that was opened with one."""

from __future__ import annotations

import hmac
import secrets
from typing import cast

from flask import Blueprint, abort, current_app, g, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from hub.errors import NotAuthenticated, OutOfSight, require_role
from hub.store import access
from hub.store.access import Principal
from hub.store.audit import ASKER
from hub.store.engine import glancing, reading, writing
from hub.web.oidc import UNKNOWN, Issuer
from hub.web.sessions import signed_in
from hub.wiring import Hub

routes = Blueprint("auth", __name__)


def hub() -> Hub:
    """The hub that this application serves."""
    return cast("Hub", current_app.config["HUB"])


def issuer() -> Issuer | None:
    """The issuer whose tokens are taken, if there is one."""
    return cast("Issuer | None", current_app.config["ISSUER"])


def bearer() -> Principal:
    """Who holds the API key or token of this request. Raises NotAuthenticated."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key:
        raise NotAuthenticated
    return _recognise(key.strip())


def asking() -> Principal:
    """Who holds the API key of this request, or who is signed in and asks from a page of ours."""
    token = request.headers.get("X-Form-Token")
    if token is None or "Authorization" in request.headers:
        return bearer()
    if not hmac.compare_digest(token, session.get("token", "-")):
        raise NotAuthenticated("the page is too old.", hint="Open it again.")
    return visitor()


def visitor() -> Principal:
    """Who has opened this console session. Raises NotAuthenticated."""
    if "principal" not in g:
        principal = signed_in(hub())
        if principal is None:
            with reading(hub().engine) as connection:
                principal = access.holder(connection, str(session.get("key")), hub().clock())
        if principal is None:
            raise NotAuthenticated("this page needs a sign-in.")
        g.principal = _noted(principal)
    return cast("Principal", g.principal)


def require(principal: Principal, *roles: str) -> None:
    """Raise NotPermitted unless the role is one of these, or admin."""
    if principal.role != "admin":
        require_role(principal.role, roles)


def form_token() -> str:
    """The token that each form of this session carries."""
    if "token" not in session:
        session["token"] = secrets.token_urlsafe(16)
    return cast("str", session["token"])


def check_form() -> None:
    """Refuse a form that does not come from this session."""
    if not hmac.compare_digest(request.form.get("token", ""), session.get("token", "-")):
        abort(400, "the form is too old; open the page again")


@routes.get("/login")
def login() -> str:
    """The sign-in page."""
    return render_template("login.html", error=None, title="Sign in")


@routes.post("/login")
def open_session() -> Response:
    """Open a session with an API key that sees everything: pages of the console mask nothing."""
    check_form()
    principal = _recognise(request.form.get("key", "").strip())
    if principal.key is None:
        raise NotAuthenticated("a token opens no session.", hint="Sign in with the issuer, a key or a password.")
    if not principal.sight.whole:
        raise OutOfSight("the console shows everything, and this key does not.", hint="Sign in with another key.")
    session.clear()
    session["key"] = principal.key
    return redirect(url_for("console.today"))


@routes.post("/logout")
def close_session() -> Response:
    """End the session."""
    check_form()
    session.clear()
    return redirect(url_for("auth.login"))


def _recognise(key: str) -> Principal:
    now, trusted = hub().clock(), issuer()
    if trusted is not None and key.count(".") == 2:
        return _noted(trusted.principal(key))
    with glancing(hub().engine) as connection:
        principal, idle = access.recognise_use(connection, key, now)
    if principal is None or principal.key is None:
        raise NotAuthenticated(UNKNOWN)
    if idle:
        with writing(hub().engine) as connection:
            access.note_use(connection, principal.key, now)
    return _noted(principal)


def _noted(principal: Principal) -> Principal:
    asker = ASKER.get()
    if asker is not None:
        asker.key = principal.key
    return principal
