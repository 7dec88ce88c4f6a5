"""Fakes of systems: small servers on this machine that answer as the real ones do, as far as a target can tell.

Each models what was measured of the system or what its makers publish, keeps what it is sent in memory,
and stands behind a proxy that plays trouble on demand: `fake.plan(Trouble.CUT_AFTER)`. Time passes by a
second with each change, so that what a test sees does not depend on when it runs.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

import orjson

from adapters.peers.faults import FaultProxy, Trouble


@dataclass(frozen=True, slots=True)
class Asked:
    """A request."""

    method: str
    path: str  # without its escapes
    query: Mapping[str, str]
    headers: Mapping[str, str]  # names in small letters
    body: bytes

    def json(self) -> Any:
        """The body; None where it is empty or no JSON."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return None


@dataclass(frozen=True, slots=True)
class Said:
    """An answer; `body` is sent as JSON unless it is bytes."""

    status: int = 200
    body: Any = b""
    headers: tuple[tuple[str, str], ...] = field(default=())


class Fake:
    """A system that runs while the context is open."""

    def __init__(self, port: int = 0) -> None:
        """It knows nothing yet. It is reached at this port; 0 is any that is free."""
        self.calls: list[str] = []  # what was asked, in order: "POST /path"
        self.at = datetime(2026, 1, 1, tzinfo=UTC)
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._proxy = FaultProxy(f"http://127.0.0.1:{self._server.server_address[1]}/", port)

    @property
    def url(self) -> str:
        """Where it is reached, by way of the trouble."""
        return self._proxy.url

    @property
    def options(self) -> dict[str, Any]:
        """What a connection to it says in `targets.yaml`, beside its kind."""
        raise NotImplementedError

    @property
    def met(self) -> list[Trouble]:
        """The trouble that was played."""
        return self._proxy.met

    def plan(self, *troubles: Trouble, when: bytes = b"", seconds: float = 0.3) -> None:
        """Play these, one a request, for requests whose body holds these bytes."""
        self._proxy.plan(*troubles, when=when, seconds=seconds)

    def answer(self, asked: Asked) -> Said:
        """What the system says; called for one request at a time."""
        raise NotImplementedError

    def tick(self) -> datetime:
        """A second later."""
        self.at += timedelta(seconds=1)
        return self.at

    def take(self, asked: Asked) -> Said:
        """Note the request and answer it."""
        with self._lock:
            self.calls.append(f"{asked.method} {asked.path}")
            return self.answer(asked)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self._proxy.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._proxy.__exit__(kind, error, at)
        self._server.shutdown()
        self._server.server_close()


def _handler(fake: Fake) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # or each answer is 40 ms late

        def do_POST(self) -> None:
            """Hand the request to the fake, and its answer back."""
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            query = dict(parse_qsl(parts.query, keep_blank_values=True))
            said = fake.take(Asked(self.command, unquote(parts.path), query, headers, body))
            content = said.body if isinstance(said.body, bytes) else orjson.dumps(said.body)
            self.send_response(said.status)
            for name, value in (*said.headers, ("content-length", str(len(content)))):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PUT = do_PATCH = do_DELETE = do_MERGE = do_POST  # noqa: N815 (the names are the library's)

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    return Handler
