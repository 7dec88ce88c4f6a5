"""One of our own companies."""

from __future__ import annotations

from typing import ClassVar, Literal

from canonical.entity import CanonicalEntity, field
from canonical.values import Address, Choice, Code, Country, Currency, Name, Reference, TaxId


class LegalEntity(CanonicalEntity):
    """One of our own companies: it sells, issues invoices and keeps books."""

    entity_name: ClassVar[str] = "legal_entity"
    id_prefix: ClassVar[str] = "ent"
    label_fields: ClassVar[tuple[str, ...]] = ("legal_name", "code")

    code: Code | None = field("The company code of the ledger, such as DE01.", match=True, indexed=True)
    legal_name: Name | None = field("The registered name with its legal form.", match=True, indexed=True)
    country: Country | None = field("Where the company is registered (ISO 3166, two letters).")
    currency: Currency | None = field("The currency in which its books are kept.")
    registration_number: Code | None = field("Its number in the commercial register.", match=True, indexed=True)
    tax_id: TaxId | None = field("The tax number printed on its invoices.", match=True, indexed=True)
    address: Address | None = field("The registered office.")
    parent: Reference | None = field("The company of ours that owns this one.", reference="legal_entity")
    status: Choice[Literal["active", "inactive"]] | None = field("Whether it may still sell and be posted to.")
