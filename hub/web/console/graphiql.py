"""GraphiQL, whole and from here: its page, and its files, which lie packed beside the others (`graphiql/build.mjs`)."""

from __future__ import annotations

import gzip
from mimetypes import guess_type
from pathlib import Path

from flask import Blueprint, Response, abort, render_template, request

from hub.web import auth
from hub.web.console.journal import QUERIES

routes = Blueprint("graphiql", __name__)
FILES = Path(__file__).with_name("static") / "graphiql"
_POLICY = (  # it writes styles as it goes and carries its fonts and icons within; scripts are files of ours alone
    "default-src 'self'; style-src 'self' 'unsafe-inline'; font-src data:; img-src 'self' data:; worker-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"
)


@routes.get("/api/graphiql")
def page() -> Response:
    """GraphiQL as whoever is signed in, with a tab for each sample query."""
    auth.visitor()
    made = Response(render_template("graphiql.html", queries=QUERIES))
    made.headers["Content-Security-Policy"] = _POLICY
    return made


@routes.get("/static/graphiql/<name>")
def file(name: str) -> Response:
    """A file of GraphiQL, packed as it lies for who takes that."""
    path = next((one for one in FILES.glob("*.gz") if one.name == f"{name}.gz"), None)
    if path is None:
        abort(404)
    packed, takes = path.read_bytes(), request.accept_encodings["gzip"] > 0
    made = Response(packed if takes else gzip.decompress(packed), content_type=guess_type(name)[0])
    made.headers["Cache-Control"] = "max-age=3600"
    made.vary.add("Accept-Encoding")
    if takes:
        made.headers["Content-Encoding"] = "gzip"
    return made
