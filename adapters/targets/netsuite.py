"""NetSuite as a target: customers, contacts and service items, over SuiteTalk REST.

`PUT .../eid:KEY` makes or changes a record by its external id, which is the golden id: one record has one, so
no other system may own it. Rows are read by SuiteQL. The calls of an account are counted together, over all
that speak to it: this target makes one at a time, and one that is too many pauses the connection. Nothing
guards a write against an edit there but our own comparison; NetSuite says so when two writes meet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

import orjson

from adapters.base import Capabilities, Connection, Message, Status
from adapters.bearer import Bearer, fetched
from adapters.errors import ConnectionInvalid, TargetRefuses, TargetUnavailable, UnknownOutcome
from adapters.record_target import RecordTarget, Refused, Row, by_status
from adapters.transport import Answer, Transport, manners_of
from canonical.record import GoldenRecord

RECORDS, QUERY = "/services/rest/record/v1", "/services/rest/query/v1/suiteql"
PAGE, NAMED = 500, 100  # rows of a query; keys named in one
CLOSED = frozenset({"closed", "retired", "inactive"})
TYPES = {"account": "customer", "contact": "contact", "product": "serviceSaleItem"}  # as records
TABLES = {"account": "customer", "contact": "contact", "product": "item"}  # as tables of SuiteQL
PLAIN = {  # body ← column; the same names, in small letters
    "account": ("companyName", "firstName", "lastName", "email", "phone"),
    "contact": ("entityId", "firstName", "lastName", "email", "phone", "title"),
    "product": ("itemId", "displayName"),
}
ADDRESS = ("addr1", "addr2", "city", "state", "zip", "country")
_MEANING = {  # NetSuite's codes, which say more than its statuses
    **dict.fromkeys(("CONCURRENCY_LIMIT_EXCEEDED", "REQUEST_LIMIT_EXCEEDED"), Status.THROTTLED),
    "SSS_REQUEST_LIMIT_EXCEEDED": Status.THROTTLED,
    **dict.fromkeys(("RCRD_HAS_BEEN_CHANGED", "RECORD_CHANGED"), Status.STALE),
    **dict.fromkeys(("DUP_RCRD", "DUP_ITEM", "UNIQUE_CUST_ID_REQD", "DUP_ENTITY"), Status.DUPLICATE),
    **dict.fromkeys(("INSUFFICIENT_PERMISSION", "PERMISSION_VIOLATION"), Status.FORBIDDEN),
    **dict.fromkeys(("INVALID_PROPERTY", "NONEXISTENT_FIELD", "INVALID_FIELD"), Status.SCHEMA_DRIFT),
    **dict.fromkeys(("NONEXISTENT_ID", "RCRD_DSNT_EXIST"), Status.GONE),
}  # fmt: skip


class NetSuiteTarget(RecordTarget):
    """One account."""

    entities, order = frozenset(TYPES), ("account", "contact", "product")
    capabilities = Capabilities(
        native_upsert=True, stale_guard=True, batch=50, settle=timedelta(minutes=15), changed_since=True
    )

    def __init__(self, name: str, transport: Transport, bearer: Bearer, subsidiary: Any = None) -> None:
        """`subsidiary`: the number of ours that sells, where NetSuite has several."""
        self.name, self.transport, self.bearer, self.subsidiary = name, transport, bearer, subsidiary

    def check(self) -> str:
        """How many calls at once the account is allowed. Raises TargetUnavailable or TargetRefuses."""
        try:
            said = self._call("GET", "/services/rest/system/v1/governanceLimits", safe=True).json()
        except Refused as error:
            halting = error.status.halting
            raise (TargetRefuses if halting else TargetUnavailable)(f"{self.name} answers: {error.says}") from error
        return f"NetSuite, {(said or {}).get('accountConcurrencyLimit', 'unknown')} calls at once"

    def render(self, golden: GoldenRecord, parents: Mapping[str, str]) -> dict[str, Any]:
        """NetSuite's field names; references are golden ids."""
        return _RENDER[golden.entity](golden.values, parents)

    def rows(self, entity: str, golden_ids: Sequence[str]) -> list[Row]:
        """By external id."""
        found: list[Row] = []
        for start in range(0, len(golden_ids), NAMED):
            named = ", ".join(_text(key) for key in golden_ids[start : start + NAMED])
            found += self._query(entity, f"{TABLES[entity]}.externalid IN ({named})")
        return found

    def pages(self, entity: str, since: datetime | None) -> Iterator[list[Row]]:
        """By number, each page after the last row of the one before."""
        table, after = TABLES[entity], 0
        limit = f"{table}.isinactive = 'F'"
        if since:
            at = f"{since.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
            limit = f"{table}.lastmodifieddate >= TO_DATE('{at}', 'YYYY-MM-DD HH24:MI:SS')"
        while rows := self._query(entity, f"{limit} AND {table}.id > {after}"):
            after = int(rows[-1].remote_id)
            yield rows

    def make(self, message: Message) -> Row:
        """By upsert: should it have been made meanwhile, it is changed."""
        return self._put(message, message.body)

    def change(self, message: Message, row: Row, wanted: Mapping[str, Any]) -> Row:  # noqa: ARG002
        """By the same upsert."""
        return self._put(message, wanted)

    def _put(self, message: Message, wanted: Mapping[str, Any]) -> Row:
        entity, key = message.entity, message.golden_id
        replace = {"replace": "addressBook"} if entity == "account" else {}
        path, sent = f"{RECORDS}/{TYPES[entity]}/eid:{key}", _record(entity, wanted, self.subsidiary)
        self._call("PUT", path, json=sent, params=replace)
        rows = self.rows(entity, [key])
        if not rows:
            raise UnknownOutcome(f"{key} was taken, and is not found under its key yet.")
        return rows[0]

    def _query(self, entity: str, condition: str) -> list[Row]:
        table = TABLES[entity]
        columns = [f"{table}.{name}" for name in ("id", "externalid", "isinactive", *map(str.lower, PLAIN[entity]))]
        columns.append(f"TO_CHAR({table}.lastmodifieddate, 'YYYY-MM-DD\"T\"HH24:MI:SS') AS changed")
        joined = ""
        if entity == "account":
            columns += ["customer.isperson", *(f"address.{name}" for name in ADDRESS)]
            joined = " LEFT JOIN EntityAddress address ON address.nkey = customer.defaultbillingaddress"
        if entity == "contact":
            columns.append("company.externalid AS companykey")
            joined = " LEFT JOIN customer company ON company.id = contact.company"
        said_of = f"FROM {table}{joined} WHERE {condition} ORDER BY {table}.id"
        asked = f"SELECT {', '.join(columns)} {said_of}"
        answer = self._call(
            "POST", QUERY, json={"q": asked}, headers={"prefer": "transient"}, params={"limit": str(PAGE)}, safe=True
        )
        said = answer.json()
        if not isinstance(said, dict) or "items" not in said:
            raise Refused(Status.TRANSIENT, "the answer is not NetSuite's")
        return [_row(entity, raw) for raw in said["items"]]

    def _call(self, method: str, path: str, *, safe: bool = False, **sent: Any) -> Answer:
        """An answer that is one. A token that has run out is fetched again once."""
        headers = sent.pop("headers", {})
        for last in (False, True):
            signed = {**headers, "authorization": self.bearer.header(), "accept": "application/json"}
            answer = self.transport.call(method, path, safe=safe, headers=signed, **sent)
            if answer.status == 401 and not last:
                self.bearer.renew()
                continue
            break
        if answer.status == 204 or (answer.status < 300 and safe):
            return answer
        raise _refusal(answer, wrote=not safe)


