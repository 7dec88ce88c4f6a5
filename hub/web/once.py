"""`Idempotency-Key` (IETF draft): the same request under the same key is done once and answered alike for a day.

The answer is kept sealed with what the caller proves who it is with, so that neither a secret that was shown once nor
a person's values lie open in the store.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import sha256

from flask import Response, g, request
from joserfc import jwe
from joserfc.jwk import OctKey
from uuid_utils import uuid7

from hub.errors import InvalidRequest
from hub.store import once as store
from hub.store.access import Principal
from hub.store.engine import Connection, with_each, writing
from hub.store.once import Answer, Asked
from hub.wiring import Hub

REPLAYED = "Idempotency-Replayed"
FAILED = "failed"  # in `g`: the hub itself failed, so that a repetition may do better
_KEY = re.compile(r'"([ -~]{1,255})"|([!-~]{1,255})')  # a string of structured fields, or the bare word
_SEAL = {"alg": "dir", "enc": "A256GCM"}


def once(hub: Hub, principal: Principal, run: Callable[[], Response], *, again: bool = False) -> Response:
    """What `run` answers, or answered before under the key of this request; without a key, simply that.

    With `again`, `run` does no harm when it goes on after one that was cut off.
    Raises KeyReused, StillRunning, AnswerLost, InvalidRequest.
    """
    asked = _asked(principal)
    if asked is None:
        return run()
    with writing(hub.engine) as connection:
        known = store.begin(connection, asked, hub.clock(), again=again)
    if known is not None:
        body = jwe.decrypt_compact(known.body, _seal(hub, principal), algorithms=["dir", "A256GCM"]).plaintext
        return Response(body, known.status, {REPLAYED: "true"}, content_type=known.content_type)
    steps: list[None] = []

    def step(connection: Connection) -> None:
        store.step(connection, asked, hub.clock())
        steps.append(None)

    answer = None
    try:
        with with_each(step):
            answer = run()
    finally:
        with writing(hub.engine) as connection:
            if answer is not None and (steps or not g.get(FAILED)):
                sealed = jwe.encrypt_compact(_SEAL, answer.get_data(), _seal(hub, principal)).encode()
                store.keep(connection, asked, Answer(answer.status_code, str(answer.content_type), sealed))
            else:
                store.leave(connection, asked, hub.clock())
    return answer


def _asked(principal: Principal) -> Asked | None:
    said = request.headers.get("Idempotency-Key")
    if said is None:
        return None
    found = _KEY.fullmatch(said.strip())
    if found is None:
        raise InvalidRequest("an Idempotency-Key has 1 to 255 printable characters.", hint="A UUID does well.")
    body = request.full_path.encode() + b"\n" + request.get_data()
    return Asked(principal.caller, found[1] or found[2], sha256(body).digest(), str(uuid7()))


def _seal(hub: Hub, principal: Principal) -> OctKey:
    shown = request.headers["Authorization"] if principal.key else f"{hub.secret} {principal.caller}"
    return OctKey.import_key(sha256(b"idempotency " + shown.encode()).digest())
