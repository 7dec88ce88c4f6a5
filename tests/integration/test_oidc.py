"""Tokens of an OpenID Connect issuer: a real one on this machine, with RSA and EC keys that it rotates."""

from __future__ import annotations

import base64
import hmac
import threading
from collections.abc import Iterator
from hashlib import sha256
from secrets import token_urlsafe
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson
import pytest
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from werkzeug.serving import make_server
from werkzeug.test import TestResponse
from werkzeug.wrappers import Request, Response

from hub.settings import Settings
from hub.web.app import create_app
from hub.wiring import Hub
from tests.conftest import FixedClock


class LocalIssuer:
    """An issuer with a discovery document and a key set over HTTP; it counts who asks for keys."""

    def __init__(self) -> None:
        self.keys: dict[str, Any] = {}
        self.asked = 0
        self.away = False
        self.grants: dict[str, dict[str, Any]] = {}
        self.server = make_server("127.0.0.1", 0, Request.application(self.answer), threaded=True)
        self.url = f"http://127.0.0.1:{self.server.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, request: Request) -> Response:
        if self.away:
            return Response(status=500)
        if request.path == "/.well-known/openid-configuration":
            told = {"issuer": self.url, "jwks_uri": f"{self.url}/keys", "authorization_endpoint": f"{self.url}/authorize",
                    "token_endpoint": f"{self.url}/token"}  # fmt: skip
            return Response(orjson.dumps(told))
        if request.path == "/token":
            return self.token(request)
        self.asked += 1
        return Response(orjson.dumps({"keys": [key.as_dict(private=False) for key in self.keys.values()]}))

    def token(self, request: Request) -> Response:
        """The ID token for a code, once, to whoever has the verifier of its challenge and the client's secret."""
        granted = self.grants.pop(request.form.get("code", ""), None)
        told = sha256(request.form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(told).decode().rstrip("=")
        right = request.form.get("grant_type") == "authorization_code" and request.form.get("client_secret") == "quiet"
        if granted is None or not right or granted["challenge"] != challenge:
            return Response(orjson.dumps({"error": "invalid_grant"}), status=400)
        return Response(orjson.dumps({"id_token": granted["token"], "token_type": "Bearer", "access_token": "x"}))

    def grant(self, clock: FixedClock, asked: dict[str, str], **claims: Any) -> str:
        """The code that a person who has signed in here brings back."""
        code = token_urlsafe()
        said = {"aud": asked["client_id"], "nonce": asked["nonce"]} | claims
        self.grants[code] = {"challenge": asked["code_challenge"], "token": self.sign(clock, **said)}
        return code

    def add(self, kid: str, kind: str = "RSA") -> None:
        made = RSAKey.generate_key(2048, {"kid": kid}) if kind == "RSA" else ECKey.generate_key("P-256", {"kid": kid})
        self.keys[kid] = made

    def sign(self, clock: FixedClock, kid: str = "one", alg: str = "RS256", key: Any = None, **claims: Any) -> str:
        now = int(clock().timestamp())
        said = {"iss": self.url, "aud": "concord", "sub": "u-1", "iat": now, "exp": now + 300, "roles": ["reader"]}
        said = {name: value for name, value in (said | claims).items() if value is not None}
        return jwt.encode({"alg": alg, "kid": kid}, said, key or self.keys[kid], algorithms=[alg])


@pytest.fixture(scope="module")
def server() -> Iterator[LocalIssuer]:
    made = LocalIssuer()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def issuer(server: LocalIssuer) -> LocalIssuer:
    server.keys, server.asked, server.away = {}, 0, False
    server.add("one")
    return server


def client_of(sqlite_hub: Hub, issuer: LocalIssuer, **more: Any) -> FlaskClient:
    settings = Settings(dir=sqlite_hub.settings.dir, oidc_issuer=issuer.url, oidc_audience="concord", **more)
    return create_app(Hub(settings, sqlite_hub.clock)).test_client()


def ask(client: FlaskClient, token: str, query: str = "{ valuesSet { value } }") -> TestResponse:
    return client.post("/graphql", json={"query": query}, headers={"Authorization": f"Bearer {token}"})


@pytest.mark.promise("A-14")
@pytest.mark.parametrize(("kind", "alg"), [("RSA", "RS256"), ("EC", "ES256")])
def test_token_of_the_issuer_is_taken(
    sqlite_hub: Hub, issuer: LocalIssuer, clock: FixedClock, kind: str, alg: str
) -> None:
    issuer.add("mine", kind)
    client = client_of(sqlite_hub, issuer)
    for _ in range(3):
        reply = ask(client, issuer.sign(clock, "mine", alg))
        assert (reply.status_code, reply.get_json()["data"]) == (200, {"valuesSet": []})
    assert issuer.asked == 1
    assert reply.headers["RateLimit-Policy"]


@pytest.mark.promise("A-14")
@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another"}, {"aud": None}, {"aud": ["another"]}, {"iss": "https://elsewhere.example"}, {"iss": None},
        {"exp": None}, {"exp": 1}, {"nbf": 4102444800}, {"sub": None}, {"exp": "soon"}, {"exp": -1},
    ],
    ids=str,
)  # fmt: skip
def test_token_that_is_not_for_us_or_not_in_force_is_refused_alike(
    sqlite_hub: Hub, issuer: LocalIssuer, clock: FixedClock, claims: dict[str, Any]
) -> None:
    client = client_of(sqlite_hub, issuer)
    refused, nonsense = ask(client, issuer.sign(clock, **claims)), ask(client, "hub_none_none")
    assert (refused.status_code, nonsense.status_code) == (401, 401)
    assert [one.get_json()["error"] | {"requestId": ""} for one in (refused, nonsense)] == [
        nonsense.get_json()["error"] | {"requestId": ""}
    ] * 2