def connect(made: Connection) -> NetSuiteTarget:
    """`{kind: netsuite, url, token_url, client_id, client_secret, refresh_token, subsidiary}`.

    Raises ConnectionInvalid.
    """
    options = made.options
    missing = [word for word in ("url", "token_url", "client_id", "client_secret") if not options.get(word)]
    if missing:
        raise ConnectionInvalid(f"target {made.name}: `{missing[0]}` is missing.", target=made.name)
    transport = Transport(made.name, str(options["url"]), manners_of(options))
    return NetSuiteTarget(made.name, transport, fetched(transport, options), options.get("subsidiary"))


def _refusal(answer: Answer, *, wrote: bool) -> Refused | UnknownOutcome | TargetRefuses:
    """By NetSuite's own code first."""
    said = answer.json()
    details = (said.get("o:errorDetails") or [{}]) if isinstance(said, dict) else [{}]
    code, says = str(details[0].get("o:errorCode", "")), str(details[0].get("detail", ""))
    if code in _MEANING:
        return Refused(_MEANING[code], says, code=code.lower(), wait=answer.retry_after)
    if answer.status == 401:
        return TargetRefuses(f"NetSuite does not let us in: {says or 'its token is refused'}")
    if answer.status < 300:
        return UnknownOutcome(
            f"NetSuite answers {answer.status} to a write, which is not what it says when it is done."
        )
    return by_status(answer, says, wrote=wrote)


