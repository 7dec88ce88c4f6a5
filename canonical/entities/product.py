"""A product: what is sold."""

from __future__ import annotations

from typing import ClassVar, Literal

from canonical.entity import CanonicalEntity, field
from canonical.values import Choice, Code, Name, Note, Reference, Text

__all__ = ["Product", "Reference"]


class Product(CanonicalEntity):
    """Something that is sold: a service by time, a metered service, or a single delivery."""

    name: ClassVar[str] = "product"
    prefix: ClassVar[str] = "prd"
    label: ClassVar[tuple[str, ...]] = ("name", "sku")
