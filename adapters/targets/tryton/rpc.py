"""Calls to a Tryton server over JSON-RPC: a session, typed values, and what its errors mean.

Tryton puts refusals into a 200, named by the class of the exception; permission and validation share one
class, so the text, in English by the session's context, tells them apart.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from adapters.base import Status
from adapters.errors import TargetRefuses, TargetUnavailable, UnknownOutcome
from adapters.record_target import Refused
from adapters.transport import Answer, Transport

_FORBIDDEN = ("not allowed",)
_DUPLICATE = ("must be unique", "has to be unique", "already exists")


class Tryton:
    """A session with one database of a server; signs in when it must."""

    def __init__(self, transport: Transport, database: str, user: str, password: str) -> None:
        """Nothing is called yet."""
        self.transport, self.database, self.user = transport, database, user
        self._password = password
        self._session: str | None = None
        self._context: dict[str, Any] = {"language": "en"}

    def call(self, method: str, *arguments: Any, safe: bool = False, context: Mapping[str, Any] | None = None) -> Any:
        """The result of a method. A lost session is opened again once.

        Raises Refused, TargetUnavailable, TargetRefuses or UnknownOutcome.
        """
        for last in (False, True):
            if self._session is None:
                self._sign_in()
            answer = self._post(method, [*arguments, {**self._context, **(context or {})}], self._session, safe=safe)
            if answer.status == 401 and not last:
                self._session = None
                continue
            return _result(answer)
        raise AssertionError("the second turn always ends")

    def search_read(
        self, model: str, domain: Sequence[Any], fields: Sequence[str], *, limit: int | None = None
    ) -> list[dict[str, Any]]:
        """Records with these fields, in order of id; inactive ones too."""
        asked = (list(domain), 0, limit, [["id", "ASC"]], list(fields))
        found: list[dict[str, Any]] = self.call(
            f"model.{model}.search_read", *asked, safe=True, context={"active_test": False}
        )
        return found

    def _sign_in(self) -> None:
        answer = self._post("common.db.login", [self.user, {"password": self._password}, "en"], None, safe=True)
        said = answer.json()
        result = said.get("result") if isinstance(said, dict) else None
        if answer.status == 401 or (answer.status == 200 and not result):
            raise TargetRefuses(f"{self.transport.name} does not let {self.user} in.")
        if answer.status != 200 or not result:
            raise TargetUnavailable(f"{self.transport.name} answers {answer.status} to signing in.")
        number, session = result[0], result[1]
        self._session = "Session " + b64encode(f"{self.user}:{number}:{session}".encode()).decode()
        told = _result(self._post("model.res.user.get_preferences", [True, self._context], self._session, safe=True))
        self._context = {"language": "en", "company": told.get("company")}

    def _post(self, method: str, params: Sequence[Any], session: str | None, *, safe: bool) -> Answer:
        headers = {"authorization": session} if session else {}
        body = {"id": 1, "method": method, "params": written(list(params))}
        return self.transport.call("POST", f"/{self.database}/rpc/", safe=safe, json=body, headers=headers)


def _result(answer: Answer) -> Any:
    """What the call gave, or what its error means."""
    said = answer.json()
    if answer.status == 200 and isinstance(said, dict) and "result" in said:
        return read(said["result"])
    if answer.status == 200 and isinstance(said, dict) and said.get("error"):
        raise _refusal(said["error"])
    if answer.status in (429, 503):
        raise Refused(Status.THROTTLED, f"HTTP {answer.status}", wait=answer.retry_after)
    if answer.status == 401:
        raise Refused(Status.SESSION_LOST, "the session is gone")
    if answer.status == 403:
        raise Refused(Status.FORBIDDEN, "the method may not be called")
    if answer.status >= 500 or answer.status == 200:
        raise UnknownOutcome(f"Tryton answers {answer.status} without a word of its own.")
    raise Refused(Status.INVALID, f"HTTP {answer.status}")


def _refusal(error: Sequence[Any]) -> Refused:
    name, detail = str(error[0]), error[1] if len(error) > 1 else ""
    words = detail if isinstance(detail, str) else " ".join(str(one) for one in detail[:2] if one)
    if name == "ConcurrencyException":
        return Refused(Status.STALE, words or "the record was changed there meanwhile")
    if name in ("UserError", "UserWarning"):
        low = words.lower()
        if any(word in low for word in _FORBIDDEN):
            return Refused(Status.FORBIDDEN, words)
        return Refused(Status.DUPLICATE if any(word in low for word in _DUPLICATE) else Status.INVALID, words)
    return Refused(Status.SCHEMA_DRIFT, f"{name} {words}".strip())


def written(value: Any) -> Any:
    """A value as Tryton's JSON has it."""
    if isinstance(value, Decimal):
        return {"__class__": "Decimal", "decimal": str(value)}
    if isinstance(value, datetime):
        at = value.astimezone(UTC)
        parts = ("year", "month", "day", "hour", "minute", "second", "microsecond")
        return {"__class__": "datetime"} | {name: getattr(at, name) for name in parts}
    if isinstance(value, date):
        return {"__class__": "date", "year": value.year, "month": value.month, "day": value.day}
    if isinstance(value, Mapping):
        return {name: written(one) for name, one in value.items()}
    return [written(one) for one in value] if isinstance(value, list | tuple) else value


def read(value: Any) -> Any:
    """The same the other way."""
    if isinstance(value, list):
        return [read(one) for one in value]
    if not isinstance(value, dict):
        return value
    match value.get("__class__"):
        case "Decimal":
            return Decimal(value["decimal"])
        case "datetime":
            parts = ("year", "month", "day", "hour", "minute", "second", "microsecond")
            return datetime(*(value[name] for name in parts), tzinfo=UTC)  # type: ignore[misc]
        case "date":
            return date(value["year"], value["month"], value["day"])
        case _:
            return {name: read(one) for name, one in value.items()}
