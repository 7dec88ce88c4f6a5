"""When the revenue of an invoice line is recognised."""

from __future__ import annotations

from typing import ClassVar, Literal

from canonical.entity import CanonicalEntity, field
from canonical.values import Boolean, Code, Date, Group, Money, Reference


class RevenuePeriod(Group):
    """The revenue of one accounting period."""

    start: Date
    end: Date
    amount: Money
    recognised: Boolean | None = None


class RevenueSchedule(CanonicalEntity):
    """When the revenue of an invoice line is recognised."""

    entity_name: ClassVar = "revenue_schedule"
    id_prefix: ClassVar = "rev"
    label_fields: ClassVar = ("key",)

    key: Code = field("The key that systems share, made of invoice and line", match=True, indexed=True)
    invoice: Reference | None = field("The invoice", reference="invoice")
    subscription: Reference | None = field("The contract", reference="subscription")
    account: Reference | None = field("The customer", reference="account")
    total: Money | None = field("What is recognised in all", money=True)
    method: Literal["straight_line", "usage", "milestone"] | None = field("How it is spread")
    periods: list[RevenuePeriod] | None = field("How much in which period", money=True)
    status: Literal["open", "recognised", "cancelled"] | None = field("Where the schedule stands")
