"""Where a customer, or one of our companies, is registered for tax."""

from __future__ import annotations

from typing import ClassVar, Literal

from canonical.entity import CanonicalEntity, field
from canonical.values import Boolean, Country, Period, Reference, TaxId


class TaxRegistration(CanonicalEntity):
    """Where a customer, or one of our companies, is registered for tax."""

    entity_name: ClassVar = "tax_registration"
    id_prefix: ClassVar = "tax"
    label_fields: ClassVar = ("country",)

    account: Reference | None = field("The customer that is registered", reference="account")
    legal_entity: Reference | None = field("Our company that is registered", reference="legal_entity")
    country: Country = field("The country of the registration")
    tax_id: TaxId | None = field("The number", match=True, indexed=True)
    verified: Boolean | None = field("Whether the registry has confirmed it")
    exempt: Boolean | None = field("Whether the holder is exempt")
    valid: Period | None = field("When the registration holds")
    status: Literal["active", "ended"] | None = field("Whether it holds")
