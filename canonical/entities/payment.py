"""Money that a customer paid, and what it was for."""

from __future__ import annotations

from typing import ClassVar, Literal

from canonical.entity import CanonicalEntity, field
from canonical.values import Choice, Code, Group, Money, Reference, Text, Timestamp


class Allocation(Group):
    """The part of a payment that pays one invoice."""

    invoice: Code
    amount: Money


class Payment(CanonicalEntity):
    """Money that a customer paid, and what it was for."""

    entity_name: ClassVar = "payment"
    id_prefix: ClassVar = "pay"
    label_fields: ClassVar = ("reference",)

    reference: Code = field("The reference of bank or gateway that systems share", match=True, indexed=True)
    account: Reference | None = field("The customer that paid", reference="account")
    method: Choice[Literal["card", "bank_transfer", "direct_debit", "other"]] | None = field(
        "The means by which the money was paid"
    )
    status: Choice[Literal["pending", "succeeded", "failed", "refunded"]] | None = field(
        "Where the payment stands; only succeeded and refunded payments moved money"
    )
    amount: Money | None = field("The amount that was collected", money=True)
    fee: Money | None = field("What the payment provider kept of the amount", money=True)
    paid_at: Timestamp | None = field("The moment when the money moved")
    gateway: Text = field("The payment provider or bank that collected the money")
    allocations: list[Allocation] | None = field(
        "How the payment is spread over invoices; never more than the amount", money=True
    )
