"""Golden records in Business Central's words, its records in the same, and the ids that lead from one to the other.

A `SystemId` of ours is a UUID of version 8 (RFC 9562): the 80 bits of the golden id, and a mark.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from adapters.record_target import Row

Values = Mapping[str, Any]
CLOSED = frozenset({"closed", "retired"})
SETS = {"account": "customers", "product": "items", "invoice": "salesInvoices"}
PREFIXES = {"account": "acc", "product": "prd", "invoice": "inv"}
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


def customer(values: Values) -> dict[str, Any]:
    """A customer; its name in 100 characters."""
    address, tax = values.get("billing_address") or {}, values.get("tax_id") or {}
    person = " ".join(part for part in (values.get("given_name"), values.get("family_name")) if part)
    name = values.get("legal_name") or values.get("trading_name") or person
    return filled({
        "document": "customers", "displayName": name[:100], "active": values.get("status") not in CLOSED,
        "type": "Person" if values.get("kind") == "person" else "Company",
        "addressLine1": address.get("line1"), "addressLine2": address.get("line2"), "city": address.get("city"),
        "state": address.get("region"), "postalCode": address.get("postcode"), "country": address.get("country"),
        "phoneNumber": values.get("phone"), "email": values.get("email"), "taxRegistrationNumber": tax.get("number"),
        "currencyCode": values.get("currency"),
    })  # fmt: skip


def item(values: Values) -> dict[str, Any]:
    """A product, as a service."""
    name = str(values.get("name") or values.get("sku") or "")
    return filled({
        "document": "items", "number": values.get("sku"), "type": "Service", "displayName": name[:100],
        "active": values.get("status") not in CLOSED,
    })  # fmt: skip


def invoice(values: Values, parents: Mapping[str, str]) -> dict[str, Any]:
    """A sales invoice; whether it is open there is in `posted`."""
    total = values.get("total")
    return filled({
        "document": "salesInvoices", "reference": values.get("number"), "party": parents.get("account"),
        "date": values.get("issued_on"), "due": values.get("due_on") or values.get("issued_on"),
        "currency": values.get("currency") or (total or {}).get("currency"), "gross": _amount(total),
        "tax": _amount(values.get("tax")) or "0", "posted": values.get("status") not in ("draft", "void"),
        "lines": [_line(one) for one in values.get("lines") or _whole(values)] or None,
    })  # fmt: skip


def there(entity: str, raw: Values) -> Row:
    """A record that was read, as a row."""
    body = filled(_invoice_there(raw) if entity == "invoice" else _plain_there(entity, raw))
    changed = datetime.fromisoformat(str(raw["lastModifiedDateTime"]))
    key = golden_id(entity, UUID(str(raw["id"])))
    return Row(entity, key, str(raw["id"]), body, str(raw.get("@odata.etag")), raw, changed)


def record(entity: str, body: Values) -> dict[str, Any]:
    """The body of a customer or an item as a record; what it does not say is emptied."""
    active = bool(body.get("active", True))
    made = {name: body.get(name, "") for name in FIELDS[entity]}
    return {**made, "blocked": (" " if active else "All") if entity == "account" else not active}


def draft(golden: str, body: Values, account: str, tax_code: str | None) -> dict[str, Any]:
    """The body of an invoice as a draft, with its lines on a ledger account."""
    coded = {"taxCode": tax_code} if tax_code else {}
    lines = [
        {"lineType": "Account", "lineObjectNumber": account, "description": one["description"][:100],
         "quantity": float(one["quantity"]), "unitPrice": float(one["price"]), **coded}
        for one in body.get("lines") or ()
    ]  # fmt: skip
    said = {
        "externalDocumentNumber": body.get("reference"), "invoiceDate": body.get("date"), "dueDate": body.get("due"),
        "postingDate": body.get("date"), "currencyCode": body.get("currency"),
    }  # fmt: skip
    return {
        "id": str(system_id(golden)), "customerId": str(system_id(body["party"])), **filled(said),
        "salesInvoiceLines": lines,
    }  # fmt: skip


def system_id(golden_id: str) -> UUID:
    """The `SystemId` of a golden record: 80 bits of its id, version and variant, and our mark. Raises ValueError."""
    bits = number(golden_id)
    if bits is None:
        raise ValueError(f"{golden_id!r} is no golden id")
    high, middle, low = bits >> 32, (bits >> 20) & 0xFFF, bits & 0xFFFFF
    return UUID(int=high << 80 | 8 << 76 | middle << 64 | 2 << 62 | low << 42 | _MARK)


def golden_id(entity: str, there: UUID) -> str | None:
    """The golden id behind a `SystemId`; None if it is not ours."""
    value = there.int
    if there.version != 8 or value & ((1 << 42) - 1) != _MARK:
        return None
    bits = (value >> 80) << 32 | ((value >> 64) & 0xFFF) << 20 | (value >> 42) & 0xFFFFF
    return f"{PREFIXES[entity]}_" + "".join(_LETTERS[(bits >> shift) & 31] for shift in range(75, -1, -5))


def number(golden: str) -> int | None:
    """The 80 bits of a golden id; None if it is none."""
    letters = golden.partition("_")[2]
    if len(letters) != 16 or not set(letters) <= set(_LETTERS):
        return None
    bits = 0
    for letter in letters:
        bits = bits << 5 | _LETTERS.index(letter)
    return bits


def filled(values: Values) -> dict[str, Any]:
    """What says something; Business Central writes an empty text where nothing is."""
    return {name: value for name, value in values.items() if value not in (None, "")}


def _plain_there(entity: str, raw: Values) -> dict[str, Any]:
    blocked = raw.get("blocked")
    active = blocked in _BLANK if entity == "account" else not blocked
    return {"document": SETS[entity], **{name: raw.get(name) for name in FIELDS[entity]}, "active": active}


def _invoice_there(raw: Values) -> dict[str, Any]:
    lines = [
        {"description": one.get("description") or "", "quantity": _plain(one["quantity"]),
         "price": _plain(one["unitPrice"])}
        for one in raw.get("salesInvoiceLines") or ()
    ]  # fmt: skip
    return {
        "document": "salesInvoices", "reference": raw.get("externalDocumentNumber"),
        "party": golden_id("account", UUID(str(raw["customerId"]))), "date": raw.get("invoiceDate"),
        "due": raw.get("dueDate"), "currency": raw.get("currencyCode"),
        "gross": _plain(raw["totalAmountIncludingTax"]), "tax": _plain(raw["totalTaxAmount"]),
        "posted": raw.get("status") not in ("Draft", "In Review"), "lines": lines or None,
    }  # fmt: skip


def _whole(values: Values) -> list[dict[str, Any]]:
    """An invoice that came without its lines, as one."""
    total, tax = values.get("total"), values.get("tax")
    if total is None:
        return []
    net = Decimal(total["amount"]) - Decimal(tax["amount"] if tax else 0)
    return [{"key": values.get("number"), "amount": {**total, "amount": str(net)}}]


def _line(one: Values) -> dict[str, Any]:
    """Quantity by price where they make the amount; else the amount, once."""
    amount, price = _amount(one.get("amount")), _amount(one.get("unit_amount"))
    quantity = _plain(one.get("quantity") if one.get("quantity") is not None else 1)
    if price is None or (amount is not None and Decimal(price) * Decimal(quantity) != Decimal(amount)):
        quantity, price = "1", amount or "0"
    said = str(one.get("description") or one.get("key") or "")[:100]
    return {"description": said, "quantity": quantity, "price": price}


def _amount(money: Values | None) -> str | None:
    return None if money is None else _plain(money["amount"])


def _plain(number: Any) -> str:
    """A number as text, without what says nothing: 49.00 is 49."""
    text = format(Decimal(repr(number) if isinstance(number, float) else str(number)).normalize(), "f")
    return "0" if text == "-0" else text
