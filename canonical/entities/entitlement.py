"""What a customer may use, and how much of it."""

from __future__ import annotations

from typing import ClassVar, Literal

from canonical.entity import CanonicalEntity, field
from canonical.values import Choice, Code, Number, Period, Reference


class Entitlement(CanonicalEntity):
    """What a customer may use, and how much of it."""

    entity_name: ClassVar = "entitlement"
    id_prefix: ClassVar = "etl"
    label_fields: ClassVar = ("key",)

    key: Code = field("The key that systems share, made of subscription and feature", match=True, indexed=True)
    account: Reference | None = field("The customer that may use the feature", reference="account")
    subscription: Reference | None = field("The contract that grants the entitlement", reference="subscription")
    product: Reference | None = field("The product that the feature belongs to", reference="product")
    feature: Code = field("The feature that may be used")
    tier: Code = field("The service level at which the feature may be used")
    quantity: Number | None = field("How much of the feature may be used: seats, calls, gigabytes")
    valid: Period | None = field("The time during which the feature may be used")
    status: Choice[Literal["active", "suspended", "ended"]] | None = field("Whether the feature may be used now")
