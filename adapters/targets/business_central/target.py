"""The target: records made with a `SystemId` of our own, changed under the etag that was read just before.

The id leads both ways, and a second record of the same key cannot come to be. An invoice is made as a draft,
compared with our total to the cent, then posted; a draft that must change is deleted and made anew under its id.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from adapters.base import Capabilities, Connection, Message, Status
from adapters.bearer import Bearer, fetched
from adapters.errors import ConnectionInvalid, TargetRefuses, TargetUnavailable, UnknownOutcome
from adapters.record_target import RecordTarget, Refused, Row, by_status
from adapters.targets.business_central import words
from adapters.targets.business_central.words import SETS, number, system_id
from adapters.transport import Answer, Transport, manners_of
from canonical.record import GoldenRecord

NAMED = 20  # ids named in one filter
_MEANING = {
    "Internal_EntityWithSameKeyExists": Status.DUPLICATE, "Request_EntityChanged": Status.STALE,
    "BadRequest_ResourceNotFound": Status.GONE, "BadRequest_NotFound": Status.GONE,
    "Authorization_RequestDenied": Status.FORBIDDEN, "Authentication_InvalidCredentials": Status.FORBIDDEN,
    "BadRequest_InvalidProperty": Status.SCHEMA_DRIFT, "Application_TooManyRequests": Status.THROTTLED,
}  # fmt: skip


class BusinessCentralTarget(RecordTarget):
    """One company of an environment."""

    order = ("account", "product", "invoice")
    capabilities = Capabilities(stale_guard=True, batch=50, settle=timedelta(minutes=10), changed_since=True)

    def __init__(
        self, name: str, transport: Transport, company: str, bearer: Bearer, options: Mapping[str, Any] | None = None
    ) -> None:
        """`company` is the path of the company: `/v2.0/TENANT/ENVIRONMENT/api/v2.0/companies(ID)`.

        `options`: `revenue_account`, without which no invoices are taken, and `tax_codes`, rate in percent → code.
        """
        self.name, self.transport, self.company, self.bearer = name, transport, company.rstrip("/"), bearer
        said = options or {}
        self.revenue = str(said.get("revenue_account") or "")
        self.tax_codes = {Decimal(str(rate)): str(code) for rate, code in (said.get("tax_codes") or {}).items()}
        self.entities = frozenset(SETS) if self.revenue else frozenset(SETS) - {"invoice"}

    def check(self) -> str:
        """The company. Raises TargetUnavailable or TargetRefuses."""
        try:
            said = self._call("GET", "", safe=True).json()
        except Refused as error:
            halting = error.status.halting or error.status is Status.GONE
            raise (TargetRefuses if halting else TargetUnavailable)(f"{self.name} answers: {error.says}") from error
        if not isinstance(said, dict) or "name" not in said:
            raise TargetUnavailable(f"{self.name} answers something that is no company.")
        return f"Business Central, {said['name']}"

    def render(self, golden: GoldenRecord, parents: Mapping[str, str]) -> dict[str, Any]:
        """Business Central's field names; references are golden ids."""
        if golden.entity == "invoice":
            return words.invoice(golden.values, parents)
        return (words.customer if golden.entity == "account" else words.item)(golden.values)

    def rows(self, entity: str, golden_ids: Sequence[str]) -> list[Row]:
        """By our id; one that is no golden id is not there."""
        found: list[Row] = []
        ids = [str(system_id(key)) for key in golden_ids if number(key) is not None]
        for start in range(0, len(ids), NAMED):
            named = " or ".join(f"id eq {one}" for one in ids[start : start + NAMED])
            found += [row for page in self._pages(entity, named) for row in page]
        return found

    def pages(self, entity: str, since: datetime | None) -> Iterator[list[Row]]:
        """As the server pages them."""
        if since:
            yield from self._pages(entity, f"lastModifiedDateTime ge {since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}")
            return
        for page in self._pages(entity, ""):
            yield [row for row in page if row.body.get("active", True)]

    def make(self, message: Message) -> Row:
        """Under our id."""
        if number(message.golden_id) is None:
            raise Refused(Status.INVALID, f"{message.golden_id} is no golden id", code="key")
        if message.entity == "invoice":
            return self._make_invoice(message, message.body)
        said = {name: value for name, value in words.record(message.entity, message.body).items() if value != ""}
        body = {"id": str(system_id(message.golden_id)), **said}
        return self._row(message.entity, self._call("POST", SETS[message.entity], json=body))

    def change(self, message: Message, row: Row, wanted: Mapping[str, Any]) -> Row:
        """Guarded by the etag that the row was read with."""
        path = f"{SETS[message.entity]}({row.remote_id})"
        headers = {"if-match": row.version}
        if message.entity != "invoice":
            record = words.record(message.entity, wanted)
            return self._row(message.entity, self._call("PATCH", path, json=record, headers=headers))
        if row.body["posted"]:
            raise Refused(Status.INVALID, f"invoice {row.remote_id} is posted: correct it there", code="posted")
        if message.action != "deactivate" and {**row.body, "posted": True} == {**wanted, "posted": True}:
            return self._posted(message, row, wanted)
        self._call("DELETE", path, headers=headers)
        if message.action == "deactivate":
            return row
        return self._make_invoice(message, wanted)

    def gone(self, row: Row) -> Mapping[str, Any]:
        """Blocked; an invoice that is a draft is deleted."""
        return {} if row.entity == "invoice" else {**row.body, "active": False}

    def _make_invoice(self, message: Message, wanted: Mapping[str, Any]) -> Row:
        """A draft that says what we say, posted."""
        if number(str(wanted.get("party"))) is None:
            raise Refused(Status.INVALID, "the invoice names no customer", code="party")
        body = words.draft(message.golden_id, wanted, self.revenue, self._tax_code(wanted))
        self._call("POST", SETS["invoice"], json=body)
        rows = self.rows("invoice", [message.golden_id])
        if not rows:
            raise UnknownOutcome(f"{message.golden_id} was taken, and is not found under its id yet.")
        return self._posted(message, rows[0], wanted)

    def _posted(self, message: Message, row: Row, wanted: Mapping[str, Any]) -> Row:
        """Posted, if the draft comes to our totals and is to be. Raises Refused."""
        for name in ("gross", "tax"):
            if row.body.get(name) != wanted.get(name):
                says = f"the draft makes {row.body.get(name)} of {name}, not {wanted.get(name)}; it was not posted"
                raise Refused(Status.INVALID, says, code="total")
        if not wanted.get("posted"):
            return row
        self._call("POST", f"{SETS['invoice']}({row.remote_id})/Microsoft.NAV.post")
        return self.rows("invoice", [message.golden_id])[0]

    def _tax_code(self, wanted: Mapping[str, Any]) -> str | None:
        """The code of the rate that makes the tax, up to a cent a line; None where no codes are configured."""
        lines, tax = wanted.get("lines") or (), Decimal(wanted.get("tax") or 0)
        net = sum((Decimal(one["quantity"]) * Decimal(one["price"]) for one in lines), Decimal(0))
        off = {rate: abs(net * rate / 100 - tax) for rate in self.tax_codes}
        nearest = min(off, key=lambda rate: (off[rate], rate), default=None)
        if nearest is None:
            return None
        if off[nearest] > Decimal("0.01") * max(1, len(lines)):
            says = f"no tax code makes {tax} of {net}; name one under `tax_codes` in targets.yaml"
            raise Refused(Status.INVALID, says, code="tax")
        return self.tax_codes[nearest]

    def _row(self, entity: str, answer: Answer) -> Row:
        said = answer.json()
        if not isinstance(said, dict) or "id" not in said:
            raise UnknownOutcome("the answer is not Business Central's.")
        return words.there(entity, said)

    def _pages(self, entity: str, condition: str) -> Iterator[list[Row]]:
        path: str | None = SETS[entity]
        params = {"$filter": condition} if condition else {}
        if entity == "invoice":
            params["$expand"] = "salesInvoiceLines"
        while path:
            said = self._call("GET", path, params=params, safe=True).json()
            if not isinstance(said, dict) or "value" not in said:
                raise Refused(Status.TRANSIENT, "the answer is not Business Central's")
            yield [words.there(entity, raw) for raw in said["value"]]
            path, params = said.get("@odata.nextLink"), {}

    def _call(self, method: str, path: str, *, safe: bool = False, **sent: Any) -> Answer:
        """An answer that is one. A token that has run out is fetched again once."""
        headers = sent.pop("headers", {})
        whole = path if "://" in path else f"{self.company}/{path}".rstrip("/")
        if not sent.get("params"):
            sent.pop("params", None)  # or they would be taken off the link of the next page
        for last in (False, True):
            signed = {**headers, "authorization": self.bearer.header(), "accept": "application/json"}
            answer = self.transport.call(method, whole, safe=safe, headers=signed, **sent)
            if answer.status != 401 or last:
                break
            self.bearer.renew()
        if answer.status < 300:
            return answer
        raise _refusal(answer, wrote=not safe)