def _row(entity: str, raw: Mapping[str, Any]) -> Row:
    body = _there(entity, raw)
    digest = blake2b(orjson.dumps(body, option=orjson.OPT_SORT_KEYS), digest_size=6).hexdigest()
    stamp = str(raw.get("changed") or "")
    changed = datetime.fromisoformat(stamp).replace(tzinfo=UTC) if stamp else None
    return Row(entity, raw.get("externalid"), str(raw["id"]), body, f"{stamp}/{digest}", raw, changed)


def _there(entity: str, raw: Mapping[str, Any]) -> dict[str, Any]:
    """A row of SuiteQL in the words of `render`."""
    made: dict[str, Any] = {
        "document": f"netsuite.{TYPES[entity]}",
        **{name: raw.get(name.lower()) for name in PLAIN[entity]},
    }
    made["active"] = raw.get("isinactive") != "T"
    if entity == "account":
        made |= {"isPerson": raw.get("isperson") == "T", **{name: raw.get(name) for name in ADDRESS}}
    if entity == "contact":
        made["company"] = raw.get("companykey")
    return _filled(made)


def _record(entity: str, body: Mapping[str, Any], subsidiary: Any) -> dict[str, Any]:
    """The body as a record; what it does not say is emptied."""
    made: dict[str, Any] = {name: body.get(name) for name in PLAIN[entity]}
    made["isInactive"] = not body.get("active", True)
    if subsidiary is not None and entity != "product":
        made["subsidiary"] = {"id": str(subsidiary)}
    if entity == "account":
        address = {name: body[name] for name in ADDRESS if name in body and name != "country"}
        if body.get("country"):
            address["country"] = {"id": body["country"]}
        made["isPerson"] = bool(body.get("isPerson"))
        made["addressBook"] = {"items": [{"defaultBilling": True, "addressBookAddress": address}] if address else []}
    if entity == "contact" and body.get("company"):
        made["company"] = {"externalId": body["company"]}
    return made


def _customer(values: Mapping[str, Any], parents: Mapping[str, str]) -> dict[str, Any]:  # noqa: ARG001
    address, person = values.get("billing_address") or {}, values.get("kind") == "person"
    name = values.get("legal_name") or values.get("trading_name")
    who = {"firstName": values.get("given_name"), "lastName": values.get("family_name")} if person else {}
    return _filled({
        "document": "netsuite.customer", "isPerson": person, "companyName": None if person else name, **who,
        "email": values.get("email"), "phone": values.get("phone"), "active": values.get("status") not in CLOSED,
        "addr1": address.get("line1"), "addr2": address.get("line2"), "city": address.get("city"),
        "state": address.get("region"), "zip": address.get("postcode"), "country": address.get("country"),
    })  # fmt: skip


def _person(values: Mapping[str, Any], parents: Mapping[str, str]) -> dict[str, Any]:
    parts = " ".join(part for part in (values.get("given_name"), values.get("family_name")) if part)
    return _filled({
        "document": "netsuite.contact", "entityId": values.get("full_name") or parts or values.get("email"),
        "firstName": values.get("given_name"), "lastName": values.get("family_name"), "email": values.get("email"),
        "phone": values.get("phone"), "title": values.get("job_title"), "company": parents.get("account"),
        "active": values.get("status") not in CLOSED,
    })  # fmt: skip


def _item(values: Mapping[str, Any], parents: Mapping[str, str]) -> dict[str, Any]:  # noqa: ARG001
    return _filled({
        "document": "netsuite.serviceSaleItem", "itemId": values.get("sku"), "displayName": values.get("name"),
        "active": values.get("status") not in CLOSED,
    })  # fmt: skip


def _filled(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, "")}


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


_RENDER = {"account": _customer, "contact": _person, "product": _item}
