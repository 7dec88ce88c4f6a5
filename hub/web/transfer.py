"""How answers travel: compressed where that helps and is safe, and not again when nothing has changed.

Pages are not compressed: they hold the session's token beside words of the caller, and the length of a compressed page
would tell the token letter by letter (BREACH). Streams go out line by line as they are.
"""

from __future__ import annotations

import gzip

from flask import Response, request

LEAST = 1024  # bytes; a smaller answer fits a packet as it is
LEVEL = 4
_KINDS = frozenset(
    {"application/json", "application/graphql-response+json", "text/css", "text/javascript", "image/svg+xml"}
)


def revalidate(response: Response) -> Response:
    """Give an answer to a GET of the API its ETag; 304 without a body where the caller has it."""
    if request.path != "/graphql" or request.method != "GET" or response.status_code != 200:
        return response
    response.headers["Cache-Control"] = "private, no-cache"
    response.vary.update(("Accept", "Authorization"))
    response.add_etag(weak=True)
    response.make_conditional(request)
    return response


def compress(response: Response) -> Response:
    """The answer in gzip, if it is large, of a kind that shrinks, and the caller takes it."""
    comes_by_itself = response.is_streamed and not response.direct_passthrough  # which only a file is
    if comes_by_itself or response.mimetype not in _KINDS or "Content-Encoding" in response.headers:
        return response
    response.vary.add("Accept-Encoding")
    if response.status_code != 200 or not request.accept_encodings["gzip"]:
        return response
    response.direct_passthrough = False
    body = response.get_data()
    if len(body) >= LEAST:
        response.set_data(gzip.compress(body, LEVEL, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
    return response
