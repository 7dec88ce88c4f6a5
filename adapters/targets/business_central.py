"""Dynamics 365 Business Central as a target: customers and items, over its API v2.0.

A record is made with a `SystemId` of our own: the golden id's 80 bits in a UUID of version 8 (RFC 9562), with a
mark, so that the id leads both ways and a second record of the same key cannot come to be. Each change carries
the `@odata.etag` that was read just before, without which Business Central takes none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from adapters.base import Capabilities, Connection, Message, Status
from adapters.bearer import Bearer, fetched
from adapters.errors import ConnectionInvalid, TargetRefuses, TargetUnavailable, UnknownOutcome
from adapters.record_target import RecordTarget, Refused, Row, by_status
from adapters.transport import Answer, Manners, Transport
from canonical.record import GoldenRecord

NAMED = 20  # ids named in one filter
CLOSED = frozenset({"closed", "retired"})
SETS = {"account": "customers", "product": "items"}
PREFIXES = {"account": "acc", "product": "prd"}
FIELDS = {
    "account": (
        "displayName", "type", "addressLine1", "addressLine2", "city", "state", "postalCode", "country", "phoneNumber",
        "email", "taxRegistrationNumber", "currencyCode",
    ),
    "product": ("number", "displayName", "type"),
}  # fmt: skip
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MARK = 0xC0C02D  # in the last 42 bits of an id of ours
_BLANK = (" ", "", "_x0020_", None)  # how `blocked` says that nothing is
_MEANING = {
    "Internal_EntityWithSameKeyExists": Status.DUPLICATE, "Request_EntityChanged": Status.STALE,
    "BadRequest_ResourceNotFound": Status.GONE, "BadRequest_NotFound": Status.GONE,
    "Authorization_RequestDenied": Status.FORBIDDEN, "Authentication_InvalidCredentials": Status.FORBIDDEN,
    "BadRequest_InvalidProperty": Status.SCHEMA_DRIFT, "Application_TooManyRequests": Status.THROTTLED,
}  # fmt: skip


class BusinessCentralTarget(RecordTarget):
    """One company of an environment."""

    entities, order = frozenset(SETS), ("account", "product")
    capabilities = Capabilities(stale_guard=True, batch=50, settle=timedelta(minutes=10), changed_since=True)

    def __init__(self, name: str, transport: Transport, company: str, bearer: Bearer) -> None:
        """`company` is the path of the company: `/v2.0/TENANT/ENVIRONMENT/api/v2.0/companies(ID)`."""
        self.name, self.transport, self.company, self.bearer = name, transport, company.rstrip("/"), bearer

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

    def render(self, golden: GoldenRecord, parents: Mapping[str, str]) -> dict[str, Any]:  # noqa: ARG002
        """Business Central's field names."""
        return (_customer if golden.entity == "account" else _item)(golden.values)

    def rows(self, entity: str, golden_ids: Sequence[str]) -> list[Row]:
        """By our id; one that is no golden id is not there."""
        found: list[Row] = []
        ids = [str(system_id(key)) for key in golden_ids if _number(key) is not None]
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
            yield [row for row in page if row.body["active"]]

    def make(self, message: Message) -> Row:
        """Under our id."""
        if _number(message.golden_id) is None:
            raise Refused(Status.INVALID, f"{message.golden_id} is no golden id", code="key")
        said = {name: value for name, value in _record(message.entity, message.body).items() if value != ""}
        body = {"id": str(system_id(message.golden_id)), **said}
        return self._row(message.entity, self._call("POST", SETS[message.entity], json=body))

    def change(self, message: Message, row: Row, wanted: Mapping[str, Any]) -> Row:
        """Guarded by the etag that the row was read with."""
        path = f"{SETS[message.entity]}({row.remote_id})"
        headers = {"if-match": str(row.raw.get("@odata.etag"))}
        return self._row(
            message.entity, self._call("PATCH", path, json=_record(message.entity, wanted), headers=headers)
        )

    def _row(self, entity: str, answer: Answer) -> Row:
        said = answer.json()
        if not isinstance(said, dict) or "id" not in said:
            raise UnknownOutcome("the answer is not Business Central's.")
        return _read(entity, said)

    def _pages(self, entity: str, condition: str) -> Iterator[list[Row]]:
        path: str | None = SETS[entity]
        params = {"$filter": condition} if condition else {}
        while path:
            said = self._call("GET", path, params=params, safe=True).json()
            if not isinstance(said, dict) or "value" not in said:
                raise Refused(Status.TRANSIENT, "the answer is not Business Central's")
            yield [_read(entity, raw) for raw in said["value"]]
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
    transport = Transport(made.name, str(options["url"]), options.get("manners") or Manners())
    path = f"/v2.0/{options['tenant']}/{options['environment']}/api/v2.0/companies({options['company']})"
    return BusinessCentralTarget(made.name, transport, path, fetched(transport, options))


