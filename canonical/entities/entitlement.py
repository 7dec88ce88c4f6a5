"""What a customer may use, and how much of it."""

from __future__ import annotations

from typing import ClassVar, Literal

from canonical.entity import CanonicalEntity, field
from canonical.values import Code, Number, Period, Reference


class Entitlement(CanonicalEntity):
    """What a customer may use, and how much of it."""

    entity_name: ClassVar = "entitlement"
    id_prefix: ClassVar = "etl"
    label_fields: ClassVar = ("key",)

    key: Code = field("The key that systems share, made of subscription and feature", match=True, indexed=True)
    account: Reference | None = field("The customer", reference="account")
    subscription: Reference | None = field("The contract that grants it", reference="subscription")
    product: Reference | None = field("The product that it belongs to", reference="product")
    feature: Code = field("What may be used")
    tier: Code = field("At which level")
    quantity: Number | None = field("How much of it")
    valid: Period | None = field("From when to when")
    status: Literal["active", "suspended", "ended"] | None = field("Whether it may be used now")
