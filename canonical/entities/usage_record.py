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
    account: Reference | None = field("The customer that used it", reference="account")
    subscription: Reference | None = field("The contract that the usage is charged to", reference="subscription")
    product: Reference | None = field("The product that was used", reference="product")
    metric: Code = field("The metric that was measured, such as api_calls")
    quantity: Number | None = field("How much was used, in the unit of the metric")
    unit: Code = field("The unit that the quantity is counted in")
    occurred_at: Timestamp | None = field("The moment of use; decides the billing period")
