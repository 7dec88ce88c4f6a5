"""The list of canonical entities: the only one. Storage, API, console and tests follow from it."""

from __future__ import annotations

from difflib import get_close_matches

from canonical.entities.account import Account
from canonical.entities.contact import Contact
from canonical.entities.entitlement import Entitlement
from canonical.entities.invoice import Invoice
from canonical.entities.legal_entity import LegalEntity
from canonical.entities.payment import Payment
from canonical.entities.price import Price
from canonical.entities.product import Product
from canonical.entities.revenue_schedule import RevenueSchedule
from canonical.entities.subscription import Subscription
from canonical.entities.tax_registration import TaxRegistration
from canonical.entities.usage_record import UsageRecord
from canonical.entity import EntityType
from canonical.errors import UnknownEntity

ENTITIES: dict[str, EntityType] = {
    model.entity_name: EntityType(model)
    for model in (  # parents before children: the order of loading and of publishing
        LegalEntity,
        Account,
        Contact,
        TaxRegistration,
        Product,
        Price,
        Subscription,
        Entitlement,
        Invoice,
        Payment,
        RevenueSchedule,
        UsageRecord,
    )
}


def entity(name: str) -> EntityType:
    """The entity of that name. Raises UnknownEntity with the nearest name as a hint."""
    try:
        return ENTITIES[name]
    except KeyError:
        near = get_close_matches(name, ENTITIES, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(ENTITIES)}."
        raise UnknownEntity(f"there is no entity {name!r}.", hint=hint, entity=name) from None
