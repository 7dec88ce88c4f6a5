"""One metered event: so much of something was used at a time."""

from __future__ import annotations

from typing import ClassVar

from canonical.entity import CanonicalEntity, field
from canonical.values import Code, Number, Reference, Timestamp


class UsageRecord(CanonicalEntity):
    """One metered event: so much of something was used at a time."""

    entity_name: ClassVar = "usage_record"
    id_prefix: ClassVar = "use"
    label_fields: ClassVar = ("key",)

    key: Code = field("The event's own id: a repeated delivery counts once", match=True, indexed=True)
    account: Reference | None = field("The customer", reference="account")
    subscription: Reference | None = field("The contract", reference="subscription")
    product: Reference | None = field("What was used", reference="product")
    metric: Code = field("What is measured")
    quantity: Number | None = field("How much")
    unit: Code = field("In which unit")
    occurred_at: Timestamp | None = field("When")
