"""The Flask application: routes put together, security headers, errors in one form."""

from __future__ import annotations

from flask import Flask, Response, g, jsonify, render_template, request
from werkzeug.exceptions import HTTPException

from canonical.errors import MasterDataError
from hub.errors import RequestTooLarge
from hub.log import logger
from hub.store import shown
from hub.store.audit import ASKER, Act
from hub.web import auth, changes, ingest, limits, origins, people, signin, tracing, transfer
from hub.web.console import desk, figures, graphiql, journal, operations, own, rulebook
from hub.web.console import views as console
from hub.web.graphql import view as graphql
from hub.web.oidc import Issuer
from hub.wiring import Hub

LARGEST = 8 << 20  # bytes of a request
_MACHINES = ("/graphql", "/ingest", "/changes")  # asked by programs, so they answer errors in JSON
_POLICY = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
_STATUS = {
    "HUB-4101": 404,
    "HUB-4404": 410,
    "HUB-4220": 409,
    "HUB-4221": 409,
    "HUB-4222": 422,
    "HUB-4223": 409,
    "HUB-4224": 409,
    "HUB-4290": 429,
    "HUB-4301": 401,
    "HUB-4302": 403,
    "HUB-4303": 403,
    "HUB-4304": 503,
    "HUB-1201": 503,
    "HUB-6002": 413,
    "HUB-6003": 503,
}


def create_app(hub: Hub) -> Flask:
    """The application over a hub that is prepared."""
    app = Flask(__name__, static_folder=None)
    app.config.update(MAX_CONTENT_LENGTH=LARGEST, SECRET_KEY=hub.secret, HUB=hub)
    app.config["ISSUER"] = Issuer(hub.settings, hub.clock) if hub.settings.oidc_issuer else None
    app.config.update(SESSION_COOKIE_HTTPONLY=True, SESSION_COOKIE_SAMESITE="Lax", SESSION_COOKIE_NAME="concord")
    app.before_request(tracing.begin)
    app.before_request(origins.preflight)
    for step in reversed(_STEPS):  # Flask takes the last first
        app.after_request(step)
    app.teardown_request(tracing.end)
    app.register_error_handler(MasterDataError, _explain)
    app.register_error_handler(HTTPException, _explain_http)
    for room in (
        auth,
        people,
        signin,
        graphql,
        ingest,
        changes,
        console,
        desk,
        operations,
        figures,
        rulebook,
        journal,
        graphiql,
        own,
    ):
        app.register_blueprint(room.routes)
    app.add_url_rule("/health", "health", lambda: jsonify(status="ok"))
    return app


def _account(response: Response) -> Response:
    """Note who was shown records of people on a page; the API notes for itself what was asked."""
    asker = ASKER.get()
    if asker is not None and "principal" in g and response.status_code == 200 and request.path != "/graphql":
        ids = shown.personal(asker.saw)
        if ids:
            hub, detail = auth.hub(), asker.came | {"ids": ids}
            shown.note(hub.beside, Act(g.principal.name, "read", str(request.endpoint), detail), hub.clock())
    return response


def _protect(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", _POLICY)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    if not request.path.startswith("/static/"):
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def _explain(error: MasterDataError) -> tuple[Response | str, int]:
    status = _STATUS.get(error.code, 400)
    if request.accept_mimetypes.best == "application/json" or request.path.startswith(_MACHINES):
        body = {"code": error.code, "message": error.message, "hint": error.hint, "retryable": error.retryable}
        return jsonify(error=body | {"requestId": request.environ["hub.request_id"]}), status
    if status == 401:
        return console.login_page(error), status
    return render_template("error.html", error=error, title="Not possible"), status


def _explain_http(error: HTTPException) -> tuple[Response | str, int]:
    status = error.code or 500
    if status == 413:
        return _explain(RequestTooLarge(f"a request has at most {LARGEST} bytes."))
    if status >= 500:
        logger().error("request_failed", path=request.path, request_id=request.environ.get("hub.request_id"))
    known = MasterDataError(f"{status} {error.name}: {error.description}", hint="Check the address.")
    if request.path.startswith(_MACHINES):
        told = {"code": f"HTTP-{status}", "message": known.message, "requestId": request.environ["hub.request_id"]}
        return jsonify(error=told), status
    return render_template("error.html", error=known, title=error.name), status


_STEPS = (limits.tell, _account, transfer.revalidate, _protect, tracing.tell, transfer.compress, origins.allow)
