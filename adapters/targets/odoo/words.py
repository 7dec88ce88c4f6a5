"""Golden records in Odoo's words, and Odoo's records in the same: tables and plain functions."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from canonical.record import GoldenRecord

Values = Mapping[str, Any]
CLOSED = frozenset({"closed", "retired", "inactive"})
EU = frozenset("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK XI".split())
PARTNER = (
    "name", "is_company", "active", "street", "street2", "city", "zip", "country_id", "email", "phone", "vat", "ref",
    "write_date", "write_uid",
)  # fmt: skip
CONTACT = ("name", "active", "parent_id", "email", "phone", "function", "write_date", "write_uid")
PRODUCT = ("name", "default_code", "active", "write_date", "write_uid")
MOVE = (
    "ref", "partner_id", "move_type", "invoice_date", "invoice_date_due", "currency_id", "state", "amount_total",
    "amount_tax", "invoice_line_ids", "write_date", "write_uid",
)  # fmt: skip
LINE = ("move_id", "name", "quantity", "price_unit", "tax_ids")


def partner(golden: GoldenRecord) -> dict[str, Any]:
    """A customer as a partner with its address."""
    values = golden.values
    person = " ".join(part for part in (values.get("given_name"), values.get("family_name")) if part)
    address = values.get("billing_address") or {}
    return filled({
        "document": "res.partner",
        "name": values.get("legal_name") or values.get("trading_name") or person,
        "is_company": values.get("kind") != "person",
        "active": values.get("status") not in CLOSED,
        "street": address.get("line1"), "street2": address.get("line2"), "city": address.get("city"),
        "zip": address.get("postcode"), "country": address.get("country"),
        "email": values.get("email"), "phone": values.get("phone"),
        "vat": vat(values.get("tax_id") or {}), "ref": values.get("external_number"),
    })  # fmt: skip


def partner_there(row: Values, countries: Mapping[int, str]) -> dict[str, Any]:
    """What Odoo has of a customer."""
    plain = {name: row.get(name) for name in ("name", "street", "street2", "city", "zip", "email", "phone", "ref")}
    flags = {name: bool(row.get(name)) for name in ("is_company", "active")}
    number = row.get("vat")
    country = countries.get((row.get("country_id") or [0])[0])
    return filled({"document": "res.partner", **plain, **flags, "country": country, "vat": compact(number)})


def contact(golden: GoldenRecord, parents: Mapping[str, str]) -> dict[str, Any]:
    """A person at a customer."""
    values = golden.values
    person = " ".join(part for part in (values.get("given_name"), values.get("family_name")) if part)
    return filled({
        "document": "res.partner", "name": values.get("full_name") or person or values.get("email"),
        "active": values.get("status") not in CLOSED, "parent": parents.get("account"),
        "email": values.get("email"), "phone": values.get("phone"), "function": values.get("job_title"),
    })  # fmt: skip


def contact_there(row: Values, keys: Mapping[int, str]) -> dict[str, Any]:
    """What Odoo has of a person; `keys` gives the golden id of each partner."""
    plain = {name: row.get(name) for name in ("name", "email", "phone", "function")}
    parent = keys.get((row.get("parent_id") or [0])[0])
    return filled({"document": "res.partner", **plain, "active": bool(row.get("active")), "parent": parent})


def product(golden: GoldenRecord) -> dict[str, Any]:
    """A product, sold as a service."""
    values = golden.values
    return filled({
        "document": "product.template", "name": values.get("name") or values.get("sku"), "code": values.get("sku"),
        "active": values.get("status") not in CLOSED,
    })  # fmt: skip


def product_there(row: Values) -> dict[str, Any]:
    """What Odoo has of a product."""
    code, active = row.get("default_code"), bool(row.get("active"))
    return filled({"document": "product.template", "name": row.get("name"), "code": code, "active": active})


def invoice(golden: GoldenRecord, parents: Mapping[str, str]) -> dict[str, Any]:
    """A customer invoice, or a credit note where the total is negative; amounts are positive in both."""
    values = golden.values
    total = values.get("total")
    sign = -1 if total and Decimal(total["amount"]) < 0 else 1
    return filled({
        "document": "account.move", "type": "out_invoice" if sign > 0 else "out_refund",
        "reference": values.get("number"), "party": parents.get("account"),
        "date": values.get("issued_on"), "due": values.get("due_on") or values.get("issued_on"),
        "currency": values.get("currency") or (total or {}).get("currency"),
        "gross": _amount(total, sign), "tax": _amount(values.get("tax"), sign) or "0",
        "state": {"draft": "draft", "void": "cancel"}.get(str(values.get("status")), "posted"),
        "lines": [_line(one, sign) for one in values.get("lines") or _whole(values)] or None,
    })  # fmt: skip


def invoice_there(row: Values, lines: Values, keys: Mapping[int, str]) -> dict[str, Any]:
    """What Odoo has of an invoice; `lines` gives each line by its number."""
    own = [lines[number] for number in row.get("invoice_line_ids") or () if number in lines]
    said = [
        {"name": one["name"] or "", "quantity": plain(one["quantity"]), "price": plain(one["price_unit"])}
        for one in own
    ]
    return filled({
        "document": "account.move", "type": row.get("move_type"), "reference": row.get("ref"),
        "party": keys.get((row.get("partner_id") or [0])[0]), "date": row.get("invoice_date"),
        "due": row.get("invoice_date_due"), "currency": (row.get("currency_id") or [0, None])[1],
        "gross": plain(row["amount_total"]), "tax": plain(row["amount_tax"]), "state": row.get("state"),
        "lines": said or None,
    })  # fmt: skip


def vat(tax_id: Values) -> str | None:
    """A tax number as Odoo checks it: with its country in front in the EU, else as it is."""
    country, number = str(tax_id.get("country") or ""), compact(tax_id.get("number"))
    if not number or country not in EU:
        return number
    front = "EL" if country == "GR" else country
    return front + number.removeprefix(front)


def compact(number: Any) -> str | None:
    """Letters and digits only."""
    return "".join(letter for letter in str(number) if letter.isalnum()).upper() if number else None


def filled(values: Values) -> dict[str, Any]:
    """What says something; Odoo writes False where nothing is."""
    return {
        name: value for name, value in values.items()
        if value not in (None, "") and (value is not False or name in ("active", "is_company"))
    }  # fmt: skip


def plain(number: Any) -> str:
    """A number as text, without what says nothing: 49.00 is 49. Odoo's are binary fractions."""
    text = format(Decimal(repr(number) if isinstance(number, float) else str(number)).normalize(), "f")
    return "0" if text == "-0" else text


def _whole(values: Values) -> list[dict[str, Any]]:
    """An invoice that came without its lines, as one."""
    total, tax = values.get("total"), values.get("tax")
    if total is None:
        return []
    net = Decimal(total["amount"]) - Decimal(tax["amount"] if tax else 0)
    return [{"key": values.get("number"), "amount": {**total, "amount": str(net)}}]


def _line(one: Values, sign: int) -> dict[str, Any]:
    """Quantity by price where they make the amount; else the amount, once."""
    amount, price = _amount(one.get("amount"), sign), _amount(one.get("unit_amount"), sign)
    quantity = plain(one.get("quantity") if one.get("quantity") is not None else 1)
    if price is None or (amount is not None and Decimal(price) * Decimal(quantity) != Decimal(amount)):
        quantity, price = "1", amount or "0"
    return {"name": str(one.get("description") or one.get("key") or ""), "quantity": quantity, "price": price}


def _amount(money: Values | None, sign: int) -> str | None:
    return None if money is None else plain(Decimal(money["amount"]) * sign)
