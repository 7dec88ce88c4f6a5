"""A proxy in front of a system that plays trouble on demand: what networks and servers do, when a test asks for it.

Requests are passed on as they are. A fault is spent on the next request that it is meant for: cut before the
system has it, cut after it has answered, late, twice, refused, answered by somebody else, or drop by drop.
"""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import orjson

SWITCH = "/_faults"
Headers = list[tuple[str, str]]  # a name may stand several times: cookies


class Trouble(StrEnum):
    """What can go wrong on the way."""

    CUT_BEFORE = "cut before"  # the connection ends before the system has the request
    CUT_AFTER = "cut after"  # the system has done it, and its answer is lost
    LATE = "late"
    TWICE = "twice"  # the request reaches the system twice
    THROTTLED = "throttled"  # 429, asks to wait
    AWAY = "away"  # 503 from a gateway
    SESSION_LOST = "session lost"  # 401
    GARBAGE = "garbage"  # a page of HTML with status 200
    DRIP = "drip"  # the answer comes byte by byte


@dataclass(frozen=True, slots=True)
class Fault:
    """Trouble for the next request whose body holds these bytes."""

    trouble: Trouble
    when: bytes = b""
    seconds: float = 0.3


class FaultProxy:
    """A proxy that runs while the context is open."""

    def __init__(self, upstream: str, port: int = 0) -> None:
        """`upstream` is the address of the real system; `port` is ours, 0 any that is free."""
        self.upstream = urlsplit(upstream)
        self.faults: deque[Fault] = deque()
        self.met: list[Trouble] = []  # the faults that were spent
        self.calls = 0
        self._lock = threading.Lock()
        proxy = self

        class Handler(_Handler):
            owner = proxy

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/"

    def plan(self, *troubles: Trouble, when: bytes = b"", seconds: float = 0.3) -> None:
        """Play these, one a request, for requests that hold these bytes."""
        self.faults.extend(Fault(one, when, seconds) for one in troubles)

    def take(self, body: bytes) -> Fault | None:
        """The fault that this request meets, if any; it is spent."""
        with self._lock:
            self.calls += 1
            if self.faults and self.faults[0].when in body:
                self.met.append(self.faults[0].trouble)
                return self.faults.popleft()
            return None

    def switch(self, body: bytes) -> tuple[int, Headers, bytes]:
        """What `/_faults` answers: trouble is planned by a body, and what waits and what was met is told."""
        try:
            said = orjson.loads(body) if body else None
            if said is not None:
                trouble, when = Trouble(said["trouble"]), str(said.get("when", "")).encode()
                self.plan(trouble, when=when, seconds=float(said.get("seconds", 0.3)))
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            known = ", ".join(Trouble)
            return 400, [], f'say {{"trouble": one of {known}, "when": "text", "seconds": 0.3}}'.encode()
        waiting = [{"trouble": one.trouble, "when": one.when.decode("utf-8", "replace")} for one in self.faults]
        return 200, [("content-type", "application/json")], orjson.dumps({"waiting": waiting, "met": self.met})

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    owner: FaultProxy
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or each answer is 40 ms late

    def do_POST(self) -> None:
        """Pass one request on, or play the trouble that waits for it."""
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path == SWITCH:
            self._say(*self.owner.switch(body))
            return
        fault = self.owner.take(body)
        trouble = fault.trouble if fault else None
        if trouble is Trouble.CUT_BEFORE:
            self._cut()
            return
        if trouble in _SAID:
            self._say(*_SAID[trouble])
            return
        if trouble is Trouble.LATE and fault:
            time.sleep(fault.seconds)
        status, headers, answer = self._forward(body)
        if trouble is Trouble.TWICE:
            status, headers, answer = self._forward(body)
        if trouble is Trouble.CUT_AFTER:
            self._cut()
            return
        self._say(status, headers, answer, drip=fault.seconds if fault and trouble is Trouble.DRIP else 0.0)

    do_GET = do_PUT = do_PATCH = do_DELETE = do_MERGE = do_POST  # noqa: N815 (the names are the library's)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""

    def _forward(self, body: bytes) -> tuple[int, Headers, bytes]:
        to = self.owner.upstream
        link = http.client.HTTPConnection(to.hostname or "", to.port, timeout=60)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _OWN}
        link.request(self.command, self.path, body, headers)
        reply = link.getresponse()
        answer = reply.read()
        kept = [(name, value) for name, value in reply.getheaders() if name.lower() not in _OWN]
        link.close()
        return reply.status, kept, answer

    def _say(self, status: int, headers: Headers, body: bytes, *, drip: float = 0.0) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        step = max(1, len(body) // 10) if drip else max(1, len(body))
        for start in range(0, len(body), step):
            self.wfile.write(body[start : start + step])
            self.wfile.flush()
            time.sleep(drip / 10)

    def _cut(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)


_OWN = frozenset({"host", "content-length", "connection", "transfer-encoding"})
_SAID: dict[Trouble | None, tuple[int, Headers, bytes]] = {
    Trouble.THROTTLED: (429, [("retry-after", "0")], b"slow down"),
    Trouble.AWAY: (503, [], b"no upstream"),
    Trouble.SESSION_LOST: (401, [], b"who are you?"),
    Trouble.GARBAGE: (200, [("content-type", "text/html")], b"<html><body>It works!</body></html>"),
}
