"""A fake NetSuite account: SuiteTalk REST with upsert by external id, SuiteQL, tokens, and governance of its calls.

Written from what its makers publish: codes in `o:errorDetails` say more than the status, a limit may come as a
400, a `PUT` to `eid:KEY` makes or changes and answers 204, and an external id stands for one record of a type.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

from adapters.peers.fake import Asked, Fake, Said

SECRET = "open sesame"  # noqa: S105 (of a fake)
FIELDS = {  # type of record → what it may have
    "customer": "companyName firstName lastName email phone isInactive isPerson subsidiary addressBook",
    "contact": "entityId firstName lastName email phone title isInactive company subsidiary",
    "serviceSaleItem": "itemId displayName isInactive",
}
NEEDED = {"customer": ("companyName", "lastName"), "contact": ("entityId",), "serviceSaleItem": ("itemId",)}
TABLES = {"customer": "customer", "contact": "contact", "item": "serviceSaleItem"}


class Wrong(Exception):
    """What NetSuite refuses."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        """A status, NetSuite's code and its words."""
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail


class FakeNetSuite(Fake):
    """One account, whose records are `records[type][number]`."""

    def __init__(self, port: int = 0) -> None:
        """Without records."""
        super().__init__(port)
        self.records: dict[str, dict[int, dict[str, Any]]] = {name: {} for name in FIELDS}
        self.wrong: list[Wrong] = []  # what the next writes are answered with
        self.forbidden: set[str] = set()  # types that the role may not write
        self._tokens = 0
        self._numbers = iter(range(101, 10**9))

    @property
    def options(self) -> dict[str, Any]:
        """What a connection to it says."""
        return {"url": self.url, "token_url": "/token", "client_id": "hub", "client_secret": SECRET}

    def end_sessions(self) -> None:
        """The token that was given runs out."""
        self._tokens += 1

    def refuse(self, status: int, code: str, detail: str = "refused") -> None:
        """Answer the next write so."""
        self.wrong.append(Wrong(status, code, detail))

    def edit(self, kind: str, number: int, **values: Any) -> None:
        """Somebody changes a record there."""
        self.records[kind][number] |= {**values, "lastModifiedDate": self._now()}

    def answer(self, asked: Asked) -> Said:
        """By its path, for whoever has the token."""
        if asked.path.strip("/") == "token":
            said = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
            if (said.get("client_id"), said.get("client_secret")) != ("hub", SECRET):
                return Said(401, {"error": "invalid_client"})
            return Said(200, {"access_token": f"token-{self._tokens}", "expires_in": 3600})
        try:
            if asked.headers.get("authorization") != f"Bearer token-{self._tokens}":
                raise Wrong(401, "INVALID_LOGIN", "Invalid login attempt.")
            return self._served(asked)
        except Wrong as wrong:
            details = [{"detail": wrong.detail, "o:errorCode": wrong.code}]
            return Said(wrong.status, {"title": "Refused", "status": wrong.status, "o:errorDetails": details})

    def _served(self, asked: Asked) -> Said:
        if asked.path.endswith("/governanceLimits"):
            return Said(200, {"accountConcurrencyLimit": 15, "accountUnallocatedConcurrencyLimit": 10})
        if asked.path.endswith("/suiteql"):
            return self._query(asked)
        found = re.fullmatch(r"/services/rest/record/v1/(\w+)/eid:(\w+)", asked.path)
        if not found or found[1] not in FIELDS or asked.method != "PUT":
            raise Wrong(404, "NONEXISTENT_RECORD_TYPE", f"Record type of {asked.path} does not exist.")
        if self.wrong:
            raise self.wrong.pop(0)
        if found[1] in self.forbidden:
            raise Wrong(403, "INSUFFICIENT_PERMISSION", f"Permission violation: you need access to {found[1]}.")
        return self._put(found[1], found[2], asked.json())

    def _put(self, kind: str, key: str, body: Mapping[str, Any]) -> Said:
        unknown = [name for name in body if name not in FIELDS[kind].split()]
        if unknown:
            raise Wrong(400, "INVALID_PROPERTY", f"Unknown reference or property {unknown[0]} in request.")
        if not any(body.get(name) for name in NEEDED[kind]):
            raise Wrong(400, "USER_ERROR", f"Please enter value(s) for: {NEEDED[kind][0]}")
        mail = body.get("email")
        if mail and "@" not in mail:
            raise Wrong(400, "INVALID_CONTENT", f"Invalid email {mail}.")
        values = dict(body)
        if values.get("company"):
            values["company"] = self._number("customer", values["company"]["externalId"])
            if values["company"] is None:
                raise Wrong(400, "INVALID_KEY_OR_REF", "Invalid company reference key.")
        number = self._number(kind, key) or next(self._numbers)
        there = self.records[kind].setdefault(number, {"externalId": key})
        there |= {**values, "lastModifiedDate": self._now()}
        return Said(204, b"", (("location", f"/services/rest/record/v1/{kind}/{number}"),))

    def _number(self, kind: str, key: str) -> int | None:
        return next((n for n, record in self.records[kind].items() if record["externalId"] == key), None)

    def _now(self) -> str:
        return f"{self.tick():%Y-%m-%dT%H:%M:%S}"

    def _query(self, asked: Asked) -> Said:
        """The one form of query that our target asks."""
        if asked.headers.get("prefer") != "transient":
            raise Wrong(400, "INVALID_HEADER", "The required request header 'Prefer' is missing.")
        text = asked.json()["q"]
        form = re.fullmatch(
            r"SELECT (.+) FROM (customer|contact|item)( LEFT JOIN .+?)? WHERE (.+) ORDER BY \2\.id", text
        )
        if not form:
            raise Wrong(400, "INVALID_PARAMETER", f"Invalid search query. Detail: {text}")
        table, limit = form[2], int(asked.query.get("limit", 1000))
        meets = [_condition(part) for part in form[4].split(" AND ")]
        rows = [
            self._row(table, number, record) for number, record in sorted(self.records[TABLES[table]].items())
            if all(one(number, record) for one in meets)
        ]  # fmt: skip
        return Said(200, {"items": rows[:limit], "hasMore": len(rows) > limit, "totalResults": len(rows)})

    def _row(self, table: str, number: int, record: Mapping[str, Any]) -> dict[str, Any]:
        """Names in small letters, yes and no as T and F, nothing for what is empty."""
        made: dict[str, Any] = {"links": [], "id": str(number), "externalid": record["externalId"]}
        made |= {name.lower(): value for name, value in record.items() if isinstance(value, str)}
        made |= {name.lower(): "T" if record.get(name) else "F" for name in ("isInactive", "isPerson")}
        made["changed"] = record["lastModifiedDate"]
        for item in record.get("addressBook", {}).get("items", ()):
            address = item["addressBookAddress"]
            made |= {name: value["id"] if name == "country" else value for name, value in address.items()}
        if table == "contact" and record.get("company"):
            made["companykey"] = self.records["customer"][record["company"]]["externalId"]
        return made


def _condition(text: str) -> Callable[[int, Mapping[str, Any]], bool]:
    """One condition of a query, as a question about a record and its number."""
    keys = set(re.findall(r"'([^']*)'", text))
    if ".externalid IN " in text:
        return lambda _, record: record["externalId"] in keys
    if ".isinactive = 'F'" in text:
        return lambda _, record: not record.get("isInactive")
    if ".lastmodifieddate >= " in text:
        since = re.findall(r"'([^']*)'", text)[0].replace(" ", "T")
        return lambda _, record: bool(record["lastModifiedDate"] >= since)
    after = re.fullmatch(r"\w+\.id > (\d+)", text)
    if not after:
        raise Wrong(400, "INVALID_PARAMETER", f"Invalid search query. Detail: {text}")
    return lambda number, _: number > int(after[1])
