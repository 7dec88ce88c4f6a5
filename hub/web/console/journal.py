"""Pages of the log: what came in from where, what was refused, who did what; and the API to ask it by."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, render_template, request

from hub import queries
from hub.doctor import codes, explanation
from hub.store import audit, reads, refused
from hub.store.engine import reading
from hub.web import auth

routes = Blueprint("journal", __name__)

QUERIES = {
    "Customers with reasons": """{
  accounts(first: 5) {
    nodes { id legalName status provenance(fields: ["legalName"]) { source rule } }
  }
}""",
    "Find before creating": """{
  matches(entity: "account", values: \"\"\"{"legal_name": "Acorn Foods"}\"\"\") { golden score verdict }
}""",
    "Invoices of one customer": """{
  accounts(first: 1) {
    nodes { legalName invoices(first: 5) { nodes { number total { amount currency } } } }
  }
}""",
    "What waits for a steward": "{ tasks(first: 5) { id entity kind reason score left right } }",
    "What targets have otherwise": "{ drift { target kind label cause fields since } }",
    "Codes that nobody has explained": "{ unmappedCodes { system entity field code records } }",
    "Versions of the rules": "{ ruleVersions { entity version state since author reason } }",
}


@routes.get("/sources")
def sources() -> str:
    """What came in, line by line; deliveries; payloads that made no record, with why."""
    auth.visitor()
    engine = auth.hub().engine
    found = queries.overview(engine)
    with reading(engine) as connection:
        batches, letters = reads.batches(connection, 30), refused.newest(connection, 50)
    wrong = queries.unbalanced(found["sources"])
    return render_template(
        "sources.html", title="Sources", sources=found["sources"], batches=batches, refused=letters, wrong=wrong
    )


@routes.get("/audit")
def log() -> str:
    """Who did what, the newest first, and whether the chain holds."""
    auth.visitor()
    with reading(auth.hub().engine) as connection:
        rows = reads.audit_entries(connection, 200)
        verified = (audit.verify(connection),) if "verify" in request.args else None
    return render_template("audit.html", title="Audit", rows=rows, verified=verified)


@routes.get("/api")
def api() -> str:
    """The API by hand: queries that work here, an editor, the answer."""
    auth.visitor()
    return render_template("api.html", title="API", queries=QUERIES)


@routes.get("/api/errors")
def errors() -> str | Response:
    """Every code, with what it means and what to do about it; in JSON for who asks for that."""
    found = [(code, *explanation(code)) for code in codes()]
    if request.accept_mimetypes.best == "application/json":
        return jsonify([dict(zip(("code", "title", "meaning", "next"), one, strict=True)) for one in found])
    return render_template("errors.html", title="Codes", codes=found)


@routes.get("/api/errors/<code>")
def error(code: str) -> str:
    """What a code means and what to do about it."""
    title, meaning, following = explanation(code.upper())
    return render_template("explained.html", title=code.upper(), said=title, meaning=meaning, following=following)
