"""A person at a customer."""

from __future__ import annotations

from typing import ClassVar, Literal

from canonical.entity import CanonicalEntity, field
from canonical.values import Choice, Code, Email, PersonName, Phone, Reference, Text


class Contact(CanonicalEntity):
    """A person at a customer whom we write to, call, or send invoices."""

    entity_name: ClassVar[str] = "contact"
    id_prefix: ClassVar[str] = "con"
    label_fields: ClassVar[tuple[str, ...]] = ("full_name", "family_name", "email")

    account: Reference | None = field("The customer for whom the person acts.", reference="account")
    given_name: PersonName | None = field("The first name.", match=True, personal=True)
    family_name: PersonName | None = field("The last name.", match=True, personal=True)
    full_name: PersonName | None = field(
        "The whole name, where a system keeps it in one field.", match=True, personal=True
    )
    email: Email | None = field("The person's mail address.", match=True, personal=True, indexed=True)
    phone: Phone | None = field(
        "The person's phone number, in E.164 where the country is known.", match=True, personal=True
    )
    job_title: Text | None = field("What the person does there, as written on a card.", personal=True)
    role: Choice[Literal["billing", "technical", "executive", "other"]] | None = field(
        "What we talk to the person about; billing contacts receive invoices."
    )
    language: Code | None = field("The language in which to write, as a code such as de or en-GB.")
    status: Choice[Literal["active", "inactive"]] | None = field("Whether the person may still be written to.")
