"""Calls to an Odoo server, in the three ways that it has: XML-RPC and JSON-RPC (14 to 21), and JSON-2 (from 19).

Arguments are named, because JSON-2 takes no others. What an error means is told by the class of the
exception where Odoo names it, else by the number of the fault and its last line.
"""

from __future__ import annotations

import xmlrpc.client
from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from xml.parsers.expat import ExpatError

from adapters.base import Status
from adapters.errors import TargetRefuses, UnknownOutcome
from adapters.record_target import Refused, by_status
from adapters.transport import Answer, Transport

CONTEXT = {"lang": "en_US", "active_test": False}
_DRIFT = ("invalid field", "has no attribute", "keyerror", "doesn't exist", "unknown field")
_UNIQUE = ("unique", "duplicate key", "already exists")


class Wire(Protocol):
    """One way to call a method of a model."""

    def call(self, model: str, method: str, ids: Sequence[int], named: Mapping[str, Any], *, safe: bool) -> Any:
        """Its result. Raises Refused, TargetUnavailable, TargetRefuses, UnknownOutcome."""
        ...

    def version(self) -> str:
        """The server's version."""
        ...


class Odoo:
    """Models and methods over one of the wires."""

    def __init__(self, wire: Wire) -> None:
        """Nothing is called yet."""
        self.wire = wire

    def call(self, model: str, method: str, ids: Sequence[int] = (), *, safe: bool = False, **named: Any) -> Any:
        """The result of a method, on these records if any. Raises Refused, TargetUnavailable, UnknownOutcome."""
        return self.wire.call(model, method, ids, {**named, "context": CONTEXT}, safe=safe)

    def search_read(
        self, model: str, domain: Sequence[Any], fields: Sequence[str], *, limit: int = 0
    ) -> list[dict[str, Any]]:
        """Records with these fields by id, hidden ones too."""
        asked: dict[str, Any] = {"domain": list(domain), "fields": list(fields), "order": "id"}
        asked |= {"limit": limit} if limit else {}
        found: list[dict[str, Any]] = self.call(model, "search_read", safe=True, **asked)
        return found


class JsonRpc:
    """`POST /jsonrpc`; errors come with status 200."""

    def __init__(self, transport: Transport, database: str, user: str, password: str) -> None:
        """`password` may be an API key."""
        self.transport, self._database, self._user, self._password = transport, database, user, password
        self._uid: int | None = None

    def version(self) -> str:
        """As the server says it."""
        return str(self._service("common", "version", [], safe=True)["server_version"])

    def call(self, model: str, method: str, ids: Sequence[int], named: Mapping[str, Any], *, safe: bool) -> Any:
        """By `execute_kw`, signed in by number and password each time."""
        if self._uid is None:
            said = [self._database, self._user, self._password, {}]
            self._uid = self._service("common", "authenticate", said, safe=True) or None
        if self._uid is None:
            raise TargetRefuses(f"{self.transport.name} does not let {self._user} in.")
        who = [self._database, self._uid, self._password]
        return self._service(
            "object", "execute_kw", [*who, model, method, [list(ids)] if ids else [], named], safe=safe
        )

    def _service(self, service: str, method: str, arguments: Sequence[Any], *, safe: bool) -> Any:
        params = {"service": service, "method": method, "args": arguments}
        body = {"jsonrpc": "2.0", "method": "call", "params": params, "id": 1}
        answer = self.transport.call("POST", "/jsonrpc", safe=safe, json=body)
        said = answer.json()
        if answer.status != 200 or not isinstance(said, dict) or said.get("jsonrpc") != "2.0":
            raise _silent(answer, safe=safe)
        if "error" in said:
            data = said["error"].get("data") or {}
            raise meaning(str(data.get("name")), str(data.get("message") or said["error"].get("message")))
        return said.get("result")  # left out where a method gives nothing


