"""What a customer has agreed to: items, term, renewal, and the changes to it."""

from __future__ import annotations

from typing import ClassVar, Literal

from canonical.entity import CanonicalEntity, field
from canonical.values import Choice, Code, Currency, Date, Group, Money, Number, Period, Reference, Text


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
    kind: Choice[Literal["upgrade", "downgrade", "renewal", "cancellation", "entity_change", "correction"]]
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

    number: Code = field(
        "The contract number: agreed when the contract is signed, carried by every system", match=True, indexed=True
    )
    account: Reference | None = field("The customer that agreed to the contract", reference="account")
    seller: Reference | None = field("Our company that sells and invoices the contract", reference="legal_entity")
    status: Choice[Literal["draft", "active", "amending", "past_due", "paused", "cancelled", "expired"]] | None = field(
        "Where the contract stands in its life; `amending` while a change is under way"
    )
    currency: Currency = field("The currency that the contract is priced and invoiced in")
    term: Period | None = field("The agreed term, from the first day up to but not including the last")
    started_on: Date = field("The first day on which the service is provided")
    cancel_at: Date = field("The day on which the contract will end, once it has been given notice")
    cancelled_on: Date = field("The day on which the contract was cancelled")
    renewal: Choice[Literal["auto", "manual", "none"]] | None = field(
        "What happens at the end of the term without anybody's doing"
    )
    mrr: Money | None = field("Monthly recurring revenue of all items", money=True)
    total_value: Money | None = field("What the whole term is worth, one-time charges included", money=True)
    items: list[SubscriptionItem] | None = field("The lines of the contract: product, price and quantity", money=True)
    amendments: list[Amendment] | None = field("The agreed changes of the contract, in order of effect")
