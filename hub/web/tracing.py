"""Which request this is: the caller's `X-Request-ID` or one of ours, and its trace (W3C Trace Context).

Both stand in each line of the log and each entry of the audit log that the request leaves, and go back with the answer.
An id of the caller's that is not plain is not taken over: it would stand in logs.
"""

from __future__ import annotations

import re
import secrets

from flask import Response, request
from uuid_utils import uuid7

from hub.log import bind
from hub.store.audit import ASKER, Asker

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+/=-]{0,127}")
_PARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")


def begin() -> None:
    """Give the request its id and its trace."""
    said = request.headers.get("X-Request-ID", "").strip()
    id_ = said if _PLAIN.fullmatch(said) else str(uuid7())
    trace = _trace(request.headers.get("traceparent", "").strip())
    own = trace or (secrets.token_hex(16), "00")
    request.environ["hub.request_id"] = id_
    request.environ["hub.traceparent"] = f"00-{own[0]}-{secrets.token_hex(8)}-{own[1]}"
    bind(request_id=id_, trace_id=own[0])
    ASKER.set(Asker(id_, trace=trace[0] if trace else None))


def tell(response: Response) -> Response:
    """Say in the answer which request it was, and of which trace."""
    response.headers["X-Request-Id"] = request.environ.get("hub.request_id", "")
    if "hub.traceparent" in request.environ:
        response.headers["traceparent"] = request.environ["hub.traceparent"]
    return response


def end(_error: BaseException | None) -> None:
    """Forget the request."""
    ASKER.set(None)
    bind()


def _trace(said: str) -> tuple[str, str] | None:
    """Id and flags of the caller's trace, if what it says of it is valid."""
    found = _PARENT.fullmatch(said)
    if found is None or found[1] == "ff" or (found[1] == "00" and found[5]):
        return None
    if not found[2].strip("0") or not found[3].strip("0"):
        return None
    return found[2], "01" if int(found[4], 16) & 1 else "00"
