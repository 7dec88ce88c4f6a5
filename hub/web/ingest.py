"""The door for deliveries: POST /ingest/SYSTEM with JSON Lines, in the system's own words."""

from __future__ import annotations

from hashlib import sha256
from io import BytesIO
from typing import Any

from flask import Blueprint, Response, jsonify, request

from adapters.decode import read_payloads
from hub.flow.ingest import Delivery
from hub.store import shown
from hub.store.access import Principal
from hub.store.audit import ASKER, Act
from hub.web import auth
from hub.web.limits import spend
from hub.web.once import once
from hub.wiring import Hub

routes = Blueprint("ingest", __name__)


@routes.post("/ingest/<system>")
def deliver(system: str) -> Response:
    """Take in the lines of the body; what became of them. The same body twice changes nothing."""
    principal, hub, body = auth.bearer(), auth.hub(), request.get_data()
    auth.require(principal, "engineer")
    spend(hub, principal, 1 + body.count(b"\n"))
    return once(hub, principal, lambda: jsonify(take_in(hub, principal, system, body)), again=True)


def take_in(hub: Hub, principal: Principal, system: str, body: bytes) -> dict[str, Any]:
    """Take in lines of a system; what became of them. Raises NotPermitted, UnknownSystem, OutOfSight."""
    auth.require(principal, "engineer")
    source = hub.source(system)
    for entity in source.entities:
        principal.sight.require(entity)
    payloads = read_payloads(BytesIO(body), "jsonl")
    print_of = sha256(source.fingerprint.encode() + body).hexdigest()
    report = hub.take_in(source, Delivery(f"api by {principal.name}", print_of, payloads))
    counts = {name: getattr(report, name) for name in _COUNTS}
    asker = ASKER.get()
    came = asker.came if asker else {}
    shown.note(hub.beside, Act(principal.name, "ingest", system, counts | came), hub.clock())
    examples = [
        {"place": place, "code": f.code, "field": f.field, "message": f.message} for place, f in report.examples
    ]
    return counts | {"findings": report.findings, "examples": examples}


_COUNTS = ("payloads", "accepted", "rejected", "failed", "repeated", "late", "skipped")
