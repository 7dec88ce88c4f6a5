"""What a product costs, in one currency and interval."""

from __future__ import annotations

from typing import ClassVar, Literal

from canonical.entity import CanonicalEntity, field
from canonical.values import Choice, Code, Group, Integer, Money, Number, Period, Reference, Text


class PriceTier(Group):
    """One step: up to this quantity (without an end: from there on), each unit costs this."""

    up_to: Number | None = None
    amount: Money


class Price(CanonicalEntity):
    """What a product costs, in one currency and interval."""

    entity_name: ClassVar = "price"
    id_prefix: ClassVar = "prc"
    label_fields: ClassVar = (
        "name",
        "key",
    )

    product: Reference | None = field("The product that is priced", reference="product")
    key: Code = field("The look-up key that systems share", match=True, indexed=True)
    name: Text = field("What the price is called on offers")
    amount: Money | None = field("The price of one unit for one interval", money=True)
    interval: Choice[Literal["month", "quarter", "year", "once"]] | None = field("How often the price is charged")
    interval_count: Integer | None = field("The price is charged every so many intervals")
    model: Choice[Literal["flat", "per_unit", "tiered", "volume"]] | None = field(
        "How the amount follows from the quantity"
    )
    tiers: list[PriceTier] | None = field("The steps of a tiered or volume price", money=True)
    valid: Period | None = field("The time during which the price is offered")
    status: Choice[Literal["active", "retired"]] | None = field("Whether the price is still offered")
