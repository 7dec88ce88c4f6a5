"""The target: business partners found by an identification number of ours, made whole, changed in one changeset.

The golden id stands as an identification of a type of its own (`HUB`): the partner's one field for external
systems may be another system's. For each part of a partner, what is there decides whether it is made or changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

import orjson

from adapters.base import Capabilities, Connection, Message
from adapters.bearer import fetched
from adapters.errors import ConnectionInvalid, TargetRefuses, TargetUnavailable
from adapters.record_target import RecordTarget, Refused, Row
from adapters.targets.sap import words
from adapters.targets.sap.gateway import Change, Gateway
from adapters.transport import Transport, manners_of
from canonical.record import GoldenRecord

SERVICE = "/sap/opu/odata/sap/API_BUSINESS_PARTNER"
PAGE, NAMED = 200, 40  # partners read in one call; keys named in one filter
_PARTS = "to_BusinessPartnerAddress,to_BusinessPartnerTax,to_BuPaIdentification"


class SapTarget(RecordTarget):
    """One client of an S/4HANA system."""

    entities, order = frozenset({"account"}), ("account",)
    capabilities = Capabilities(stale_guard=True, batch=50, settle=timedelta(minutes=5), changed_since=True)

    def __init__(self, name: str, gateway: Gateway, options: Mapping[str, Any] | None = None) -> None:
        """`options`: `identification_type`, `role`, `grouping`, `tax_types` (country → SAP's kind of number)."""
        said = options or {}
        self.name, self.gateway = name, gateway
        self.identification = str(said.get("identification_type", "HUB"))
        self.role, self.grouping = str(said.get("role", "FLCU01")), said.get("grouping")
        self.tax_types: Mapping[str, str] = said.get("tax_types") or {}

    def check(self) -> str:
        """The service, and whether it has partners. Raises TargetUnavailable or TargetRefuses."""
        try:
            found = self.gateway.get("A_BusinessPartner", select="BusinessPartner", top="1")
        except Refused as error:
            halting = error.status.halting
            raise (TargetRefuses if halting else TargetUnavailable)(f"{self.name} answers: {error.says}") from error
        return f"SAP business partners at {self.gateway.service}: {'some' if found else 'none'}"

    def render(self, golden: GoldenRecord, parents: Mapping[str, str]) -> dict[str, Any]:  # noqa: ARG002
        """A business partner, flat, in SAP's field names."""
        return words.partner(golden, self.tax_types)

    def rows(self, entity: str, golden_ids: Sequence[str]) -> list[Row]:  # noqa: ARG002 (there is one)
        """By our identification."""
        numbers: dict[str, None] = {}
        for some in _chunks(golden_ids):
            ours = f"BPIdentificationType eq {_text(self.identification)}"
            named = " or ".join(f"BPIdentificationNumber eq {_text(key)}" for key in some)
            found = self.gateway.get("A_BuPaIdentification", filter=f"{ours} and ({named})")
            numbers |= dict.fromkeys(str(one["BusinessPartner"]) for one in found)
        return self._partners(list(numbers))

    def pages(self, entity: str, since: datetime | None) -> Iterator[list[Row]]:  # noqa: ARG002
        """By number; partners that are no customers and not ours are passed over."""
        after, changed = "", ""
        if since:
            changed = f" and LastChangeDate ge datetime'{since.astimezone(UTC):%Y-%m-%dT00:00:00}'"
        while True:
            asked = f"BusinessPartner gt {_text(after)}{changed}"
            found = self.gateway.get(
                "A_BusinessPartner", filter=asked, orderby="BusinessPartner", top=str(PAGE), expand=_PARTS
            )
            if not found:
                return
            after = str(found[-1]["BusinessPartner"])
            rows = [row for row in map(self._row, found) if row.golden_id or row.raw.get("Customer")]
            yield [
                row for row in rows
                if (since is None and not row.body["BusinessPartnerIsBlocked"])
                or (since is not None and (row.changed_at is None or row.changed_at >= since))
            ]  # fmt: skip

    def make(self, message: Message) -> Row:
        """With its address, role, numbers and our identification, in one call."""
        body = message.body
        own = {name: body[name] for name in (*words.OWN, "BusinessPartnerCategory") if name in body}
        number = {"BPIdentificationType": self.identification, "BPIdentificationNumber": message.golden_id}
        made = {
            **own, **({"BusinessPartnerGrouping": self.grouping} if self.grouping else {}),
            "to_BuPaIdentification": [number], "to_BusinessPartnerRole": [{"BusinessPartnerRole": self.role}],
            **({"to_BusinessPartnerAddress": [_address(body)]} if _address(body) else {}),
            **({"to_BusinessPartnerTax": [words.tax_number(body)]} if body.get("BPTaxNumber") else {}),
        }  # fmt: skip
        return self._one(str(self.gateway.create("A_BusinessPartner", made)["BusinessPartner"]))

    def change(self, message: Message, row: Row, wanted: Mapping[str, Any]) -> Row:  # noqa: ARG002
        """Each part made, changed or deleted as it stands there; all of it, or nothing."""
        number = row.remote_id
        own = {name: wanted.get(name, "") for name in words.OWN if wanted.get(name) != row.body.get(name)}
        own.setdefault("BusinessPartnerIsBlocked", bool(wanted.get("BusinessPartnerIsBlocked")))
        etag = (row.raw.get("__metadata") or {}).get("etag")
        partner = Change("PATCH", f"A_BusinessPartner({_text(number)})", own, etag)
        self.gateway.changeset([partner, *_address_change(row, wanted), *_tax_changes(row, wanted)])
        return self._one(number)

    def gone(self, row: Row) -> Mapping[str, Any]:
        """Blocked."""
        return {**row.body, "BusinessPartnerIsBlocked": True}

    def _one(self, number: str) -> Row:
        return self._partners([number])[0]

    def _partners(self, numbers: Sequence[str]) -> list[Row]:
        rows: list[Row] = []
        for some in _chunks(numbers):
            named = " or ".join(f"BusinessPartner eq {_text(number)}" for number in some)
            rows += map(self._row, self.gateway.get("A_BusinessPartner", filter=named, expand=_PARTS))
        return rows

    def _row(self, raw: Mapping[str, Any]) -> Row:
        body = words.there(raw)
        digest = blake2b(orjson.dumps(body, option=orjson.OPT_SORT_KEYS), digest_size=6).hexdigest()
        numbers = words.several(raw, "to_BuPaIdentification")
        ours = [one for one in numbers if one.get("BPIdentificationType") == self.identification]
        key = str(ours[0]["BPIdentificationNumber"]) if ours else None
        etag = (raw.get("__metadata") or {}).get("etag")
        return Row(
            "account", key, str(raw["BusinessPartner"]), body, f"{etag}/{digest}", raw, _changed(raw),
            raw.get("LastChangedByUser") or None,
        )  # fmt: skip


def connect(made: Connection) -> SapTarget:
    """`{kind: sap, url, user, password}`, or `token_url`, `client_id`, `client_secret`; `client`, `service`.

    Raises ConnectionInvalid.
    """
    options = made.options
    needed = ("url", "client_id", "client_secret") if options.get("token_url") else ("url", "user", "password")
    missing = [word for word in needed if not options.get(word)]
    if missing:
        raise ConnectionInvalid(f"target {made.name}: `{missing[0]}` is missing.", target=made.name)
    by_token = bool(options.get("token_url"))
    auth = {} if by_token else {"auth": (str(options["user"]), str(options["password"]))}
    transport = Transport(made.name, str(options["url"]), manners_of(options), **auth)
    bearer = fetched(transport, options) if by_token else None
    gateway = Gateway(transport, str(options.get("service", SERVICE)), client=options.get("client"), bearer=bearer)
    return SapTarget(made.name, gateway, options)


def _address(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: body[name] for name in words.ADDRESS if name in body}


def _address_change(row: Row, wanted: Mapping[str, Any]) -> list[Change]:
    """PATCH where an address stands, POST where none does."""
    stands = words.first(row.raw, "to_BusinessPartnerAddress")
    address = _address(wanted)
    if address == _address(row.body):
        return []
    if not stands:
        return [Change("POST", "A_BusinessPartnerAddress", {"BusinessPartner": row.remote_id, **address})]
    key = f"BusinessPartner={_text(row.remote_id)},AddressID={_text(str(stands['AddressID']))}"
    path, etag = f"A_BusinessPartnerAddress({key})", (stands.get("__metadata") or {}).get("etag") or "*"
    if not address:
        return [Change("DELETE", path, etag=etag)]
    return [Change("PATCH", path, {name: address.get(name, "") for name in words.ADDRESS}, etag)]


def _tax_changes(row: Row, wanted: Mapping[str, Any]) -> list[Change]:
    """The kind of number is its key: another kind is another entity."""
    old, new = ((body.get("BPTaxType"), body.get("BPTaxNumber")) for body in (row.body, wanted))
    if old == new:
        return []
    path = f"A_BusinessPartnerTaxNumber(BusinessPartner={_text(row.remote_id)},BPTaxType={_text(str(old[0]))})"
    if old[0] and old[0] == new[0]:
        number = words.tax_number(wanted)
        return [Change("PATCH", path, {name: value for name, value in number.items() if name != "BPTaxType"}, "*")]
    made = {"BusinessPartner": row.remote_id, **words.tax_number(wanted)} if new[1] else None
    gone = [Change("DELETE", path, etag="*")] if old[0] else []
    return [*gone, *([Change("POST", "A_BusinessPartnerTaxNumber", made)] if made else [])]


def _changed(raw: Mapping[str, Any]) -> datetime | None:
    """`/Date(ms)/` and `PT10H20M30S`; whatever SAP leaves out is none."""
    day = str(raw.get("LastChangeDate") or raw.get("CreationDate") or "")
    digits = day[6 : day.find(")")]
    if not digits.lstrip("-").isdigit():
        return None
    parts = {"H": 0, "M": 0, "S": 0}
    number = ""
    for letter in str(raw.get("LastChangeTime") or "").removeprefix("PT"):
        if letter in parts:
            parts[letter], number = int(number or 0), ""
        else:
            number += letter
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(digits))
    return at + timedelta(hours=parts["H"], minutes=parts["M"], seconds=parts["S"])


def _chunks(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    yield from (keys[start : start + NAMED] for start in range(0, len(keys), NAMED))


def _text(value: str) -> str:
    """A text in a URL or a filter: a quote in it is doubled."""
    return "'" + value.replace("'", "''") + "'"
