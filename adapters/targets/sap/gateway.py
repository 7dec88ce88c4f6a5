"""Calls to an SAP Gateway: a token that belongs to its cookies, changesets that are taken whole, and SAP's errors.

The cookies are kept by the client, whatever their names. A token that is refused is fetched again, with
its cookies, once. A changeset is sent as one `$batch`: all of it is done, or nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from adapters.base import Status
from adapters.bearer import Bearer
from adapters.errors import TargetRefuses, UnknownOutcome
from adapters.record_target import Refused, by_status
from adapters.transport import Answer, Transport

_UNKNOWN = re.compile(
    r"property\b.*\b(is invalid|unknown|not found|does not exist)|not found for segment", re.IGNORECASE
)
_OUTER, _INNER = "batch_of_changes", "changeset_1"


@dataclass(frozen=True, slots=True)
class Change:
    """One request of a changeset."""

    method: str  # POST, PATCH, DELETE
    path: str
    body: Mapping[str, Any] = field(default_factory=dict)
    etag: str | None = None


class Gateway:
    """One service of a Gateway."""

    def __init__(
        self, transport: Transport, service: str, *, client: str | None = None, bearer: Bearer | None = None
    ) -> None:
        """`service` is its path; `client` the SAP client, if not the default one. Nothing is called yet."""
        self.transport, self.service, self.bearer = transport, service.rstrip("/"), bearer
        self._headers = {"accept": "application/json", "accept-language": "en"}
        if client:
            self._headers["sap-client"] = client
        self._token: str | None = None

    def get(self, path: str, **query: str) -> list[dict[str, Any]]:
        """The entities of a set. Raises Refused, TargetUnavailable, TargetRefuses."""
        params = {f"${name}": value for name, value in query.items()}
        for last in (False, True):
            answer = self._call("GET", path, params=params, headers=self._signed(), safe=True)
            if answer.status == 401 and not last:
                self._forget()
                continue
            said = _said(answer, wrote=False)
            found = said.get("d", {}).get("results") if isinstance(said, dict) else None
            if found is None:
                raise Refused(Status.TRANSIENT, "the answer is not SAP's")
            return list(found)
        raise AssertionError("the second turn always ends")

    def create(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Make an entity, with what hangs on it; as it stands then. Raises Refused, UnknownOutcome."""
        answer = self._write("POST", path, orjson.dumps(body), {"content-type": "application/json"})
        said = _said(answer, wrote=True)
        if not isinstance(said, dict) or "d" not in said:
            raise UnknownOutcome("the answer is not SAP's.")
        return dict(said["d"])

    def changeset(self, changes: Sequence[Change]) -> None:
        """Do all of it or nothing. Raises Refused, UnknownOutcome."""
        content = _multipart(changes)
        answer = self._write("POST", "$batch", content, {"content-type": f"multipart/mixed; boundary={_OUTER}"})
        if answer.status != 202 and answer.status != 200:
            _said(answer, wrote=True)
        statuses = [int(one) for one in re.findall(rb"^HTTP/1\.[01] (\d{3})", answer.body, re.MULTILINE)]
        if not statuses:
            raise UnknownOutcome("the answer to a changeset says nothing of it.")
        wrong = next((status for status in statuses if status >= 400), None)
        if wrong is not None:
            _said(Answer(wrong, answer.headers, _first_json(answer.body)), wrote=True)

    def _write(self, method: str, path: str, content: bytes, headers: Mapping[str, str]) -> Answer:
        for last in (False, True):
            if self._token is None:
                self._fetch()
            signed = {**self._signed(), **headers, "x-csrf-token": str(self._token)}
            answer = self._call(method, path, content=content, headers=signed)
            lost = answer.status == 401 or (
                answer.status == 403 and answer.headers.get("x-csrf-token", "").lower() == "required"
            )
            if not lost or last:
                return answer
            self._forget()
        raise AssertionError("the second turn always ends")

    def _fetch(self) -> None:
        for last in (False, True):
            headers = {**self._signed(), "x-csrf-token": "Fetch"}
            answer = self._call("GET", "", headers=headers, safe=True)
            if answer.status == 401 and not last:
                self._forget()
                continue
            _said(answer, wrote=False)
            self._token = answer.headers.get("x-csrf-token")
            return

    def _forget(self) -> None:
        self._token = None
        if self.bearer:
            self.bearer.renew()

    def _signed(self) -> dict[str, str]:
        return {**self._headers, **({"authorization": self.bearer.header()} if self.bearer else {})}

    def _call(self, method: str, path: str, **sent: Any) -> Answer:
        return self.transport.call(method, f"{self.service}/{path}", **sent)


def _said(answer: Answer, *, wrote: bool) -> Any:
    """What the answer holds, or what its error means."""
    said = answer.json()
    if answer.status < 300:
        return said
    error = said.get("error") if isinstance(said, dict) else None
    says = _words(error) if isinstance(error, dict) else ""
    if answer.status == 401:
        raise TargetRefuses("SAP does not let us in.")
    if answer.status == 403 and answer.headers.get("x-csrf-token", "").lower() == "required":
        raise Refused(Status.SESSION_LOST, says or "the token was refused twice")
    if answer.status in (400, 404) and _UNKNOWN.search(says):
        raise Refused(Status.SCHEMA_DRIFT, says)
    if answer.status == 500 and says:  # an exception of ABAP: nothing of the call is kept
        raise Refused(Status.INVALID, says, code="sap")
    raise by_status(answer, says, wrote=wrote)


def _words(error: Mapping[str, Any]) -> str:
    message = error.get("message")
    text = message.get("value") if isinstance(message, dict) else message
    details = (error.get("innererror") or {}).get("errordetails") or ()
    more = [str(one["message"]) for one in details if isinstance(one, dict) and one.get("message") not in (None, text)]
    return " / ".join([str(text or ""), *more])


def _multipart(changes: Sequence[Change]) -> bytes:
    """RFC 2046, as OData's batches have it: every line ends in CR LF."""
    lines = [f"--{_OUTER}", f"Content-Type: multipart/mixed; boundary={_INNER}", ""]
    for place, change in enumerate(changes, 1):
        body = orjson.dumps(change.body).decode() if change.method != "DELETE" else ""
        lines += [
            f"--{_INNER}", "Content-Type: application/http", "Content-Transfer-Encoding: binary",
            f"Content-ID: {place}", "", f"{change.method} {change.path} HTTP/1.1", "Accept: application/json",
            *(["Content-Type: application/json"] if body else []),
            *([f"If-Match: {change.etag}"] if change.etag else []),
            f"Content-Length: {len(body.encode())}", "", body,
        ]  # fmt: skip
    return "\r\n".join([*lines, f"--{_INNER}--", "", f"--{_OUTER}--", ""]).encode()


def _first_json(body: bytes) -> bytes:
    start = body.find(b'{"error"')
    start = body.find(b"{") if start < 0 else start
    end = body.rfind(b"}")
    return body[start : end + 1] if 0 <= start < end else b""
