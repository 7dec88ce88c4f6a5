"""What a customer owes: an issued invoice with its lines."""

from __future__ import annotations

from typing import ClassVar, Literal

from canonical.entity import CanonicalEntity, field
from canonical.values import Choice, Code, Currency, Date, Group, Money, Number, Period, Reference, Text


class InvoiceLine(Group):
    """One charge."""

    key: Code
    product: Text = None
    description: Text = None
    quantity: Number | None = None
    unit_amount: Money | None = None
    amount: Money
    tax: Money | None = None
    period: Period | None = None


class Invoice(CanonicalEntity):
    """What a customer owes: an issued invoice with its lines."""

    entity_name: ClassVar = "invoice"
    id_prefix: ClassVar = "inv"
    label_fields: ClassVar = ("number",)

    number: Code = field(
        "The number printed on the invoice, unique within the company that issued it", match=True, indexed=True
    )
    account: Reference | None = field("The customer that owes the invoice", reference="account")
    subscription: Reference | None = field("The contract that the invoice is for", reference="subscription")
    seller: Reference | None = field(
        "Our company that issued the invoice and books its revenue", reference="legal_entity"
    )
    status: Choice[Literal["draft", "open", "paid", "void", "uncollectible"]] | None = field(
        "Where the invoice stands: drafts may still change, the others may not"
    )
    issued_on: Date = field("The date printed on the invoice; decides the period that it is posted in")
    due_on: Date = field("The day on which payment is due")
    currency: Currency = field("The currency that all amounts of the invoice are in")
    subtotal: Money | None = field("The sum of the lines before tax", money=True)
    tax: Money | None = field("The tax on the invoice, all rates together", money=True)
    total: Money | None = field("What is owed in all: subtotal and tax", money=True)
    paid: Money | None = field("What has been paid of the invoice so far", money=True)
    balance: Money | None = field("What is still owed on the invoice", money=True)
    purchase_order: Code = field("The customer's own order number, which their accounts payable asks for")
    lines: list[InvoiceLine] | None = field("The charges of the invoice, one line each", money=True)
