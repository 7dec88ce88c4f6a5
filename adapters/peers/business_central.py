"""A fake Business Central: the API v2.0 of one company, with ids of the caller's, etags that must be sent, and pages.

Written from what its makers publish: a change without `If-Match` is refused, a stale one answers 409, an id that is
there already answers 400 with a code of its own, and long lists come in pages with a link to the next.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

from adapters.peers.fake import Asked, Fake, Said

SECRET = "open sesame"  # noqa: S105 (of a fake)
COMPANY = "/v2.0/tenant/production/api/v2.0/companies(5f1c3c6e-0000-4000-8000-000000000001)"
FIELDS = {
    "customers": "id number displayName type addressLine1 addressLine2 city state postalCode country phoneNumber email "
    "taxRegistrationNumber currencyCode blocked",
    "items": "id number displayName type blocked unitPrice",
    "salesInvoices": "id customerId externalDocumentNumber invoiceDate postingDate dueDate currencyCode "
    "salesInvoiceLines",
}
TAXES = {"VAT19": Decimal(19), "VAT0": Decimal(0), "": Decimal(25)}  # a line that names no code has the company's own
WIDE = {"displayName": 100, "city": 30, "postalCode": 20, "number": 20, "currencyCode": 10}
PAGE = 50  # records of one page


class Wrong(Exception):
    """What Business Central refuses."""

    def __init__(self, status: int, code: str, message: str) -> None:
        """A status, its code and its words."""
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class FakeBusinessCentral(Fake):
    """One company, whose records are `records[set][id]`."""

    def __init__(self, port: int = 0) -> None:
        """Without records."""
        super().__init__(port)
        self.records: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in FIELDS}
        self.forbidden: set[str] = set()  # sets that we may not write
        self._tokens, self._written = 0, 0

    @property
    def options(self) -> dict[str, Any]:
        """What a connection to it says."""
        return {
            "url": self.url, "tenant": "tenant", "environment": "production", "company": COMPANY[-37:-1],
            "token_url": "/token", "client_id": "hub", "client_secret": SECRET, "scope": ".default",
        }  # fmt: skip

    def end_sessions(self) -> None:
        """The token that was given runs out."""
        self._tokens += 1

    def edit(self, name: str, number: str, **values: Any) -> None:
        """Somebody changes a record there."""
        self._keep(name, number, values)

    def answer(self, asked: Asked) -> Said:
        """By its path, for whoever has the token."""
        if asked.path.strip("/") == "token":
            said = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
            known = (said.get("client_id"), said.get("client_secret"), said.get("scope")) == ("hub", SECRET, ".default")
            return (
                Said(200, {"access_token": f"token-{self._tokens}"})
                if known
                else Said(401, {"error": "invalid_client"})
            )
        try:
            if asked.headers.get("authorization") != f"Bearer token-{self._tokens}":
                raise Wrong(401, "Authentication_InvalidCredentials_Expired", "The token has expired.")
            return self._served(asked)
        except Wrong as wrong:
            return Said(wrong.status, {"error": {"code": wrong.code, "message": wrong.message}})

    def _served(self, asked: Asked) -> Said:
        if asked.path.rstrip("/") == COMPANY:
            return Said(200, {"id": COMPANY[-37:-1], "name": "CRONUS"})
        found = re.fullmatch(rf"{re.escape(COMPANY)}/(\w+)(?:\(([0-9a-f-]+)\))?(/Microsoft\.NAV\.post)?", asked.path)
        if not found or found[1] not in FIELDS:
            raise Wrong(404, "BadRequest_NotFound", f"No HTTP resource was found that matches {asked.path}.")
        name, number = found[1], found[2]
        if asked.method == "GET":
            return self._list(name, asked)
        if name in self.forbidden:
            raise Wrong(403, "Authorization_RequestDenied", f"You do not have permission to change {name}.")
        if found[3]:
            return self._post(name, number)
        body = asked.json() or {}
        self._check(name, body)
        return self._insert(name, body) if asked.method == "POST" else self._change(name, number, asked)

    def _insert(self, name: str, body: Mapping[str, Any]) -> Said:
        number = str(UUID(body["id"])) if body.get("id") else str(UUID(int=self._written + 1, version=4))
        if number in self.records[name]:
            raise Wrong(400, "Internal_EntityWithSameKeyExists", f"The record {number} already exists.")
        taken = body.get("number") and body["number"] in {one.get("number") for one in self.records[name].values()}
        if taken:
            raise Wrong(400, "Internal_EntityWithSameKeyExists", f"The number {body['number']} is taken.")
        if name == "salesInvoices":
            return Said(201, self._keep(name, number, {"id": number, "status": "Draft", **body, **self._totals(body)}))
        if not body.get("displayName"):
            raise Wrong(400, "Application_DialogException", "Name must have a value.")
        return Said(201, self._keep(name, number, {"id": number, **body}))

    def _change(self, name: str, number: str | None, asked: Asked) -> Said:
        record = self.records[name].get(str(number))
        if record is None:
            raise Wrong(404, "BadRequest_ResourceNotFound", f"The record {number} is not there.")
        match = asked.headers.get("if-match")
        if match is None:
            raise Wrong(400, "BadRequest_RequiredParamNotProvided", "If-Match is required.")
        if match not in ("*", record["@odata.etag"]):
            raise Wrong(409, "Request_EntityChanged", "Another user has already changed the record.")
        if asked.method == "DELETE":
            if record.get("status", "Draft") != "Draft":
                raise Wrong(400, "Application_DialogException", "A posted document cannot be deleted.")
            del self.records[name][str(number)]
            return Said(204)
        return Said(200, self._keep(name, str(number), asked.json()))

    def _post(self, name: str, number: str | None) -> Said:
        """A draft becomes open, under its id."""
        record = self.records[name].get(str(number))
        if record is None or record["status"] != "Draft":
            raise Wrong(400, "Application_DialogException", "There is nothing to post.")
        self._keep(name, str(number), {"status": "Open", "number": f"S-INV{self._written:06d}"})
        return Said(204)

    def _totals(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """What the company reckons."""
        if body["customerId"] not in self.records["customers"]:
            raise Wrong(400, "Application_DialogException", "The customer does not exist.")
        net = tax = Decimal(0)
        for line in body.get("salesInvoiceLines", ()):
            if line.get("lineObjectNumber") != "8400":
                raise Wrong(400, "Application_DialogException", "The G/L account does not exist.")
            amount = Decimal(str(line["quantity"])) * Decimal(str(line["unitPrice"]))
            net, tax = net + amount, tax + amount * TAXES[line.get("taxCode", "")] / 100
        return {"totalAmountIncludingTax": float(round(net + tax, 2)), "totalTaxAmount": float(round(tax, 2))}

    def _keep(self, name: str, number: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """A new etag and time with each change; what is not said yet is empty."""
        self._written += 1
        empty = {field: False if (name, field) == ("items", "blocked") else "" for field in FIELDS[name].split()}
        record = {**empty, **self.records[name].get(number, {}), **values}
        at = f"{self.tick():%Y-%m-%dT%H:%M:%S}.123Z"
        record |= {"@odata.etag": f'W/"JzE5O{self._written}"', "lastModifiedDateTime": at}
        self.records[name][number] = record
        return record

    def _check(self, name: str, body: Mapping[str, Any]) -> None:
        for field, value in body.items():
            if field not in FIELDS[name].split():
                says = f"The property '{field}' does not exist on type 'Microsoft.NAV.{name}'."
                raise Wrong(400, "BadRequest_InvalidProperty", says)
            if isinstance(value, str) and len(value) > WIDE.get(field, 250):
                raise Wrong(
                    400, "Application_StringExceededLength", f"The length of {field} is more than {WIDE[field]}."
                )
        if body.get("email") and "@" not in str(body["email"]):
            raise Wrong(400, "Application_DialogException", f"The email address {body['email']} is not valid.")

    def _list(self, name: str, asked: Asked) -> Said:
        """By id; a page of them and a link."""
        condition, after = asked.query.get("$filter", ""), asked.query.get("$skiptoken", "")
        wanted = set(re.findall(r"id eq ([0-9a-f-]+)", condition))
        since = re.search(r"lastModifiedDateTime ge (\S+)", condition)
        rows = [
            row for number, row in sorted(self.records[name].items())
            if number > after and (not wanted or number in wanted)
            and (not since or row["lastModifiedDateTime"] >= since[1].removesuffix("Z"))
        ]  # fmt: skip
        said: dict[str, Any] = {"value": rows[:PAGE]}
        if len(rows) > PAGE:
            said["@odata.nextLink"] = f"{self.url.rstrip('/')}{COMPANY}/{name}?$skiptoken={rows[PAGE - 1]['id']}"
        return Said(200, said)
