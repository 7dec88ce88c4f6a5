"""The door for deliveries: POST /ingest/SYSTEM with JSON Lines, in the system's own words."""

from __future__ import annotations

from hashlib import sha256
from io import BytesIO

from flask import Blueprint, Response, jsonify, request

from adapters.decode import read_payloads
from adapters.mapping import MappedSource
from hub.flow.ingest import Delivery
from hub.web import auth
from hub.web.limits import spend
from hub.web.once import once
from hub.wiring import Hub

routes = Blueprint("ingest", __name__)


@routes.post("/ingest/<system>")
def deliver(system: str) -> Response:
    """Take in the lines of the body; what became of them. The same body twice changes nothing."""
    principal = auth.bearer()
    auth.require(principal, "engineer")
    spend(auth.hub(), principal, 1 + request.get_data().count(b"\n"))
    hub, body = auth.hub(), request.get_data()
    source = hub.source(system)
    for entity in source.entities:
        principal.sight.require(entity)
    payloads = read_payloads(BytesIO(body), "jsonl")
    delivery = Delivery(f"api by {principal.name}", sha256(source.fingerprint.encode() + body).hexdigest(), payloads)
    return once(hub, principal, lambda: _taken(hub, source, delivery), again=True)


def _taken(hub: Hub, source: MappedSource, delivery: Delivery) -> Response:
    report = hub.take_in(source, delivery)
    named = {
        name: getattr(report, name)
        for name in ("payloads", "accepted", "rejected", "failed", "repeated", "late", "skipped")
    }
    examples = [
        {"place": place, "code": f.code, "field": f.field, "message": f.message} for place, f in report.examples
    ]
    return jsonify(**named, findings=report.findings, examples=examples)
