"""The stage of a case: it hands out customers, writes what the systems say of them, and notes the right end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from seed import names, taxes
from seed.company import Company, assemble
from seed.names import CompanyName
from seed.places import country_named
from seed.systems import billing, crm, erp, support
from seed.writer import Writer

FIRST = 90_000_000
ROOM = 40  # customers a case


class Scene:
    """Where a case is played."""

    def __init__(self, out: Writer, case: Callable[[Scene], None], number: int) -> None:
        """The stage of case number so-and-so."""
        self.out, self.name, self.words = out, case.__name__, " ".join((case.__doc__ or "").split())
        self.rng = Random(f"case {self.name}")
        self._next = FIRST + number * ROOM

    def company(self, country: str = "DE", **fields: Any) -> Company:
        """A new customer of a country, active and where it always was, with some fields set."""
        self._next += 1
        land = country_named(country)
        name = fields.pop("called", None)
        made = assemble(self._next, CompanyName(name) if name else names.unmistakable(self._next), land, self.rng)
        fixed: dict[str, Any] = {
            "form": land.forms[0],
            "status": "active",
            "old_address": None,
            "segment": "mid_market",
        }
        if name:  # others may be called so: each has its own domain
            host = f"{names.slug(name)[:30]}-{self._next % 10_000}.example"
            fixed |= {"domain": host, "email": f"accounts@{host}"}
        return replace(made, **(fixed | fields))

    def person(self, given: str, family: str, born: str, **fields: Any) -> Company:
        """A new customer who is a person, in the United Kingdom."""
        someone = names.Person(given, family)
        mail = f"{someone.mailbox}@webmail.example"
        fixed: dict[str, Any] = {"person": someone, "born": born, "form": "", "domain": "", "tax_id": "", "email": mail}
        return self.company("GB", **({"called": someone.full} | fixed | fields))

    def again(self, company: Company, **fields: Any) -> Company:
        """The same customer once more under another number of ours, so that a system can have it twice."""
        self._next += 1
        return replace(company, **({"id": self._next} | fields))

    def other_tax_id(self, company: Company) -> str:
        """Another valid number of the same country."""
        return taxes.tax_number(company.country.code, self.rng)

    def crm(self, company: Company, *, thing: Company | None = None, **changes: Any) -> str:
        """A CRM account with clean values; its source key. `thing` when it truly is another customer."""
        clean = {
            "Name": company.legal_name, "Website": company.domain or None, "Email__c": company.email, "Phone": company.phone,
            "BillingStreet": company.address.street, "BillingCountry": company.country.name,
            "VAT__c": company.tax_id or None, "AccountNumber": None,
        }  # fmt: skip
        written = replace(company, id=thing.id) if thing else company
        key = {"Id": crm.key_of(company.id)}
        return "crm:account:" + crm.account(self.out, written, self.rng, **(clean | key | changes))

    def crm_version(self, company: Company, file: str = "accounts", **changes: Any) -> None:
        """Another delivery of a CRM account that is there already: a later or earlier version, or the same."""
        clean = {"Name": company.legal_name, "VAT__c": company.tax_id or None}
        payload = crm.account_payload(company, Random(company.id)) | clean | changes
        self.out.line("crm", file, payload)

    def crm_twin(self, company: Company, files: Sequence[str], **changes: Any) -> str:
        """One and the same CRM payload, delivered once per name of a file; its source key."""
        payload = crm.account_payload(company, self.rng) | {"Name": company.legal_name} | changes
        for file in files:
            self.out.line("crm", file, payload)
        self.out.truth("crm", "account", payload["Id"], company.thing)
        return f"crm:account:{payload['Id']}"

    def billing(self, company: Company, *, thing: Company | None = None, **changes: Any) -> str:
        """A billing customer with clean values, and its tax registration; its source key."""
        address = company.address
        clean = {
            "id": billing.key_of(company), "name": company.legal_name, "email": company.email, "phone": company.phone,
            "address": {
                "line1": address.street, "line2": None, "city": address.city.name, "state": None, "postal_code": address.postcode,
                "country": company.country.code,
            },
            "metadata": {"customer_number": None, "replaced_by": None},
        }  # fmt: skip
        written = replace(company, id=thing.id) if thing else company
        registered = bool(company.tax_id) and "tax_ids" not in changes
        return "billing:account:" + billing.customer(
            self.out, written, self.rng, registered=registered, **(clean | changes)
        )

    def support(self, company: Company, *, thing: Company | None = None, **changes: Any) -> str:
        """A support organisation with clean values; its source key."""
        fields = {"phone": company.phone, "country": company.country.code}
        clean = {"name": company.legal_name, "domain_names": [company.domain] if company.domain else [], "external_id": None,
                 "organization_fields": fields, "id": support.key_of(company.id)}  # fmt: skip
        written = replace(company, id=thing.id) if thing else company
        return f"support:account:{support.organisation(self.out, written, self.rng, **(clean | changes))}"

    def erp(self, company: Company, *, thing: Company | None = None, **changes: str) -> str:
        """A row of the ledger with clean values; its source key."""
        clean = {
            "KUNDENNR": company.number, "FIRMA": names.as_ledger(company.legal_name), "STRASSE": names.as_ledger(company.address.street),
            "USTID": company.tax_id, "TELEFON": company.phone, "EMAIL": company.email,
        }  # fmt: skip
        written = replace(company, id=thing.id) if thing else company
        return "erp:account:" + erp.customer(self.out, written, self.rng, **(clean | changes))

    def erp_row(self, company: Company, **changes: str) -> None:
        """Another row of the ledger's list for a customer that is there already."""
        self.out.row("erp", "customers", erp.customer_row(company, self.rng) | changes)

    def expect(self, what: str, keys: Sequence[str], **where: Any) -> None:
        """Note what must come of it."""
        self.out.case(self.name, what, keys, self.words, **where)