def system_id(golden_id: str) -> UUID:
    """The `SystemId` of a golden record: 80 bits of its id, version and variant, and our mark. Raises ValueError."""
    number = _number(golden_id)
    if number is None:
        raise ValueError(f"{golden_id!r} is no golden id")
    high, middle, low = number >> 32, (number >> 20) & 0xFFF, number & 0xFFFFF
    return UUID(int=high << 80 | 8 << 76 | middle << 64 | 2 << 62 | low << 42 | _MARK)


def golden_id(entity: str, number: UUID) -> str | None:
    """The golden id behind a `SystemId`; None if it is not ours."""
    value = number.int
    if number.version != 8 or value & ((1 << 42) - 1) != _MARK:
        return None
    bits = (value >> 80) << 32 | ((value >> 64) & 0xFFF) << 20 | (value >> 42) & 0xFFFFF
    return f"{PREFIXES[entity]}_" + "".join(_LETTERS[(bits >> shift) & 31] for shift in range(75, -1, -5))


def _number(golden: str) -> int | None:
    letters = golden.partition("_")[2]
    if len(letters) != 16 or not set(letters) <= set(_LETTERS):
        return None
    number = 0
    for letter in letters:
        number = number << 5 | _LETTERS.index(letter)
    return number


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


def _read(entity: str, raw: Mapping[str, Any]) -> Row:
    body: dict[str, Any] = {"document": SETS[entity], **{name: raw.get(name) for name in FIELDS[entity]}}
    blocked = raw.get("blocked")
    body["active"] = blocked in _BLANK if entity == "account" else not blocked
    changed = datetime.fromisoformat(str(raw["lastModifiedDateTime"]))
    key = golden_id(entity, UUID(str(raw["id"])))
    return Row(entity, key, str(raw["id"]), _filled(body), str(raw.get("@odata.etag")), raw, changed)


def _record(entity: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """The body as a record; what it does not say is emptied."""
    active = bool(body.get("active", True))
    made = {name: body.get(name, "") for name in FIELDS[entity]}
    return {**made, "blocked": (" " if active else "All") if entity == "account" else not active}


def _customer(values: Mapping[str, Any]) -> dict[str, Any]:
    address, tax = values.get("billing_address") or {}, values.get("tax_id") or {}
    person = " ".join(part for part in (values.get("given_name"), values.get("family_name")) if part)
    name = values.get("legal_name") or values.get("trading_name") or person
    return _filled({
        "document": "customers", "displayName": str(name)[:100], "active": values.get("status") not in CLOSED,
        "type": "Person" if values.get("kind") == "person" else "Company",
        "addressLine1": address.get("line1"), "addressLine2": address.get("line2"), "city": address.get("city"),
        "state": address.get("region"), "postalCode": address.get("postcode"), "country": address.get("country"),
        "phoneNumber": values.get("phone"), "email": values.get("email"), "taxRegistrationNumber": tax.get("number"),
        "currencyCode": values.get("currency"),
    })  # fmt: skip


def _item(values: Mapping[str, Any]) -> dict[str, Any]:
    return _filled({
        "document": "items", "number": values.get("sku"), "type": "Service",
        "displayName": str(values.get("name") or values.get("sku"))[:100], "active": values.get("status") not in CLOSED,
    })  # fmt: skip


def _filled(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, "")}
