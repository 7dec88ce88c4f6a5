"""Where a customer, or one of our companies, is registered for tax."""

from __future__ import annotations

from typing import ClassVar, Literal

from canonical.entity import CanonicalEntity, field
from canonical.values import Boolean, Choice, Country, Period, Reference, TaxId


class TaxRegistration(CanonicalEntity):
    """Where a customer, or one of our companies, is registered for tax."""

    entity_name: ClassVar = "tax_registration"
    id_prefix: ClassVar = "tax"
    label_fields: ClassVar = ("country",)

    account: Reference | None = field("The customer that is registered for tax", reference="account")
    legal_entity: Reference | None = field("Our own company that is registered for tax", reference="legal_entity")
    country: Country = field("The country in which the registration holds")
    tax_id: TaxId | None = field("The registered number, with its country and kind", match=True, indexed=True)
    verified: Boolean | None = field("Whether the registry has confirmed it")
    exempt: Boolean | None = field("Whether the holder is exempt from tax there")
    valid: Period | None = field("The time during which the registration holds")
    status: Choice[Literal["active", "ended"]] | None = field("Whether the registration still holds")