@pytest.mark.promise("A-14")
def test_algorithm_that_is_not_allowed_is_refused(sqlite_hub: Hub, issuer: LocalIssuer, clock: FixedClock) -> None:
    client, good = client_of(sqlite_hub, issuer), issuer.sign(clock)
    assert ask(client, good).status_code == 200
    head, body, signature = good.split(".")
    none = "eyJhbGciOiJub25lIiwia2lkIjoib25lIn0"  # {"alg":"none","kid":"one"}
    public = issuer.keys["one"].as_pem(private=False)
    hs256 = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"one"}').decode().rstrip("=")
    mac = hmac.digest(public, f"{hs256}.{body}".encode(), "sha256")
    forged = f"{hs256}.{body}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"
    bad = [f"{none}.{body}.", f"{none}.{body}.{signature}", forged, issuer.sign(clock, alg="RS384"), f"{head}.{body}.",
           f"{head}.{body[:-2]}AA.{signature}", "a.b.c", ".." + "x" * 20000, "é.é.é",
           *(f"{base64.urlsafe_b64encode(one).decode().rstrip('=')}.{body}.{signature}"
             for one in (b"[]", b"null", b'{"alg": 1}', b'{"alg": "RS256", "kid": []}', b"\xff", b'{"alg": "RS256"}',
                         b'{"alg": "RS256", "kid": "one", "crit": ["x"]}'))]  # fmt: skip
    assert [ask(client, token).status_code for token in bad] == [401] * len(bad)


def test_clocks_may_differ_by_a_minute(sqlite_hub: Hub, issuer: LocalIssuer, clock: FixedClock) -> None:
    client, token = client_of(sqlite_hub, issuer), issuer.sign(clock)
    clock.move(seconds=355)
    assert ask(client, token).status_code == 200
    clock.move(seconds=10)
    assert ask(client, token).status_code == 401


@pytest.mark.promise("A-14")
def test_rotated_keys_are_fetched_again_but_not_for_every_made_up_one(
    sqlite_hub: Hub, issuer: LocalIssuer, clock: FixedClock
) -> None:
    client = client_of(sqlite_hub, issuer)
    assert ask(client, issuer.sign(clock)).status_code == 200
    issuer.add("two")
    clock.move(seconds=31)
    assert ask(client, issuer.sign(clock, "two")).status_code == 200
    assert issuer.asked == 2
    for n in range(20):
        assert ask(client, issuer.sign(clock, f"made up {n}", key=issuer.keys["two"])).status_code == 401
    assert issuer.asked == 2
    del issuer.keys["one"]
    old = RSAKey.generate_key(2048, {"kid": "one"})
    assert ask(client, issuer.sign(clock, key=old)).status_code == 401
    clock.move(hours=1)
    assert ask(client, issuer.sign(clock, "two")).status_code == 200
    assert issuer.asked == 3


def test_issuer_that_is_away_leaves_known_keys_in_force_for_a_day(
    sqlite_hub: Hub, issuer: LocalIssuer, clock: FixedClock
) -> None:
    client = client_of(sqlite_hub, issuer)
    issuer.away = True
    reply = ask(client, issuer.sign(clock))
    assert (reply.status_code, reply.get_json()["error"]["code"]) == (503, "HUB-4304")
    issuer.away = False
    clock.move(seconds=31)
    assert ask(client, issuer.sign(clock)).status_code == 200
    issuer.away = True
    clock.move(hours=2)
    assert ask(client, issuer.sign(clock)).status_code == 200
    clock.move(hours=23)
    assert ask(client, issuer.sign(clock)).status_code == 503


