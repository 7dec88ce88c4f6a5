"""CORS: pages of which other sites may call the API. None, unless `HUB_CORS_ORIGINS` lists them.

They come with a key of their own: cookies are never let through, so no page elsewhere acts as whoever is signed in.
"""

from __future__ import annotations

from flask import Response, request

from hub.web import auth

OPEN = ("/graphql", "/ingest", "/changes", "/api/errors")
_SENT = (
    "Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, X-Request-ID, traceparent, tracestate"
)
_TOLD = "ETag, Idempotency-Replayed, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id, traceparent"
_REMEMBERED = 7200  # seconds for which a browser need not ask again


def preflight() -> Response | None:
    """The answer to a browser that asks whether it may; None for any other request."""
    if request.method != "OPTIONS" or "Access-Control-Request-Method" not in request.headers or not _allowed():
        return None
    response = Response(status=204)
    response.headers["Access-Control-Allow-Methods"] = "GET, POST"
    response.headers["Access-Control-Allow-Headers"] = _SENT
    response.headers["Access-Control-Max-Age"] = str(_REMEMBERED)
    response.vary.update(("Access-Control-Request-Method", "Access-Control-Request-Headers"))
    return response


def allow(response: Response) -> Response:
    """Let the page that asked read the answer, if its site is listed."""
    if auth.hub().settings.cors_origins and request.path.startswith(OPEN):
        response.vary.add("Origin")
        if _allowed():
            response.headers["Access-Control-Allow-Origin"] = request.headers["Origin"]
            response.headers["Access-Control-Expose-Headers"] = _TOLD
    return response


def _allowed() -> bool:
    listed = auth.hub().settings.cors_origins
    return (
        request.path.startswith(OPEN)
        and bool({"*", request.headers.get("Origin")} & set(listed))
        and ("Origin" in request.headers)
    )