class XmlRpc(JsonRpc):
    """`POST /xmlrpc/2/...`; errors are faults with a number."""

    def _service(self, service: str, method: str, arguments: Sequence[Any], *, safe: bool) -> Any:
        body = xmlrpc.client.dumps(tuple(arguments), method, allow_none=True).encode()
        sent = {"content": body, "headers": {"content-type": "text/xml"}}
        answer = self.transport.call("POST", f"/xmlrpc/2/{service}", safe=safe, **sent)
        if answer.status != 200:
            raise _silent(answer, safe=safe)
        try:
            return xmlrpc.client.loads(answer.body.decode(), use_builtin_types=True)[0][0]
        except xmlrpc.client.Fault as fault:
            text = fault.faultString.strip()
            if "cannot marshal None" in text:  # the method was done, and gave nothing, which Odoo cannot say here
                return None
            names = {2: "UserError", 3: "AccessError", 4: "AccessDenied"}
            last = text.splitlines()[-1] if text else ""
            raise meaning(
                names.get(fault.faultCode, last.partition(":")[0]), last if fault.faultCode == 1 else text
            ) from None
        except (ExpatError, xmlrpc.client.ResponseError, UnicodeDecodeError, ValueError):
            raise _silent(answer, safe=safe) from None


class Json2:
    """`POST /json/2/MODEL/METHOD` with an API key; errors have a status of their own."""

    def __init__(self, transport: Transport, database: str, key: str) -> None:
        """The database is named because a server may have several."""
        self.transport = transport
        self._headers = {"authorization": f"bearer {key}", "x-odoo-database": database}

    def version(self) -> str:
        """As the server says it."""
        answer = self.transport.call("GET", "/web/version", safe=True)
        said = answer.json()
        if not isinstance(said, dict) or "version" not in said:
            raise _silent(answer, safe=True)
        return str(said["version"])

    def call(self, model: str, method: str, ids: Sequence[int], named: Mapping[str, Any], *, safe: bool) -> Any:
        """Its body names the arguments."""
        body = {**named, **({"ids": list(ids)} if ids else {})}
        answer = self.transport.call("POST", f"/json/2/{model}/{method}", safe=safe, json=body, headers=self._headers)
        said = answer.json()
        if answer.status == 200 and not (said is None and answer.body.strip() != b"null"):
            return said
        if answer.status == 401:
            raise TargetRefuses(f"{self.transport.name} does not know our key.")
        if isinstance(said, dict) and said.get("name"):
            missing = answer.status == 404 and "MissingError" not in str(said["name"])
            raise meaning("KeyError" if missing else str(said["name"]), str(said.get("message")))
        raise _silent(answer, safe=safe)


def meaning(name: str, says: str) -> Refused:
    """What an exception of Odoo's means, by its class and its text."""
    kind, low = name.rpartition(".")[2], f"{name} {says}".lower()
    if kind in ("AccessError", "AccessDenied", "Forbidden"):
        return Refused(Status.FORBIDDEN, says)
    if kind == "SessionExpiredException":
        return Refused(Status.SESSION_LOST, says)
    if kind in ("SerializationFailure", "LockNotAvailable", "DeadlockDetected", "ConcurrencyError", "LockError"):
        return Refused(Status.TRANSIENT, says, code="locked")
    if any(word in low for word in _UNIQUE):
        return Refused(Status.DUPLICATE, says)
    if kind == "MissingError" or "does not exist or has been deleted" in low:
        return Refused(Status.GONE, says)
    if kind in ("KeyError", "AttributeError", "TypeError") or any(word in low for word in _DRIFT):
        return Refused(Status.SCHEMA_DRIFT, says)
    return Refused(Status.INVALID, says)


def _silent(answer: Answer, *, safe: bool) -> Refused | UnknownOutcome:
    """An answer that is not Odoo's: of a proxy in between, or of a server in trouble."""
    if answer.status == 200:
        if safe:
            return Refused(Status.TRANSIENT, "the answer is not Odoo's")
        return UnknownOutcome("the answer is not Odoo's.")
    return by_status(answer, "", wrote=not safe)
