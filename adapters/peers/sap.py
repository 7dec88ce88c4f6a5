"""A fake SAP Gateway with the business partner service, strict where a lenient one hides mistakes.

A token is worth something with the cookies it came with only, and until the session ends; a write without
`If-Match` is refused, a stale one too; address numbers are SAP's to give; a changeset is done whole or not.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import orjson

from adapters.peers.fake import Asked, Fake, Said
from adapters.peers.sap_filter import holds

SECRET = "open sesame"  # noqa: S105 (of a fake)
SERVICE = "/sap/opu/odata/sap/API_BUSINESS_PARTNER"
_OWN = (
    "BusinessPartner BusinessPartnerCategory BusinessPartnerGrouping OrganizationBPName1 OrganizationBPName2 Customer "
    "OrganizationBPName3 OrganizationBPName4 FirstName LastName BusinessPartnerIsBlocked LastChangeDate LastChangeTime "
    "LastChangedByUser"
)
SETS: dict[str, tuple[tuple[str, ...], str]] = {  # set → its keys, its fields
    "A_BusinessPartner": (("BusinessPartner",), _OWN),
    "A_BusinessPartnerAddress": (
        ("BusinessPartner", "AddressID"),
        "BusinessPartner AddressID StreetName StreetSuffixName CityName PostalCode Region Country",
    ),
    "A_BusinessPartnerTaxNumber": (
        ("BusinessPartner", "BPTaxType"), "BusinessPartner BPTaxType BPTaxNumber BPTaxLongNumber",
    ),
    "A_BuPaIdentification": (
        ("BusinessPartner", "BPIdentificationType", "BPIdentificationNumber"),
        "BusinessPartner BPIdentificationType BPIdentificationNumber",
    ),
    "A_BusinessPartnerRole": (("BusinessPartner", "BusinessPartnerRole"), "BusinessPartner BusinessPartnerRole"),
}  # fmt: skip
PARTS = {
    "to_BusinessPartnerAddress": "A_BusinessPartnerAddress", "to_BusinessPartnerTax": "A_BusinessPartnerTaxNumber",
    "to_BuPaIdentification": "A_BuPaIdentification", "to_BusinessPartnerRole": "A_BusinessPartnerRole",
}  # fmt: skip
WIDE = {
    "BusinessPartner": 10,
    "StreetName": 60,
    "CityName": 40,
    "PostalCode": 10,
    "Region": 3,
    "Country": 3,
    "BPTaxNumber": 20,
}

Request = tuple[str, str, Mapping[str, str], Any]  # method, path, headers, body


class Wrong(Exception):
    """What the Gateway refuses."""

    def __init__(self, status: int, says: str, headers: tuple[tuple[str, str], ...] = ()) -> None:
        """An HTTP status, SAP's words, and more headers."""
        super().__init__(says)
        self.status, self.says, self.headers = status, says, headers


