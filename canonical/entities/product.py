"""A product: what is sold."""

from __future__ import annotations

from typing import ClassVar, Literal

from canonical.entity import CanonicalEntity, field
from canonical.values import Choice, Code, Name, Note, Text


class Product(CanonicalEntity):
    """Something that is sold: a service by time, a metered service, or a single delivery."""

    entity_name: ClassVar[str] = "product"
    id_prefix: ClassVar[str] = "prd"
    label_fields: ClassVar[tuple[str, ...]] = ("name", "sku")

    sku: Code | None = field("The stock-keeping unit: the product's code in every system.", match=True, indexed=True)
    name: Name | None = field("What the product is called on quotes and invoices.", match=True, indexed=True)
    description: Note | None = field("What the customer gets, in free text.")
    family: Text | None = field("The product line that it belongs to.")
    kind: Choice[Literal["service", "usage", "one_time"]] | None = field(
        "How it is charged: by time, by measured use, or once."
    )
    unit: Code | None = field("What one of it is: SEAT, GB, CALL.")
    tax_code: Code | None = field("How it is taxed, as the code of the ledger or tax engine.")
    revenue_account: Code | None = field("The ledger account on which its revenue is booked.")
    status: Choice[Literal["active", "retired"]] | None = field("Whether it may still be sold.")
