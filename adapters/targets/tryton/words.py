"""Golden records in the words of Tryton, flat enough to be compared by field, and what is there in the same words.

A party's `code` is the golden id, which Tryton keeps unique. A product carries the golden id as an
identifier beside its own code; an invoice, whose reference is the number that the customer has seen, in its
description. References are golden ids here; `send` puts Tryton's own in their place.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from canonical.record import GoldenRecord

Values = Mapping[str, Any]
CLOSED = frozenset({"closed", "retired"})
EU = frozenset("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK XI".split())
PARTY = (
    "code", "name", "active", "_timestamp", "last_modified_at", "write_uid.login", "addresses.street",
    "addresses.postal_code", "addresses.city", "addresses.country", "identifiers.type", "identifiers.code",
    "contact_mechanisms.type", "contact_mechanisms.value",
)  # fmt: skip
PRODUCT = (
    "template.name", "template.code", "template.active", "template.id", "identifiers.code", "identifiers.type",
    "template._timestamp", "last_modified_at", "write_uid.login",
)  # fmt: skip
INVOICE = (
    "description", "reference", "party.code", "invoice_date", "currency.code", "state", "total_amount", "tax_amount",
    "taxes.amount", "lines.description", "lines.quantity", "lines.unit_price", "_timestamp", "last_modified_at",
    "write_uid.login",
)  # fmt: skip


def party(golden: GoldenRecord) -> dict[str, Any]:
    """A customer as a party with one address."""
    values = golden.values
    person = " ".join(part for part in (values.get("given_name"), values.get("family_name")) if part)
    address = values.get("billing_address") or {}
    made = {
        "document": "party.party",
        "name": values.get("legal_name") or values.get("trading_name") or person or None,
        "active": values.get("status") not in CLOSED,
        "street": _street(address),
        "postal_code": address.get("postcode"),
        "city": address.get("city"),
        "country": address.get("country"),
        "email": values.get("email"),
        "phone": values.get("phone"),
        **_tax(values.get("tax_id") or {}),
    }
    return {name: value for name, value in made.items() if value is not None}


def party_there(row: Values, countries: Mapping[int, str]) -> dict[str, Any]:
    """What Tryton has of a party."""
    address: Values = next(iter(row.get("addresses.") or ()), {})
    mechanisms = {one["type"]: one["value"] for one in reversed(row.get("contact_mechanisms.") or ())}
    number: Values = next(iter(row.get("identifiers.") or ()), {})
    made = {
        "document": "party.party",
        "name": row.get("name"),
        "active": bool(row.get("active")),
        "street": address.get("street"),
        "postal_code": address.get("postal_code"),
        "city": address.get("city"),
        "country": countries.get(address.get("country") or 0),
        "email": mechanisms.get("email"),
        "phone": mechanisms.get("phone"),
        "tax_type": number.get("type"),
        "tax_number": compact(number.get("code")),
    }
    return {name: value for name, value in made.items() if value not in (None, "")}


def product(golden: GoldenRecord) -> dict[str, Any]:
    """A product with one variant, sold as a service."""
    values = golden.values
    made = {
        "document": "product.template", "code": values.get("sku"), "name": values.get("name") or values.get("sku"),
        "active": values.get("status") not in CLOSED,
    }  # fmt: skip
    return {name: value for name, value in made.items() if value is not None}


def product_there(row: Values) -> dict[str, Any]:
    """What Tryton has of a product."""
    template = row.get("template.") or {}
    made = {
        "document": "product.template", "code": template.get("code"), "name": template.get("name"),
        "active": bool(template.get("active")),
    }  # fmt: skip
    return {name: value for name, value in made.items() if value not in (None, "")}


def invoice(golden: GoldenRecord, parents: Mapping[str, str]) -> dict[str, Any]:
    """A customer invoice; drafts and open ones differ in `state`."""
    values = golden.values
    made = {
        "document": "account.invoice",
        "reference": values.get("number"),
        "party": parents.get("account"),
        "date": values.get("issued_on"),
        "currency": values.get("currency") or (values.get("total") or {}).get("currency"),
        "gross": _amount(values.get("total")),
        "tax": _amount(values.get("tax")) or "0",
        "posted": values.get("status") not in ("draft", "void"),
        "lines": [_line(one) for one in values.get("lines") or ()] or None,
    }
    return {name: value for name, value in made.items() if value is not None}


def invoice_there(row: Values) -> dict[str, Any]:
    """What Tryton has of an invoice."""
    lines = [
        {"description": one.get("description") or "", "quantity": plain(one["quantity"]),
         "price": plain(one["unit_price"])}
        for one in row.get("lines.") or ()
    ]  # fmt: skip
    made = {
        "document": "account.invoice",
        "reference": row.get("reference"),
        "party": (row.get("party.") or {}).get("code"),
        "date": row["invoice_date"].isoformat() if row.get("invoice_date") else None,
        "currency": (row.get("currency.") or {}).get("code"),
        "gross": plain(row["total_amount"]),
        "tax": plain(row["tax_amount"]),
        "posted": row.get("state") in ("posted", "paid"),
        "lines": lines or None,
    }
    return {name: value for name, value in made.items() if value not in (None, "")}


def plain(number: Any) -> str:
    """A number as text, without what says nothing: 49.00 is 49."""
    text = format(Decimal(str(number)).normalize(), "f")
    return "0" if text == "-0" else text


def compact(code: str | None) -> str | None:
    """A tax number without what it is grouped with; Tryton writes them spaced."""
    return None if code is None else "".join(letter for letter in code if letter.isalnum()).upper()


def _tax(tax_id: Values) -> dict[str, Any]:
    """The kind of number as Tryton names it. The EU's stand with their country in front, others alone."""
    country, number = str(tax_id.get("country") or ""), compact(tax_id.get("number")) or ""
    if not country or not number:
        return {}
    front = _FRONT.get(country, country)
    if country in EU or country == "CH":
        swiss = "ch_vat" if number.endswith(_SWISS) else "ch_uid"  # a VAT number says so in one of three languages
        kind = "eu_vat" if country in EU else swiss
        return {"tax_type": kind, "tax_number": front + number.removeprefix(front)}
    if country == "NO":
        bare, vat = number.removeprefix(front), number.endswith("MVA")
        return {"tax_type": "no_vat" if vat else "no_orgnr", "tax_number": front + bare if vat else bare}
    if country == "GB":
        return {"tax_type": "gb_vat", "tax_number": number.removeprefix(front)}
    return {"tax_number": number}


_SWISS = ("MWST", "TVA", "IVA", "TPV")
_FRONT = {"GR": "EL", "CH": "CHE"}  # what a number starts with where that is not the country's code


def _street(address: Values) -> str | None:
    lines = [address.get(name) for name in ("line1", "line2") if address.get(name)]
    return "\n".join(str(line) for line in lines) or None


def _line(one: Values) -> dict[str, Any]:
    """Quantity by price where they make the amount; else the amount, once."""
    amount, price = _amount(one.get("amount")), _amount(one.get("unit_amount"))
    quantity = plain(one.get("quantity") if one.get("quantity") is not None else 1)
    if price is None or (amount is not None and Decimal(price) * Decimal(quantity) != Decimal(amount)):
        quantity, price = "1", amount or "0"
    return {"description": str(one.get("description") or one.get("key") or ""), "quantity": quantity, "price": price}


def _amount(money: Values | None) -> str | None:
    return None if money is None else plain(money["amount"])