def connect(made: Connection) -> BusinessCentralTarget:
    """`{kind: business_central, url, tenant, environment, company, token_url, client_id, client_secret, scope}`.

    Raises ConnectionInvalid.
    """
    options = made.options
    needed = ("url", "tenant", "environment", "company", "token_url", "client_id", "client_secret")
    missing = [word for word in needed if not options.get(word)]
    if missing:
        raise ConnectionInvalid(f"target {made.name}: `{missing[0]}` is missing.", target=made.name)
    transport = Transport(made.name, str(options["url"]), manners_of(options, rate=20, burst=100))
    path = f"/v2.0/{options['tenant']}/{options['environment']}/api/v2.0/companies({options['company']})"
    return BusinessCentralTarget(made.name, transport, path, fetched(transport, options), options)


def _refusal(answer: Answer, *, wrote: bool) -> Refused | UnknownOutcome | TargetRefuses:
    """By its own code first; a stale write is a 409 there, which elsewhere is a duplicate."""
    said = answer.json()
    error = said.get("error") if isinstance(said, dict) else None
    code, says = (str(error.get("code", "")), str(error.get("message", ""))) if isinstance(error, dict) else ("", "")
    if code in _MEANING:
        return Refused(_MEANING[code], says, code=code, wait=answer.retry_after)
    if answer.status == 401:
        return TargetRefuses(f"Business Central does not let us in: {says or 'its token is refused'}")
    if answer.status == 409:
        return Refused(Status.STALE, says or "it was changed there meanwhile")
    return by_status(answer, says, wrote=wrote)
