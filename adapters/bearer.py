"""Signing in with OAuth 2: a token that is fetched when it is needed, and again when it has run out."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from adapters.errors import TargetRefuses, TargetUnavailable
from adapters.transport import Answer, Transport


class Bearer:
    """A token endpoint, and what we say there."""

    def __init__(self, transport: Transport, path: str, form: Mapping[str, str]) -> None:
        """`form` is posted: a grant of client credentials or of a refresh token. Nothing is called yet."""
        self.transport, self._path, self._form = transport, path, dict(form)
        self._token: str | None = None

    def header(self) -> str:
        """What goes into `authorization`. Raises TargetRefuses or TargetUnavailable."""
        if self._token is None:
            self._token = self._fetch()
        return f"Bearer {self._token}"

    def renew(self) -> None:
        """Forget the token: the system does not take it any more."""
        self._token = None

    def _fetch(self) -> str:
        sent = urlencode(self._form).encode()
        headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
        answer: Answer = self.transport.call("POST", self._path, safe=True, content=sent, headers=headers)
        said = answer.json()
        if answer.status in (400, 401, 403):
            why = said.get("error", "") if isinstance(said, dict) else ""
            raise TargetRefuses(f"{self.transport.name} gives us no token: {why or f'HTTP {answer.status}'}.")
        if answer.status != 200 or not isinstance(said, dict) or not said.get("access_token"):
            raise TargetUnavailable(f"{self.transport.name} answers {answer.status} to asking for a token.")
        return str(said["access_token"])


def fetched(transport: Transport, options: Mapping[str, object]) -> Bearer:
    """The bearer of a connection whose options say `token_url`, `client_id`, `client_secret`, and more as needed.

    A `refresh_token` or a `scope` is sent along.
    """
    names = ("client_id", "client_secret", "scope", "refresh_token")
    said = {name: str(options[name]) for name in names if options.get(name)}
    grant = "refresh_token" if "refresh_token" in said else "client_credentials"
    return Bearer(transport, str(options["token_url"]), {"grant_type": grant, **said})
