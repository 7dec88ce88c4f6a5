"""What a customer owes: an issued invoice with its lines."""

from __future__ import annotations

from typing import ClassVar, Literal

from canonical.entity import CanonicalEntity, field
from canonical.values import Code, Currency, Date, Group, Money, Number, Period, Reference, Text


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

    number: Code = field("The number printed on the invoice", match=True, indexed=True)
    account: Reference | None = field("The customer", reference="account")
    subscription: Reference | None = field("The contract that is invoiced", reference="subscription")
    seller: Reference | None = field("Our company that issued it", reference="legal_entity")
    status: Literal["draft", "open", "paid", "void", "uncollectible"] | None = field("Where the invoice stands")
    issued_on: Date = field("The date of the invoice")
    due_on: Date = field("The day on which it is due")
    currency: Currency = field("The currency of the invoice")
    subtotal: Money | None = field("The sum of the lines before tax", money=True)
    tax: Money | None = field("The tax on it", money=True)
    total: Money | None = field("What is owed", money=True)
    paid: Money | None = field("What has been paid", money=True)
    balance: Money | None = field("What is still owed", money=True)
    purchase_order: Code = field("The customer's own order number")
    lines: list[InvoiceLine] | None = field("What is charged", money=True)
