"""The Stripe-like billing and payments API: smallest units, seconds since 1970, lists in envelopes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from random import Random
from typing import Any

from seed import dirt
from seed.catalogue import PRODUCTS, TIERS, Product, lookup_key, minor, unit_price
from seed.company import Company
from seed.life import Contract, Invoice, Payment
from seed.times import epoch, moment
from seed.writer import Writer

_STATES = {"active": "active", "cancelled": "canceled", "past_due": "past_due", "paused": "paused", "draft": "incomplete",
           "expired": "canceled"}  # fmt: skip
_METHODS = {"card": "card", "direct_debit": "sepa_debit", "bank_transfer": "customer_balance"}
_TAX_TYPES = {"US": "us_ein", "GB": "gb_vat", "CH": "ch_vat", "NO": "no_vat", "JP": "jp_cn", "AU": "au_abn"}


def key_of(company: Company) -> str:
    """The billing system's id of a customer."""
    return f"cus_{company.id * 7919 % 10_000_019:08d}{company.id:06d}"


def customer(out: Writer, company: Company, rng: Random, *, registered: bool | None = None, **changes: Any) -> str:
    """A billing customer, with its tax registration if it gave its number; the customer's key."""
    key = str(changes.get("id", key_of(company)))
    registered = bool(company.tax_id) and rng.random() < 0.36 if registered is None else registered
    payload = customer_payload(company, key, rng) | changes
    if registered:
        payload["tax_ids"] = tax_ids(key, company)
    out.line("billing", "customers", payload)
    out.truth("billing", "account", key, company.thing)
    for entry in payload["tax_ids"]["data"]:
        out.truth("billing", "tax_registration", entry["id"], f"registration-{company.id}")
    return key


def customer_payload(company: Company, key: str, rng: Random) -> dict[str, Any]:
    """What billing says of a customer."""
    street, address = dirt.place(company, 0.3, rng)
    changed = epoch(moment(rng))
    return {
        "id": key, "object": "customer", "name": dirt.name(company, rng), "email": company.email,
        "phone": dirt.maybe(dirt.phone(company, rng), 0.4, rng), "currency": company.country.currency.lower(),
        "address": {
            "line1": street, "line2": None, "city": address.city.name, "state": address.city.region or None,
            "postal_code": address.postcode, "country": company.country.code,
        },
        "tax_ids": {"object": "list", "data": []}, "tax_exempt": "none", "delinquent": company.status == "suspended",
        "deleted": False, "livemode": True, "metadata": {"customer_number": dirt.maybe(company.number, 0.5, rng), "replaced_by": None},
        "created": changed - 86_400 * 200, "updated": changed,
    }  # fmt: skip


def tax_ids(key: str, company: Company, number: str | None = None) -> dict[str, Any]:
    """The customer's tax number as billing lists it."""
    code = company.country.code
    entry = {
        "id": f"txi_{key[4:]}", "object": "tax_id", "type": _TAX_TYPES.get(code, "eu_vat"), "value": number or company.tax_id,
        "country": code, "verification": {"status": "unverified" if number else "verified"},
    }  # fmt: skip
    return {"object": "list", "data": [entry]}


def product(out: Writer, one: Product, rng: Random) -> None:
    """A product."""
    payload = {
        "id": f"prod_{one.sku}", "object": "product", "name": one.name, "active": one.active, "unit_label": one.unit.lower(),
        "tax_code": "txcd_10103001", "metadata": {"sku": one.sku}, "livemode": True, "updated": epoch(moment(rng)),
    }  # fmt: skip
    out.line("billing", "products", payload)
    out.truth("billing", "product", f"prod_{one.sku}", f"product-{one.sku}")


def price(out: Writer, one: Product, currency: str, rng: Random) -> None:
    """A product's price in one currency; metered ones have tiers."""
    key, amount = lookup_key(one.sku, currency), unit_price(one.sku, currency)
    tiers = [
        {"up_to": up_to, "unit_amount": minor(unit_price(one.sku, currency, share), currency)} for up_to, share in TIERS
    ]
    payload = {
        "id": f"price_{key}", "object": "price", "product": f"prod_{one.sku}", "lookup_key": key, "nickname": f"{one.name} {currency}",
        "unit_amount": None if one.kind == "usage" else minor(amount, currency), "currency": currency.lower(), "active": one.active,
        "billing_scheme": "tiered" if one.kind == "usage" else "per_unit", "tiers": tiers if one.kind == "usage" else None,
        "type": "one_time" if one.kind == "one_time" else "recurring",
        "recurring": None if one.kind == "one_time" else {"interval": "month", "interval_count": 1},
        "livemode": True, "updated": epoch(moment(rng)),
    }  # fmt: skip
    out.line("billing", "prices", payload)
    out.truth("billing", "price", f"price_{key}", f"price-{key}")


def subscription_key(contract: Contract) -> str:
    """The billing system's id of a contract."""
    return f"sub_{contract.number[4:].replace('-', ''):0>10}"