def test_roles_come_from_the_claim_that_is_named(sqlite_hub: Hub, issuer: LocalIssuer, clock: FixedClock) -> None:
    keys, mine = "{ apiKeys { id } }", {"sub-team": "reader", "sub-boss": "admin"}
    client = client_of(sqlite_hub, issuer, oidc_role_claim="realm.roles", oidc_roles=mine)

    def told(*roles: str) -> Any:
        reply = ask(client, issuer.sign(clock, roles=None, realm={"roles": list(roles)}), keys).get_json()
        return reply.get("data") or (reply.get("error") or reply["errors"][0]["extensions"])["code"]

    assert told("sub-team", "sub-boss") == {"apiKeys": []}
    assert told("sub-team") == "HUB-4302"
    assert told("admin") == "HUB-4302"  # our own word, where others are named
    assert told() == "HUB-4302"


def test_scoped_token_sees_what_its_scopes_grant(sqlite_hub: Hub, issuer: LocalIssuer, clock: FixedClock) -> None:
    client = client_of(sqlite_hub, issuer, oidc_scoped=True)
    query = "{ accounts { nodes { id } } }"
    assert "errors" in ask(client, issuer.sign(clock), query).get_json()
    assert "errors" not in ask(client, issuer.sign(clock, scope="openid concord:account"), query).get_json()
    by_mail = '{ accounts(filter: {email: {eq: "a@b.example"}}) { nodes { id } } }'
    assert "errors" in ask(client, issuer.sign(clock, scope="concord:account"), by_mail).get_json()
    granted = ask(client, issuer.sign(clock, scope="concord:* concord:personal"), by_mail)
    assert "errors" not in granted.get_json()


def begin(client: FlaskClient) -> dict[str, str]:
    """What the console asks the issuer, when somebody signs in."""
    reply = client.get("/login/oidc")
    assert reply.status_code == 302
    return dict(parse_qsl(urlsplit(reply.headers["Location"]).query))


def come_back(client: FlaskClient, asked: dict[str, str], code: str, **more: str) -> TestResponse:
    return client.get("/login/oidc/back", query_string={"state": asked["state"], "code": code, **more})


def console(sqlite_hub: Hub, issuer: LocalIssuer) -> FlaskClient:
    return client_of(sqlite_hub, issuer, oidc_client="console", oidc_client_secret="quiet")


def test_person_signs_in_to_the_console_with_the_issuer(
    sqlite_hub: Hub, issuer: LocalIssuer, clock: FixedClock
) -> None:
    client = console(sqlite_hub, issuer)
    assert b"/login/oidc" in client.get("/login").data
    asked = begin(client)
    code = issuer.grant(clock, asked, roles=["steward"])
    reply = come_back(client, asked, code, iss=issuer.url)
    assert (reply.status_code, reply.headers["Location"]) == (302, "/")
    assert client.get("/").status_code == 200
    clock.move(minutes=59)
    assert client.get("/").status_code == 200
    assert come_back(client, asked, code).status_code == 401  # neither the state nor the code counts twice
    clock.move(hours=12)
    assert client.get("/").status_code == 401


@pytest.mark.parametrize("wrong", ["state", "nonce", "verifier", "aud", "iss", "roles", "another browser"])
def test_sign_in_that_is_not_ours_opens_no_session(
    sqlite_hub: Hub, issuer: LocalIssuer, clock: FixedClock, wrong: str
) -> None:
    client = console(sqlite_hub, issuer)
    asked = begin(client)
    claims: dict[str, Any] = {"roles": ["steward"]}
    claims |= {"nonce": {"nonce": "another"}, "aud": {"aud": "concord"}, "roles": {"roles": []}}.get(wrong, {})
    granted = asked | ({"code_challenge": "another"} if wrong == "verifier" else {})
    code = issuer.grant(clock, granted, **claims)
    used = console(sqlite_hub, issuer) if wrong == "another browser" else client
    sent = asked | ({"state": "another"} if wrong == "state" else {})
    reply = come_back(used, sent, code, **({"iss": "https://elsewhere.example"} if wrong == "iss" else {}))
    assert reply.status_code == (403 if wrong == "roles" else 401)
    assert used.get("/").status_code == 401


def test_hub_without_a_client_offers_no_such_sign_in(sqlite_hub: Hub, issuer: LocalIssuer) -> None:
    client = client_of(sqlite_hub, issuer)
    assert client.get("/login/oidc").status_code == 404
    assert b"/login/oidc" not in client.get("/login").data
