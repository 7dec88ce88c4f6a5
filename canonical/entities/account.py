"""A customer: the organisation or person that buys."""

from __future__ import annotations

from typing import ClassVar, Literal

from canonical.entity import CanonicalEntity, field
from canonical.values import (
    Address,
    Choice,
    Code,
    Currency,
    Date,
    Domain,
    Email,
    Identifiers,
    Name,
    PersonName,
    Phone,
    Reference,
    TaxId,
    Text,
)


class Account(CanonicalEntity):
    """A customer: an organisation or a person that buys, is invoiced and pays."""

    entity_name: ClassVar[str] = "account"
    id_prefix: ClassVar[str] = "acc"
    label_fields: ClassVar[tuple[str, ...]] = ("legal_name", "trading_name", "family_name", "email")

    kind: Choice[Literal["organisation", "person"]] | None = field(
        "Whether the customer is an organisation or a person."
    )
    legal_name: Name | None = field(
        "The name under which the customer signs and is invoiced, with its legal form (Ltd, GmbH).",
        match=True,
        personal=True,
        indexed=True,
    )
    trading_name: Name | None = field(
        "The name under which the customer is known, when it differs from the legal one.",
        match=True,
        personal=True,
    )
    given_name: PersonName | None = field("The first name, of a customer who is a person.", match=True, personal=True)
    family_name: PersonName | None = field("The last name, of a customer who is a person.", match=True, personal=True)
    birth_date: Date | None = field("The day of birth, of a customer who is a person.", match=True, personal=True)
    domain: Domain | None = field(
        "The customer's own internet domain, without www. A mail provider's matches nobody.",
        match=True,
        indexed=True,
    )
    email: Email | None = field("The address to which invoices are sent.", match=True, personal=True, indexed=True)
    phone: Phone | None = field(
        "The main phone number, in E.164 (+442071234567) where the country is known.",
        match=True,
        personal=True,
    )
    status: Choice[Literal["prospect", "active", "suspended", "churned", "closed"]] | None = field(
        "Where the customer stands: not yet buying, buying, on hold, left, or closed for good."
    )
    parent: Reference | None = field("The customer that owns this one, in a group of companies.", reference="account")
    seller: Reference | None = field("Which of our companies sells to this customer.", reference="legal_entity")
    currency: Currency | None = field(
        "The currency in which the customer is invoiced, unless a contract says otherwise."
    )
    payment_terms: Code | None = field(
        "When invoices fall due, as a code: NET30 is thirty days after the invoice date."
    )
    billing_address: Address | None = field("Where invoices are addressed; decides the tax.", match=True, personal=True)
    shipping_address: Address | None = field("Where goods or services are delivered, when elsewhere.", personal=True)
    tax_id: TaxId | None = field(
        "The tax number under which the customer buys, with its country; check digits are verified.",
        match=True,
        indexed=True,
    )
    identifiers: Identifiers | None = field(
        "Other numbers that name the customer: lei, duns, passport, ssn, drivers_license and so on.",
        match=True,
        personal=True,
    )
    industry: Text | None = field("What the customer does, in the words of the system that says so.")
    segment: Choice[Literal["enterprise", "mid_market", "small"]] | None = field(
        "The size class by which customers are sold to."
    )
    external_number: Code | None = field(
        "The customer number that systems hand to each other, usually given by the ledger.",
        match=True,
        indexed=True,
    )
