"""The transport: what is repeated and what never is, and what it says when nothing comes back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from adapters.errors import TargetUnavailable, UnknownOutcome
from adapters.transport import Answer, Freely, Manners, Paced, Transport, manners_of

Script = list[tuple[int, dict[str, str]] | str]


class System:
    """A server that answers by a script: a status with headers, `cut`, or `drip`."""

    def __init__(self) -> None:
        self.script: Script = []
        self.seen: list[tuple[str, bytes]] = []
        system = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                system.seen.append((self.path, self.rfile.read(int(self.headers.get("content-length", 0)))))
                said = system.script.pop(0) if system.script else (200, {})
                if said == "drip":
                    self.drip()
                    return
                if isinstance(said, str):
                    self.close_connection = True
                    self.connection.close()
                    return
                self.send_response(said[0])
                for name, value in {"content-length": "2", **said[1]}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(b"{}")

            def drip(self) -> None:
                """Forty bytes over two seconds, each well within the time that one may take."""
                self.close_connection = True
                self.send_response(200)
                self.send_header("content-length", "40")
                self.end_headers()
                with suppress(ConnectionError):
                    for _ in range(40):
                        self.wfile.write(b" ")
                        self.wfile.flush()
                        time.sleep(0.05)

            do_GET = do_POST  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture
def system() -> Iterator[System]:
    made = System()
    threading.Thread(target=made.server.serve_forever, daemon=True).start()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def transport(system: System, waits: list[float]) -> Iterator[Callable[..., Transport]]:
    made: list[Transport] = []

    def make(url: str = "", **manners: object) -> Transport:
        sleep = {"sleep": lambda seconds: waits.append(seconds) if seconds else None}
        made.append(Transport("erp", url or system.url, Manners(**{**sleep, **manners})))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_safe_call_is_repeated_after_the_time_that_the_system_asks_for(
    system: System, transport: Callable[..., Transport], waits: list[float]
) -> None:
    system.script = [(503, {"retry-after": "7"}), (429, {"retry-after": "3"})]
    assert transport().call("POST", "/x", safe=True, json={"a": 1}).status == 200
    assert waits == [7.0, 3.0]
    assert [body for _, body in system.seen] == [b'{"a":1}'] * 3


def test_call_that_is_not_safe_is_never_repeated_once_it_was_sent(
    system: System, transport: Callable[..., Transport], waits: list[float]
) -> None:
    system.script = [(503, {"retry-after": "7"}), "cut"]
    assert transport().call("POST", "/x", json={}).status == 503
    with pytest.raises(UnknownOutcome, match="its answer was lost"):
        transport().call("POST", "/x", json={})
    assert (len(system.seen), waits) == (2, [])


def test_lost_answer_to_a_safe_call_is_asked_for_again_and_then_unavailable(
    system: System, transport: Callable[..., Transport]
) -> None:
    system.script = ["cut"]
    assert transport().call("GET", "/x", safe=True).json() == {}
    system.script = ["cut"] * 4
    with pytest.raises(TargetUnavailable):
        transport().call("GET", "/x", safe=True)
    assert len(system.seen) == 6


def test_nobody_there_is_unavailable_and_tried_again_even_when_not_safe(
    transport: Callable[..., Transport], waits: list[float]
) -> None:
    with pytest.raises(TargetUnavailable, match="cannot be reached"):
        transport("http://127.0.0.1:9").call("POST", "/x", json={})
    assert len(waits) == 3


@pytest.mark.promise("A-71")
def test_system_that_never_answers_is_left_alone_and_refusals_open_no_circuit(
    system: System, transport: Callable[..., Transport]
) -> None:
    made = transport("http://127.0.0.1:9", tries=1, fails=3)
    for _ in range(2):
        with pytest.raises(TargetUnavailable, match="cannot be reached"):
            made.call("POST", "/x")
    for _ in range(2):
        with pytest.raises(TargetUnavailable):
            made.call("POST", "/x")
    with pytest.raises(TargetUnavailable, match="left alone for now"):
        made.call("POST", "/x")
    refusing = transport(tries=1, fails=3)
    system.script = [(400, {}), (500, {})] * 5
    assert [refusing.call("POST", "/x").status for _ in range(10)] == [400, 500] * 5


@pytest.mark.promise("A-72")
def test_pace_lets_a_burst_through_and_then_one_a_step() -> None:
    now = [100.0]
    paced = Paced(2, burst=3, ticks=lambda: now[0])
    assert [paced.wait() for _ in range(5)] == [0, 0, 0, 0.5, 1.0]
    now[0] += 60
    assert [paced.wait() for _ in range(4)] == [0, 0, 0, 0.5]


def test_wait_may_be_stated_as_a_date() -> None:
    dates = {"retry-after": "Thu, 26 Nov 2026 10:00:30 GMT", "date": "Thu, 26 Nov 2026 10:00:00 GMT"}
    assert Answer(503, dates, b"").retry_after == 30
    assert Answer(503, {"retry-after": "soon"}, b"").retry_after is None


def test_answer_that_has_no_end_is_cut_off(
    system: System, transport: Callable[..., Transport], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.transport.LARGEST", 1)
    with pytest.raises(UnknownOutcome):
        transport().call("POST", "/x")


@pytest.mark.parametrize(("safe", "lost", "calls"), [(True, TargetUnavailable, 2), (False, UnknownOutcome, 1)])
def test_answer_that_drips_is_given_up_although_each_piece_is_in_time(
    system: System, transport: Callable[..., Transport], *, safe: bool, lost: type[Exception], calls: int
) -> None:
    system.script = ["drip", "drip"]
    with pytest.raises(lost, match="answer was lost"):
        transport(read=1.0, whole=0.2, tries=2).call("POST", "/x", safe=safe)
    assert len(system.seen) == calls
    system.script = ["drip"]
    assert transport(read=1.0).call("POST", "/x").body == b" " * 40


def test_connection_says_how_it_is_called() -> None:
    ready = Manners(tries=1)
    assert manners_of({"manners": ready}) is ready
    plain, limited = manners_of({}), manners_of({"timeout": 5, "rate": 2})
    assert (plain.read, plain.throttle.wait(), plain.throttle.wait()) == (60.0, 0.0, 0.0)
    assert (limited.read, limited.throttle.wait()) == (5.0, 0.0)
    assert 0.4 < limited.throttle.wait() <= 0.5
    assert isinstance(manners_of({}, rate=20, burst=100).throttle, Paced)
    assert isinstance(manners_of({"rate": 0}, rate=20).throttle, Freely)
