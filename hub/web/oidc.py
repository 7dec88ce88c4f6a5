"""Bearer tokens of an OpenID Connect issuer: who holds one, in which role, with which sight.

A token counts if a key of the issuer's key set has signed it by an algorithm that is allowed, if it is for us and in
force. Keys are kept for an hour. A key that is not known has the set fetched again, but not more often than every
half minute, so that made-up key ids cost the issuer nothing; while it is away, known keys hold for a day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from adapters.errors import TargetUnavailable, UnknownOutcome
from adapters.transport import Manners, Transport
from canonical.catalogue import ENTITIES
from hub.clock import Clock
from hub.errors import InvalidRequest, IssuerUnavailable, NotAuthenticated, NotPermitted
from hub.log import logger
from hub.settings import Settings
from hub.store.access import ROLES, Principal
from hub.store.allowance import COST, RATE, Limits
from hub.store.sight import EVERYTHING, GROUPS, Sight

ALGORITHMS = frozenset("RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519".split())
FRESH, PAUSE, STALE = 3600.0, 30.0, 86400.0  # seconds for which keys are kept, between two looks, at the longest
LEEWAY = 60  # seconds by which two clocks may differ
LONGEST = 16 * 1024  # characters of a token
_KINDS: Mapping[str, type[RSAKey | ECKey | OKPKey]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
UNKNOWN = "this key or token is not known, has expired or was revoked."


class Issuer:
    """An issuer that is trusted. One for each process; nothing is asked of it before a token comes."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        """By the settings. Raises InvalidRequest where they do not fit together."""
        if not settings.oidc_issuer or not (settings.oidc_audience or settings.oidc_client):
            raise InvalidRequest("HUB_OIDC_ISSUER goes with HUB_OIDC_AUDIENCE or HUB_OIDC_CLIENT.")
        if strange := sorted(set(settings.oidc_algorithms) - ALGORITHMS):
            raise InvalidRequest(f"HUB_OIDC_ALGORITHMS: {strange[0]} is none of {', '.join(sorted(ALGORITHMS))}.")
        self.settings, self.clock, self.issuer = settings, clock, settings.oidc_issuer
        self.url, self.host = self.issuer.rstrip("/"), urlsplit(self.issuer).hostname
        self._lock, self._keys, self._asked, self._had = Lock(), dict[str, Key](), 0.0, 0.0
        self._found: dict[str, Any] = {}

    def principal(self, token: str) -> Principal:
        """Who holds a token. Raises NotAuthenticated, NotPermitted where it gives no role, IssuerUnavailable."""
        return self.holder(self.claims(token, self.settings.oidc_audience or ""))

    def holder(self, claims: Mapping[str, Any]) -> Principal:
        """Whom these claims speak of. Raises NotPermitted where they give no role."""
        name = _at(claims, self.settings.oidc_name_claim) or claims["sub"]
        return Principal(f"oidc:{name}", self._role(claims), self._sight(claims), limits=Limits(RATE, COST))

    def claims(self, token: str, audience: str, **more: Any) -> dict[str, Any]:
        """What a token says that is for this audience. Raises NotAuthenticated, IssuerUnavailable."""
        if not audience or len(token) > LONGEST:
            raise NotAuthenticated(UNKNOWN)
        allowed = list(self.settings.oidc_algorithms)
        try:
            found = jwt.decode(
                token, lambda guest: self._key(guest.headers()), registry=JWSRegistry(algorithms=allowed)
            )
            jwt.JWTClaimsRegistry(
                now=int(self.clock().timestamp()), leeway=LEEWAY,
                iss={"essential": True, "value": self.issuer},
                aud={"essential": True, "value": audience}, exp={"essential": True}, sub={"essential": True}, **more,
            ).validate(found.claims)  # fmt: skip
        except (JoseError, ValueError) as error:
            logger().info("token_refused", why=type(error).__name__)
            raise NotAuthenticated(UNKNOWN) from None
        return dict(found.claims)

    def known(self) -> dict[str, Any]:
        """What the issuer says of itself: its endpoints. Raises IssuerUnavailable."""
        if not self._found:
            told = self._call("GET", f"{self.url}/.well-known/openid-configuration")
            if told.get("issuer") != self.issuer:
                raise IssuerUnavailable(f"{self.url} says that it is another issuer.")
            self._found = told
        return self._found

    def redeem(self, form: Mapping[str, str]) -> str:
        """The ID token for the code of a sign-in. Raises NotAuthenticated, IssuerUnavailable."""
        told = self._call("POST", str(self.known()["token_endpoint"]), data=dict(form))
        if not isinstance(told.get("id_token"), str):
            raise NotAuthenticated("the issuer has not confirmed the sign-in.", hint="Sign in again.")
        return str(told["id_token"])

    def _key(self, header: Mapping[str, Any]) -> Key:
        """The key that a token names. Raises NotAuthenticated, IssuerUnavailable."""
        name, now = header.get("kid"), self.clock().timestamp()
        if not isinstance(name, str):
            raise NotAuthenticated(UNKNOWN)
        found = self._keys.get(name)
        if found is not None and now - self._had < FRESH:
            return found
        with self._lock:
            if (name not in self._keys or now - self._had >= FRESH) and now - self._asked >= PAUSE:
                self._asked = now
                self._fetch(now)
            if now - self._had >= STALE:
                raise IssuerUnavailable(f"{self.url} has not told its keys.")
            found = self._keys.get(name)
        if found is None:
            raise NotAuthenticated(UNKNOWN)
        return found

    def _fetch(self, now: float) -> None:
        try:
            told = self._call("GET", str(self.known()["jwks_uri"]))["keys"]
        except (IssuerUnavailable, KeyError):
            logger().warning("issuer_away", issuer=self.url)
            return
        self._keys = dict(_usable(told))
        self._had = now

    def _call(self, method: str, address: str, **sent: Any) -> dict[str, Any]:
        transport = Transport("the issuer", self.url, Manners(connect=2.0, read=3.0, whole=5.0, tries=2))
        try:
            answer = transport.call(method, address, safe=method == "GET", **sent)
            told = {} if 400 <= answer.status < 500 else answer.json() if answer.status == 200 else None
        except (TargetUnavailable, UnknownOutcome, ValueError):
            told = None
        finally:
            transport.close()
        if not isinstance(told, dict):
            raise IssuerUnavailable(f"{self.url} cannot be asked.")
        return told

    def _role(self, claims: Mapping[str, Any]) -> str:
        """The strongest role that the claim names, by the settings' words or our own. Raises NotPermitted."""
        words = _words(_at(claims, self.settings.oidc_role_claim))
        named = {self.settings.oidc_roles.get(word, "") for word in words} if self.settings.oidc_roles else set(words)
        held = [role for role in ROLES if role in named]
        if not held:
            raise NotPermitted(
                f"the token gives no role: {self.settings.oidc_role_claim} names none that is known here."
            )
        return held[-1]

    def _sight(self, claims: Mapping[str, Any]) -> Sight:
        """All, or with HUB_OIDC_SCOPED what scopes grant: `concord:account`, `concord:*`, `concord:personal`."""
        if not self.settings.oidc_scoped:
            return EVERYTHING
        granted = {word.removeprefix("concord:") for word in _words(claims.get("scope")) if word.startswith("concord:")}
        return Sight.of(None if "*" in granted else sorted(granted & ENTITIES.keys()), set(GROUPS) - granted)


def _usable(keys: Any) -> Iterable[tuple[str, Key]]:
    """Public keys for signatures, by their ids: a shared secret in a key set is none."""
    for one in keys if isinstance(keys, list) else ():
        if isinstance(one, dict) and one.get("kty") in _KINDS and one.get("use", "sig") == "sig" and one.get("kid"):
            try:
                yield str(one["kid"]), _KINDS[one["kty"]].import_key(one)
            except (JoseError, ValueError):
                logger().warning("issuer_key_unusable", kid=str(one["kid"])[:80])


def _at(claims: Mapping[str, Any], path: str) -> Any:
    found: Any = claims
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _words(value: Any) -> list[str]:
    """A claim that lists words, as a list or in one text."""
    return value.split() if isinstance(value, str) else [str(one) for one in value] if isinstance(value, list) else []