class FakeSap(Fake):
    """One client of a system."""

    def __init__(self, user: str = "HUB", password: str = SECRET, *, port: int = 0) -> None:
        """Without partners; numbers start at 1000001."""
        super().__init__(port)
        self.user, self.password = user, password
        self.sets: dict[str, dict[tuple[str, ...], dict[str, Any]]] = {name: {} for name in SETS}
        self.locked: set[str] = set()  # partners that somebody has open
        self.readonly = False
        self._numbers = iter(range(1000001, 10000000))
        self._sessions: dict[str, str] = {}  # cookie → token

    @property
    def options(self) -> dict[str, Any]:
        """What a connection to it says."""
        return {"url": self.url, "user": self.user, "password": self.password}

    def end_sessions(self) -> None:
        """As after the time-out of a session: cookies and tokens are worth nothing any more."""
        self._sessions.clear()

    def edit(self, number: str, **values: Any) -> None:
        """Somebody changes a partner there."""
        self.sets["A_BusinessPartner"][(number,)] |= values
        self._touch(number, "CLERK")

    def answer(self, asked: Asked) -> Said:
        """As the Gateway does: signed in, then with a token for what writes."""
        known = "Basic " + b64encode(f"{self.user}:{self.password}".encode()).decode()
        if asked.headers.get("authorization") != known:
            return Said(401, b"<html>Logon failed</html>")
        if not asked.path.startswith(SERVICE):
            return Said(404, b"<html>no such service</html>")
        path = asked.path.removeprefix(SERVICE).strip("/")
        try:
            if asked.method == "GET":
                return self._read(path, asked)
            self._guard(asked)
            if path == "$batch":
                return self._batch(asked)
            return self._whole([(asked.method, path, asked.headers, asked.json())])[0]
        except Wrong as wrong:
            return Said(wrong.status, _error(wrong), (("content-type", "application/json"), *wrong.headers))

    def _read(self, path: str, asked: Asked) -> Said:
        headers: tuple[tuple[str, str], ...] = (("content-type", "application/json"),)
        if asked.headers.get("x-csrf-token", "").lower() == "fetch":
            session = f"S{len(self.calls)}"
            self._sessions[session] = f"T{len(self.calls)}"
            cookies = (f"SAP_SESSIONID_FAKE={session}; path=/", f"sap-usercontext=c-{session}; path=/")
            headers += (*(("set-cookie", one) for one in cookies), ("x-csrf-token", self._sessions[session]))
        if not path:
            return Said(200, {"d": {"EntitySets": list(SETS)}}, headers)
        if path not in SETS:
            raise Wrong(404, f"Resource not found for segment '{path}'.")
        condition = asked.query.get("$filter", "")
        rows = [row for _, row in sorted(self.sets[path].items()) if not condition or holds(condition, row)]
        rows = rows[: int(asked.query.get("$top", len(rows)))]
        parts = [part for part in asked.query.get("$expand", "").split(",") if part]
        return Said(200, {"d": {"results": [self._shown(path, row, parts) for row in rows]}}, headers)

    def _guard(self, asked: Asked) -> None:
        """The token with its cookies, both of them."""
        cookies = dict(part.strip().split("=", 1) for part in asked.headers.get("cookie", "").split(";") if "=" in part)
        session = cookies.get("SAP_SESSIONID_FAKE", "")
        token = self._sessions.get(session)
        if (
            token is None
            or token != asked.headers.get("x-csrf-token")
            or cookies.get("sap-usercontext") != f"c-{session}"
        ):
            raise Wrong(403, "CSRF token validation failed", (("x-csrf-token", "Required"),))
        if self.readonly:
            raise Wrong(403, "You are not authorized to change business partners")

    def _write(self, method: str, path: str, headers: Mapping[str, str], body: Any) -> Said:
        if method == "POST":
            return Said(201, {"d": self._insert(path, dict(body or {}))})
        name, key = self._key(path)
        row = self.sets[name].get(key)
        if row is None:
            raise Wrong(404, f"Resource {path} does not exist")
        if key[0] in self.locked:
            raise Wrong(423, f"Business partner {key[0]} is locked by user CLERK")
        match = headers.get("if-match")
        if match is None:
            raise Wrong(428, "Precondition required")
        if match not in ("*", row.get("ETag")):
            raise Wrong(412, "Precondition failed")
        if method == "DELETE":
            del self.sets[name][key]
        else:
            self._check(name, body)
            row |= body
        self._touch(key[0], self.user)
        return Said(204)

    def _insert(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        if name not in SETS:
            raise Wrong(404, f"Resource not found for segment '{name}'.")
        parts = {PARTS[part]: body.pop(part) for part in list(body) if part in PARTS and name == "A_BusinessPartner"}
        self._check(name, body)
        if name == "A_BusinessPartner":
            if not body.get("OrganizationBPName1") and not body.get("LastName"):
                raise Wrong(400, "Enter a name for the business partner")
            body = {"BusinessPartner": str(next(self._numbers)), "BusinessPartnerIsBlocked": False, **body}
        if name == "A_BusinessPartnerAddress":
            if not body.get("Country"):
                raise Wrong(400, "Country is required in an address")
            body["AddressID"] = str(next(self._numbers))
        key = tuple(str(body.get(field, "")) for field in SETS[name][0])
        if key in self.sets[name]:
            raise Wrong(409, f"{name} {key} exists already")
        self.sets[name][key] = body
        for part, held in parts.items():
            for one in held:
                self._insert(part, {"BusinessPartner": key[0], **one})
        if name == "A_BusinessPartnerRole" and body["BusinessPartnerRole"].startswith("FLCU"):
            self.sets["A_BusinessPartner"][key[:1]]["Customer"] = key[0]
        self._touch(key[0], self.user)
        return self._shown(name, body, [])

    def _check(self, name: str, body: Mapping[str, Any]) -> None:
        for field, value in body.items():
            if field not in SETS[name][1].split():
                raise Wrong(400, f"Property '{field}' is invalid")
            if isinstance(value, str) and len(value) > WIDE.get(field, 60):
                raise Wrong(400, f"Value of property '{field}' is longer than {WIDE.get(field, 60)}")
        number = str(body.get("BPTaxNumber", ""))
        if number and not any(letter.isdigit() for letter in number):
            raise Wrong(400, f"Tax number {number} is not valid")

    def _touch(self, number: str, user: str) -> None:
        """A change of any part changes the partner."""
        now = self.tick()
        day = datetime(now.year, now.month, now.day, tzinfo=UTC)
        self.sets["A_BusinessPartner"][(number,)] |= {
            "ETag": f"W/\"datetimeoffset'{now:%Y-%m-%dT%H:%M:%S}Z'\"", "LastChangedByUser": user,
            "LastChangeDate": f"/Date({int(day.timestamp() * 1000)})/",
            "LastChangeTime": f"PT{now.hour:02}H{now.minute:02}M{now.second:02}S",
        }  # fmt: skip

    def _shown(self, name: str, row: Mapping[str, Any], parts: list[str]) -> dict[str, Any]:
        initial = dict.fromkeys(SETS[name][1].split(), "")
        shown = {**initial, **{field: value for field, value in row.items() if field != "ETag"}}
        shown["__metadata"] = {"type": name, **({"etag": row["ETag"]} if "ETag" in row else {})}
        for part in parts:
            own = [one for key, one in sorted(self.sets[PARTS[part]].items()) if key[0] == row["BusinessPartner"]]
            shown[part] = {"results": [self._shown(PARTS[part], one, []) for one in own]}
        return shown

    def _key(self, path: str) -> tuple[str, tuple[str, ...]]:
        name, _, said = unquote(path).partition("(")
        if name not in SETS:
            raise Wrong(404, f"Resource not found for segment '{name}'.")
        values = [value.replace("''", "'") for value in re.findall(r"'((?:[^']|'')*)'", said)]
        return name, tuple(values)

    def _batch(self, asked: Asked) -> Said:
        """One changeset."""
        try:
            said = [_part(one.status, one.body) for one in self._whole(_requests(asked.body))]
            inner = b"".join(b"--changes\r\n" + part for part in said) + b"--changes--\r\n"
            content = b"Content-Type: multipart/mixed; boundary=changes\r\n\r\n" + inner
        except Wrong as wrong:
            content = _part(wrong.status, _error(wrong))
        body = b"--answer\r\n" + content + b"--answer--\r\n"
        return Said(202, body, (("content-type", "multipart/mixed; boundary=answer"),))

    def _whole(self, requests: Sequence[Request]) -> list[Said]:
        """All of it; what is refused undoes the rest. Raises Wrong."""
        saved = {name: {key: dict(row) for key, row in rows.items()} for name, rows in self.sets.items()}
        try:
            return [self._write(*one) for one in requests]
        except Wrong:
            self.sets = saved
            raise


def _requests(body: bytes) -> list[Request]:
    """Method, path, headers and body of each request in a changeset."""
    found: list[Request] = []
    for part in re.split(rb"\r\n--changeset_1(?:--)?\r\n", body):
        head, _, rest = part.partition(b"\r\n\r\n")
        start = re.match(rb"(POST|PATCH|MERGE|DELETE) (\S+) HTTP/1\.1\r\n", rest)
        if b"application/http" in head and start:
            lines, _, content = rest[start.end() :].partition(b"\r\n\r\n")
            pairs = (line.split(": ", 1) for line in lines.decode().split("\r\n") if ": " in line)
            headers = {name.lower(): value for name, value in pairs}
            length = int(headers.get("content-length", 0))
            found.append(
                (start[1].decode(), start[2].decode(), headers, orjson.loads(content[:length]) if length else None)
            )
    return found


def _part(status: int, body: Any) -> bytes:
    content = orjson.dumps(body) if body else b""
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n".encode()
    return b"Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n" + head + content + b"\r\n"


def _error(wrong: Wrong) -> dict[str, Any]:
    return {"error": {"code": f"FAKE/{wrong.status}", "message": {"lang": "en", "value": wrong.says}}}
