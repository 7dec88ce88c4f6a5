"""Money that a customer paid, and what it was for."""

from __future__ import annotations

from typing import ClassVar, Literal

from canonical.entity import CanonicalEntity, field
from canonical.values import Code, Group, Money, Reference, Text, Timestamp


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
    account: Reference | None = field("The customer", reference="account")
    method: Literal["card", "bank_transfer", "direct_debit", "other"] | None = field("How it was paid")
    status: Literal["pending", "succeeded", "failed", "refunded"] | None = field("Where the payment stands")
    amount: Money | None = field("What was paid", money=True)
    fee: Money | None = field("What the provider kept", money=True)
    paid_at: Timestamp | None = field("When the money moved")
    gateway: Text = field("The payment provider")
    allocations: list[Allocation] | None = field("The invoices that it pays", money=True)
