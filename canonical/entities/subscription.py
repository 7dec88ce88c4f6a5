"""What a customer has agreed to: items, term, renewal, and the changes to it."""

from __future__ import annotations

from typing import ClassVar, Literal

from canonical.entity import CanonicalEntity, field
from canonical.values import Code, Currency, Date, Group, Money, Number, Period, Reference, Text


class SubscriptionItem(Group):
    """One line of a contract."""

    key: Code
    product: Text = None
    price: Text = None
    quantity: Number | None = None
    amount: Money | None = None


class Amendment(Group):
    """One agreed change of a contract."""

    key: Code
    kind: Literal["upgrade", "downgrade", "renewal", "cancellation", "entity_change", "correction"]
    effective_on: Date = None
    approved_on: Date = None
    approved_by: Text = None
    note: Text = None
    seller: Text = None


class Subscription(CanonicalEntity):
    """What a customer has agreed to: items, term, renewal, and the changes to it."""

    entity_name: ClassVar = "subscription"
    id_prefix: ClassVar = "sub"
    label_fields: ClassVar = ("number",)

    number: Code = field("The contract number that systems share", match=True, indexed=True)
    account: Reference | None = field("The customer", reference="account")
    seller: Reference | None = field("Our company that invoices it", reference="legal_entity")
    status: Literal["draft", "active", "amending", "past_due", "paused", "cancelled", "expired"] | None = field(
        "Where the contract stands"
    )
    currency: Currency = field("The currency of the contract")
    term: Period | None = field("The agreed term")
    started_on: Date = field("The first day of service")
    cancel_at: Date = field("The day on which it will end")
    cancelled_on: Date = field("The day on which it was cancelled")
    renewal: Literal["auto", "manual", "none"] | None = field("What happens at the end of the term")
    mrr: Money | None = field("Monthly recurring revenue", money=True)
    total_value: Money | None = field("What the whole term is worth", money=True)
    items: list[SubscriptionItem] | None = field("What is in the contract", money=True)
    amendments: list[Amendment] | None = field("What was changed, in order of effect")
