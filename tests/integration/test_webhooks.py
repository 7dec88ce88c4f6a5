"""Outgoing webhooks on both stores: signed, in order, told until they are taken, never lost, and each try kept."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from click.testing import CliRunner

from canonical.errors import UnknownEntity
from hub.errors import InvalidRequest, NotFound
from hub.flow.webhooks import MOST, resend, set_state, signature, subscribe, tell
from hub.store import webhooks
from hub.store.engine import reading
from hub.wiring import Hub
from tests.conftest import FixedClock
from tests.worlds import account, deliver, golden_of


class Receiver:
    """A receiver that answers by a script, 204 when it is out of words."""

    def __init__(self) -> None:
        self.script: list[int] = []
        self.taken: list[tuple[dict[str, str], bytes]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.taken.append(({k.lower(): v for k, v in self.headers.items()}, body))
                self.send_response(receiver.script.pop(0) if receiver.script else 204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hooks?from=concord"

    @property
    def golden(self) -> list[str]:
        return [one["golden"] for _, body in self.taken for one in json.loads(body)["data"]]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    threading.Thread(target=made.server.serve_forever, daemon=True).start()
    yield made
    made.server.shutdown()
    made.server.server_close()


def customer(hub: Hub, key: str) -> str:
    deliver(hub, [account("crm", key, name=f"Company {key * 8}")])
    return str(golden_of(hub, f"crm:account:{key}")["id"])


def state(hub: Hub) -> dict[str, Any]:
    with reading(hub.engine) as connection:
        (row,) = webhooks.every(connection)
    return row


@pytest.mark.promise("A-31")
def test_changes_are_told_signed_and_in_order_from_the_subscription_on(hub: Hub, receiver: Receiver) -> None:
    customer(hub, "a")
    made, secret = subscribe(hub.engine, receiver.url, (), "eve", hub.clock())
    later = [customer(hub, key) for key in "bc"]
    assert tell(hub.engine, hub.clock) == {made: 2}
    assert receiver.golden == later
    headers, body = receiver.taken[0]
    moment = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
    assert headers["webhook-signature"] == signature(secret, headers["webhook-id"], moment, body)
    assert signature(secret, headers["webhook-id"], moment, body + b" ") != headers["webhook-signature"]
    assert tell(hub.engine, hub.clock) == {made: 0}


def test_signature_is_that_of_the_scheme() -> None:
    """The example of the Standard Webhooks specification."""
    made = signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek",
                     datetime.fromtimestamp(1614265330, UTC), b'{"test": 2432232314}')  # fmt: skip
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_receiver_that_is_away_is_told_later_the_same_message(hub: Hub, receiver: Receiver, clock: FixedClock) -> None:
    made, _ = subscribe(hub.engine, receiver.url, (), "eve", clock())
    first = customer(hub, "a")
    receiver.script = [503, 500]
    assert tell(hub.engine, clock) == {made: 0}
    assert tell(hub.engine, clock) == {}, "not before its time"
    second = customer(hub, "b")
    clock.move(minutes=1)
    tell(hub.engine, clock)
    clock.move(minutes=2)
    assert tell(hub.engine, clock) == {made: 2}
    assert receiver.golden[-2:] == [first, second]
    with reading(hub.engine) as connection:
        tries = webhooks.deliveries(connection, made)
    assert [(one["attempt"], one["status"]) for one in reversed(tries)] == [(1, 503), (2, 500), (3, 204)]
    assert state(hub)["attempts"] == 0


def test_receiver_that_never_answers_is_paused_and_loses_nothing(
    hub: Hub, receiver: Receiver, clock: FixedClock
) -> None:
    made, _ = subscribe(hub.engine, "http://127.0.0.1:9/hook", (), "eve", clock())
    customer(hub, "a")
    for _ in range(MOST):
        tell(hub.engine, clock)
        clock.move(hours=1)
    assert (state(hub)["state"], state(hub)["attempts"]) == ("paused", MOST)
    assert tell(hub.engine, clock) == {}
    set_state(hub.engine, made, "active", "eve", clock())
    assert tell(hub.engine, clock) == {made: 0}


def test_gone_pauses_at_once_and_resend_goes_back(hub: Hub, receiver: Receiver, clock: FixedClock) -> None:
    made, _ = subscribe(hub.engine, receiver.url, (), "eve", clock())
    golden = [customer(hub, key) for key in "ab"]
    tell(hub.engine, clock)
    with reading(hub.engine) as connection:
        (sent,) = webhooks.deliveries(connection, made)
    resend(hub.engine, sent["id"], "eve", clock())
    assert tell(hub.engine, clock) == {made: 2}
    assert receiver.golden == golden * 2
    assert receiver.taken[0][0]["webhook-id"] == receiver.taken[1][0]["webhook-id"]
    receiver.script = [410]
    customer(hub, "c")
    tell(hub.engine, clock)
    assert state(hub)["state"] == "paused"


def test_only_the_entities_that_were_asked_for_are_told(hub: Hub, receiver: Receiver) -> None:
    made, _ = subscribe(hub.engine, receiver.url, ("invoice",), "eve", hub.clock())
    customer(hub, "a")
    assert tell(hub.engine, hub.clock) == {made: 0}
    assert receiver.taken == []


@pytest.mark.parametrize("url", ["ftp://x.example/", "nonsense", "https://user:secret@x.example/"])
def test_what_is_no_address_is_refused(hub: Hub, url: str) -> None:
    with pytest.raises(InvalidRequest, match="no address"):
        subscribe(hub.engine, url, (), "eve", hub.clock())
    with pytest.raises(UnknownEntity):
        subscribe(hub.engine, "https://x.example/", ("acount",), "eve", hub.clock())
    with pytest.raises(NotFound):
        resend(hub.engine, 7, "eve", hub.clock())


def test_webhooks_on_the_command_line(hub: Hub, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    from hub.cli import telling
    from hub.worker import tell_changes

    monkeypatch.setattr(telling, "open_hub", lambda _directory: hub)
    run = CliRunner().invoke
    made = run(telling.webhooks, ["add", receiver.url, "--as", "eve"])
    assert made.stdout.startswith("whsec_"), made.output
    customer(hub, "a")
    assert tell_changes(hub, {}) == "1 changes told to 1 receivers"
    assert "204" in run(telling.webhooks, ["log", "1"]).output
    assert run(telling.webhooks, ["pause", "1", "--as", "eve"]).exit_code == 0
    listed = run(telling.webhooks, ["ls", "--format", "json"]).stdout
    assert (json.loads(listed)[0]["state"], "whsec" in listed) == ("paused", False)
