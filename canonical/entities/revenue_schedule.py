"""When the revenue of an invoice line is recognised."""

from __future__ import annotations

from typing import ClassVar, Literal

from canonical.entity import CanonicalEntity, field
from canonical.values import Boolean, Choice, Code, Date, Group, Money, Reference


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
    invoice: Reference | None = field("The invoice whose revenue is recognised", reference="invoice")
    subscription: Reference | None = field("The contract that the revenue comes from", reference="subscription")
    account: Reference | None = field("The customer that the revenue comes from", reference="account")
    total: Money | None = field("What is recognised over all periods together", money=True)
    method: Choice[Literal["straight_line", "usage", "milestone"]] | None = field("How the revenue is spread over time")
    periods: list[RevenuePeriod] | None = field("How much is recognised in which accounting period", money=True)
    status: Choice[Literal["open", "recognised", "cancelled"]] | None = field(
        "Whether anything is still to be recognised"
    )
