"""A golden record in the words of a ledger: what the shipped targets render. A table, no branches.

Amounts stay text with their currency; a reference becomes the golden id of the parent, which the
targets here take as the parent's key.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from canonical.catalogue import ENTITIES
from canonical.record import GoldenRecord

# canonical entity → the ledger's document and its fields: ledger field ← canonical path
WORDS: dict[str, tuple[str, dict[str, str]]] = {
    "legal_entity": ("company", {
        "company_code": "code", "name": "legal_name", "country": "country", "currency": "currency",
        "tax_number": "tax_id.number", "active": "status",
    }),
    "account": ("customer", {
        "customer_number": "external_number", "name": "legal_name", "search_name": "trading_name",
        "first_name": "given_name", "last_name": "family_name", "email": "email", "phone": "phone",
        "currency": "currency", "terms": "payment_terms", "street": "billing_address.line1",
        "street_2": "billing_address.line2", "city": "billing_address.city", "region": "billing_address.region",
        "postal_code": "billing_address.postcode", "country": "billing_address.country",
        "tax_country": "tax_id.country", "tax_type": "tax_id.type", "tax_number": "tax_id.number",
        "parent": "parent", "company": "seller", "status": "status",
    }),
    "contact": ("contact_person", {
        "customer": "account", "name": "full_name", "first_name": "given_name", "last_name": "family_name",
        "email": "email", "phone": "phone",
    }),
    "tax_registration": ("tax_registration", {
        "customer": "account", "company": "legal_entity", "country": "tax_id.country", "type": "tax_id.type",
        "number": "tax_id.number", "exempt": "exempt", "verified": "verified",
    }),
    "product": ("item", {
        "item_code": "sku", "name": "name", "unit": "unit", "tax_code": "tax_code",
        "revenue_account": "revenue_account", "status": "status",
    }),
    "price": ("price_list_line", {
        "key": "key", "item": "product", "amount": "amount.amount", "currency": "amount.currency",
        "interval": "interval", "count": "interval_count",
    }),
    "subscription": ("contract", {
        "contract_number": "number", "customer": "account", "company": "seller", "status": "status",
        "currency": "currency", "start": "term.start", "end": "term.end", "monthly_amount": "mrr.amount",
    }),
    "invoice": ("sales_invoice", {
        "invoice_number": "number", "customer": "account", "company": "seller", "contract": "subscription",
        "status": "status", "invoice_date": "issued_on", "due_date": "due_on", "currency": "currency",
        "net": "subtotal.amount", "tax": "tax.amount", "gross": "total.amount", "lines": "lines",
    }),
    "payment": ("receipt", {
        "reference": "reference", "customer": "account", "amount": "amount.amount", "currency": "amount.currency",
        "booked_at": "paid_at", "method": "method", "allocations": "allocations",
    }),
}  # fmt: skip


def render(golden: GoldenRecord, parents: Mapping[str, str]) -> dict[str, Any]:
    """The ledger's document, with the fields that the golden record fills, and its kind under `document`."""
    document, fields = WORDS[golden.entity]
    references = ENTITIES[golden.entity].references
    body: dict[str, Any] = {"document": document}
    for name, path in fields.items():
        value = parents.get(path) if path in references else _at(golden.values, path)
        if value is not None:
            body[name] = value
    return body


def _at(values: Any, path: str) -> Any:
    for part in path.split("."):
        if not isinstance(values, Mapping):
            return None
        values = values.get(part)
    return values
