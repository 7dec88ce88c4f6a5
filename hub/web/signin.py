"""Signing in to the console with the issuer: authorization code with PKCE, a state and a nonce, each used once."""

from __future__ import annotations

import base64
import hmac
import secrets
from hashlib import sha256
from urllib.parse import urlencode

from flask import Blueprint, abort, redirect, request, session, url_for
from werkzeug.wrappers import Response

from hub.errors import NotAuthenticated, OutOfSight
from hub.web import auth
from hub.web.oidc import Issuer

routes = Blueprint("signin", __name__)


@routes.get("/login/oidc")
def begin() -> Response:
    """Lead to the issuer."""
    issuer, client = _trusted()
    asked = {name: secrets.token_urlsafe(32) for name in ("state", "nonce", "verifier")}
    session["oidc"] = asked
    challenge = base64.urlsafe_b64encode(sha256(asked["verifier"].encode()).digest()).decode().rstrip("=")
    query = {"response_type": "code", "client_id": client, "redirect_uri": _back(), "scope": "openid profile email",
             "state": asked["state"], "nonce": asked["nonce"], "code_challenge": challenge,
             "code_challenge_method": "S256"}  # fmt: skip
    return redirect(f"{issuer.known()['authorization_endpoint']}?{urlencode(query)}")


@routes.get("/login/oidc/back")
def finish() -> Response:
    """Open a session for whom the issuer confirms; whoever sees only a part gets none."""
    issuer, client = _trusted()
    asked, told = session.pop("oidc", None), request.args
    if asked is None or not hmac.compare_digest(told.get("state", "").encode(), asked["state"].encode()):
        raise NotAuthenticated("this sign-in was not begun here.", hint="Begin it again on the sign-in page.")
    if told.get("iss", issuer.issuer) != issuer.issuer or "code" not in told:
        raise NotAuthenticated("the issuer has not confirmed the sign-in.", hint="Sign in again.")
    secret = issuer.settings.oidc_client_secret
    form = {"grant_type": "authorization_code", "code": told["code"], "redirect_uri": _back(), "client_id": client,
            "code_verifier": asked["verifier"]}  # fmt: skip
    form |= {"client_secret": secret.get_secret_value()} if secret else {}
    claims = issuer.claims(issuer.redeem(form), client, nonce={"essential": True, "value": asked["nonce"]})
    found, now = issuer.holder(claims), auth.hub().clock().timestamp()
    if not found.sight.whole:
        raise OutOfSight("the console shows everything, and this sign-in does not.", hint="Ask for wider scopes.")
    session.clear()
    session["guest"], session["since"], session["seen"] = [found.name, found.role], now, now
    return redirect(url_for("console.today"))


def _trusted() -> tuple[Issuer, str]:
    issuer = auth.issuer()
    client = issuer.settings.oidc_client if issuer else None
    if issuer is None or client is None:
        abort(404)
    return issuer, client


def _back() -> str:
    return url_for("signin.finish", _external=True)