def subscription(
    out: Writer, made: Contract, customer_key: str, rng: Random, *, seller: str | None = None, **changes: Any
) -> str:
    """The contract as it is charged now; its key. `seller` when billing believes in another than was agreed."""
    key, currency = subscription_key(made), made.currency
    payload = {
        "id": key, "object": "subscription", "customer": customer_key, "currency": currency.lower(), "status": _STATES[made.status],
        "start_date": epoch(made.start), "cancel_at": epoch(made.end) if made.renewal == "none" else None,
        "canceled_at": epoch(made.cancelled_on) if made.cancelled_on else None, "collection_method": "send_invoice", "livemode": True,
        "items": {"object": "list", "data": [{
            "id": f"si_{key[4:]}{at}", "quantity": item.quantity, "amount": minor(item.amount, currency),
            "price": {"lookup_key": lookup_key(item.sku, currency), "product": f"prod_{item.sku}"},
        } for at, item in enumerate(made.items, 1)]},
        "metadata": {"contract_number": made.number, "seller": seller or made.seller, "mrr": minor(made.monthly, currency)},
        "created": epoch(made.start), "updated": epoch(moment(rng)),
    } | changes  # fmt: skip
    out.line("billing", "subscriptions", payload)
    out.truth("billing", "subscription", key, f"contract-{made.number}")
    return key


def invoice_key(made: Invoice) -> str:
    """The billing system's id of an invoice."""
    return f"in_{made.number[4:].replace('-', '')}"


def invoice(out: Writer, made: Invoice, customer_key: str, rng: Random, **changes: Any) -> str:
    """An invoice with its lines; its key."""
    key, currency = invoice_key(made), made.currency
    payload = {
        "id": key, "object": "invoice", "number": made.number, "customer": customer_key, "status": made.status,
        "subscription": subscription_key(made.contract), "currency": currency.lower(), "created": epoch(made.issued),
        "due_date": epoch(made.due), "subtotal": minor(made.net, currency), "tax": minor(made.tax, currency),
        "total": minor(made.total, currency), "amount_paid": minor(made.paid, currency),
        "amount_remaining": minor(made.total - made.paid, currency),
        "custom_fields": [{"name": "PO", "value": f"PO-{rng.randrange(10_000, 99_999)}"}] if rng.random() < 0.3 else None,
        "lines": {"object": "list", "data": [{
            "id": f"il_{key[3:]}{at}", "description": line.words, "quantity": line.quantity, "unit_amount": minor(line.unit, currency),
            "amount": minor(line.amount, currency), "tax": minor(made.tax_of(line), currency), "product": f"prod_{line.sku}",
            "period": {"start": epoch(line.start), "end": epoch(line.end)},
        } for at, line in enumerate(made.lines, 1)]},
        "metadata": {"seller": made.seller}, "livemode": True, "updated": epoch(made.issued + timedelta(days=1)),
    } | changes  # fmt: skip
    out.line("billing", "invoices", payload)
    out.truth("billing", "invoice", key, f"invoice-{made.number}")
    return key


def payment(out: Writer, made: Payment, customer_key: str, **changes: Any) -> str:
    """A payment and the invoices that it pays; its key."""
    key, currency = f"pi_{made.reference[4:].replace('-', '')}", made.currency
    payload = {
        "id": key, "object": "payment_intent", "customer": customer_key, "amount_received": minor(made.amount, currency),
        "currency": currency.lower(), "status": "succeeded", "payment_method_types": [_METHODS[made.method]],
        "application_fee_amount": minor(made.fee, currency), "created": epoch(made.paid), "livemode": True,
        "invoice_payments": {"object": "list", "data": [{"invoice": number, "amount": minor(amount, currency)} for number, amount in made.allocations]},
        "metadata": {"reference": made.reference}, "updated": epoch(made.paid) + 60,
    } | changes  # fmt: skip
    out.line("billing", "payments", payload)
    out.truth("billing", "payment", key, f"payment-{made.reference}")
    return key


def entitlement(out: Writer, made: Contract, sku: str, customer_key: str, rng: Random) -> str:
    """What the contract grants; its key."""
    shared = f"{made.number}:{sku}"
    key = f"ent_{subscription_key(made)[4:]}{sku.lower()}"
    quantity = next((item.quantity for item in made.items if item.sku == sku), 1)
    payload: Mapping[str, Any] = {
        "id": key, "object": "entitlement", "lookup_key": shared, "customer": customer_key, "subscription": subscription_key(made),
        "product": f"prod_{sku}", "feature": PRODUCTS[sku].family.lower(), "tier": made.company.segment, "quantity": quantity,
        "active": made.status not in ("cancelled", "expired"), "from": made.start.isoformat(), "to": made.end.isoformat(),
        "livemode": True, "updated": epoch(moment(rng)),
    }  # fmt: skip
    out.line("billing", "entitlements", payload)
    out.truth("billing", "entitlement", key, f"entitlement-{shared}")
    return key
