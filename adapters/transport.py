"""HTTP to other systems: the one door of the client, with its manners.

A call ends in an `Answer`, whatever its status, or in one of three ways: nothing reached the system
(`TargetUnavailable`, safe to try again), it let us not in (`TargetRefuses`), or the answer was lost after
sending (`UnknownOutcome`, never repeated here). Calls that are marked `safe` are repeated with growing,
jittered waits; others only when the connection was never made. What an answer *means* is the caller's to
say: systems put errors into a 200. Headers and bodies are never logged.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

import httpx
import orjson
import pybreaker
import tenacity

from adapters.errors import TargetUnavailable, UnknownOutcome

LARGEST = 32 << 20  # bytes of an answer
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


class Throttle(Protocol):
    """How often a system may be called; workers that share one keep its limit together."""

    def wait(self) -> float:
        """Take a turn; the seconds to wait for it."""
        ...


class Freely:
    """No limit."""

    def wait(self) -> float:
        """At once."""
        return 0.0


class Paced:
    """At most `rate` calls a second with bursts of `burst`, by the generic cell rate algorithm (ITU-T I.371)."""

    def __init__(self, rate: float, burst: int = 1, ticks: Callable[[], float] = time.monotonic) -> None:
        """`ticks` counts seconds from anywhere."""
        self._step, self._slack, self._ticks = 1 / rate, burst / rate, ticks
        self._next = 0.0  # theoretical arrival time of the next call
        self._turn = threading.Lock()

    def wait(self) -> float:
        """Take a turn; the seconds to wait for it."""
        with self._turn:
            now = self._ticks()
            start = max(self._next, now)
            self._next = start + self._step
            return max(0.0, start + self._step - self._slack - now)


@dataclass(frozen=True, slots=True)
class Manners:
    """How a system is called."""

    connect: float = 5.0  # seconds until a connection stands
    read: float = 60.0  # seconds between two pieces of an answer
    whole: float = 300.0  # seconds until the last of them, counted from asking
    tries: int = 4  # of a safe call
    longest_wait: float = 30.0  # seconds between two tries
    fails: int = 8  # connections lost in a row until the circuit opens
    rest: float = 30.0  # seconds that it stays open
    throttle: Throttle = field(default_factory=Freely)
    sleep: Callable[[float], None] = time.sleep


def manners_of(options: Mapping[str, Any], *, rate: float = 0.0, burst: int = 1) -> Manners:
    """The manners that a connection asks for: `timeout` in seconds, `rate` in calls a second with bursts of `burst`.

    What it does not say is as given here; 0 is no limit. Ready-made ones under `manners` are taken as they are.
    `pace` makes a throttle of rate and burst, where several processes are to keep one.
    """
    made = options.get("manners")
    if isinstance(made, Manners):
        return made
    pace, bursts = float(options.get("rate", rate)), int(options.get("burst", burst))
    throttle: Throttle = options.get("pace", Paced)(pace, bursts) if pace > 0 else Freely()
    return Manners(read=float(options.get("timeout", 60)), throttle=throttle)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON; None when it is none (a proxy's page, say)."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return None

    @property
    def retry_after(self) -> float | None:
        """How many seconds the system asks to wait, if it says so."""
        said = self.headers.get("retry-after", "")
        if said.isdigit():
            return float(said)
        try:
            until, sent = parsedate_to_datetime(said), parsedate_to_datetime(self.headers["date"])
        except (ValueError, TypeError, KeyError):
            return None
        return max(0.0, (until - sent).total_seconds())


class Transport:
    """One system behind one address."""

    def __init__(self, name: str, url: str, manners: Manners | None = None, **options: Any) -> None:
        """`options` go to the client: `auth`, `headers`, `verify`. Nothing is called yet."""
        self.name, self.manners = name, manners or Manners()
        timeout = httpx.Timeout(self.manners.read, connect=self.manners.connect)
        self._client = httpx.Client(base_url=url, timeout=timeout, follow_redirects=False, trust_env=False, **options)
        self._breaker = pybreaker.CircuitBreaker(
            fail_max=self.manners.fails, reset_timeout=self.manners.rest, throw_new_error_on_trip=False
        )

    def call(self, method: str, path: str, *, safe: bool = False, **sent: Any) -> Answer:
        """The answer to one request. `sent` is what httpx takes: `json`, `content`, `headers`, `params`.

        Raises TargetUnavailable when nothing reached it, UnknownOutcome when the answer was lost.
        """
        if "json" in sent:
            sent["content"] = orjson.dumps(sent.pop("json"))
            sent["headers"] = {"content-type": "application/json", **sent.get("headers", {})}
        return self._tried(safe=safe)(lambda: self._once(method, path, sent, safe=safe))

    def close(self) -> None:
        """Let the connections go."""
        self._client.close()

    def _tried(self, *, safe: bool) -> Callable[[Callable[[], Answer]], Answer]:
        def again(state: tenacity.RetryCallState) -> bool:
            outcome = state.outcome
            if outcome is None or outcome.failed:
                return outcome is not None and isinstance(outcome.exception(), TargetUnavailable)
            return safe and outcome.result().status in (429, 502, 503, 504)

        def pause(state: tenacity.RetryCallState) -> float:
            asked = None if state.outcome is None or state.outcome.failed else state.outcome.result().retry_after
            grown = tenacity.wait_exponential_jitter(multiplier=0.2, max=self.manners.longest_wait)(state)
            return min(asked if asked is not None else grown, self.manners.longest_wait)

        return tenacity.Retrying(
            retry=again,
            wait=pause,
            stop=tenacity.stop_after_attempt(self.manners.tries),
            sleep=self.manners.sleep,
            retry_error_callback=_last,
        )

    def _once(self, method: str, path: str, sent: Mapping[str, Any], *, safe: bool) -> Answer:
        self.manners.sleep(self.manners.throttle.wait())
        try:
            return self._breaker.call(self._ask, method, path, sent)
        except pybreaker.CircuitBreakerError:
            raise TargetUnavailable(f"{self.name} has not answered for a while; it is left alone for now.") from None
        except _NEVER_SENT as error:
            raise TargetUnavailable(f"{self.name} cannot be reached ({type(error).__name__}).") from error
        except (httpx.TransportError, httpx.StreamError) as error:
            lost = TargetUnavailable if safe else UnknownOutcome
            raise lost(f"{self.name} was asked, and its answer was lost ({type(error).__name__}).") from error

    def _ask(self, method: str, path: str, sent: Mapping[str, Any]) -> Answer:
        until = time.monotonic() + self.manners.whole
        with self._client.stream(method, path, **sent) as reply:
            pieces, size = [], 0
            for piece in reply.iter_bytes():
                size += len(piece)
                if size > LARGEST:
                    raise httpx.ReadError(f"more than {LARGEST} bytes")
                if time.monotonic() > until:
                    raise httpx.ReadTimeout(f"not whole after {self.manners.whole} s")
                pieces.append(piece)
            return Answer(reply.status_code, {k.lower(): v for k, v in reply.headers.items()}, b"".join(pieces))


def _last(state: tenacity.RetryCallState) -> Answer:
    """What the last try gave: its answer, or its error."""
    if state.outcome is None:
        raise TargetUnavailable("no call was made.")
    answer: Answer = state.outcome.result()
    return answer
