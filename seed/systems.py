"""What each system says of a customer, in that system's own shape."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from seed import dirt
from seed.world import FAMILY, GIVEN, Customer
from seed.writer import Writer

TODAY = datetime(2026, 10, 1, tzinfo=UTC)
_CRM_TYPE = {"active": "Customer", "prospect": "Prospect", "churned": "Former Customer", "suspended": "On Hold"}


def moment(rng: Random) -> datetime:
    """Some time in the last three years."""
    return TODAY - timedelta(minutes=rng.randint(60, 1_500_000))


def iso(when: datetime) -> str:
    """As Salesforce writes a time."""
    return when.strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def crm_key(customer: Customer) -> str:
    """The CRM's own id."""
    return f"0013X{customer.id:010d}"


def billing_key(customer: Customer) -> str:
    """The billing system's own id."""
    return f"cus_{customer.id * 7919 % 10_000_019:08d}{customer.id:06d}"


def crm_account(out: Writer, customer: Customer, rng: Random, **changes: Any) -> str:
    """A CRM account; its key. `changes` replace fields of the payload."""
    payload = crm_payload(customer, rng) | changes
    key = str(payload["Id"])
    out.line("crm", "accounts", payload)
    out.truth("crm", "account", key, f"customer {customer.id}")
    return key


def crm_payload(customer: Customer, rng: Random) -> dict[str, Any]:
    """What the CRM says of a customer."""
    return {
        "attributes": {"type": "Account"}, "Id": crm_key(customer), "Name": dirt.name(customer, rng), "Trading_Name__c": None,
        "Type": _CRM_TYPE[customer.status], "ParentId": None, "Website": dirt.maybe(f"https://www.{customer.domain}", 0.2, rng),
        "Email__c": dirt.maybe(customer.email, 0.5, rng), "Phone": dirt.maybe(dirt.phone(customer.phone, rng), 0.25, rng),
        "BillingStreet": dirt.street(customer.street, rng), "BillingCity": customer.city, "BillingState": None,
        "BillingPostalCode": customer.postcode, "BillingCountry": customer.country.name,
        "CurrencyIsoCode": customer.country.currency, "Industry": customer.industry, "Segment__c": customer.segment,
        "IsPersonAccount": customer.is_person, "FirstName": customer.given if customer.is_person else None,
        "LastName": customer.family if customer.is_person else None, "PersonBirthdate": customer.born or None,
        "AccountNumber": dirt.maybe(customer.number, 0.6, rng), "VAT__c": dirt.maybe(customer.tax_id, 0.5, rng) or None,
        "OwnerId": f"005{rng.randint(1, 40):012d}", "IsDeleted": False, "MasterRecordId": None,
        "SystemModstamp": iso(moment(rng)),
    }  # fmt: skip


def billing_customer(out: Writer, customer: Customer, rng: Random, **changes: Any) -> str:
    """A billing customer, with its tax registration; its key."""
    key = str(changes.get("id", billing_key(customer)))
    changed = int(moment(rng).timestamp())
    tax = [_tax_entry(key, customer)] if customer.tax_id and rng.random() < 0.85 else []
    payload = {
        "id": key, "object": "customer", "name": dirt.name(customer, rng), "email": customer.email,
        "phone": dirt.maybe(dirt.phone(customer.phone, rng), 0.4, rng), "currency": customer.country.currency.lower(),
        "address": {
            "line1": dirt.street(customer.street, rng), "line2": None, "city": customer.city, "state": None,
            "postal_code": customer.postcode, "country": customer.country.code,
        },
        "tax_ids": {"object": "list", "data": tax}, "tax_exempt": "none", "delinquent": customer.status == "suspended",
        "deleted": False, "livemode": False, "metadata": {"customer_number": dirt.maybe(customer.number, 0.5, rng)},
        "created": changed - 86_400 * 200, "updated": changed,
    }  # fmt: skip
    out.line("billing", "customers", payload | changes)
    out.truth("billing", "account", key, f"customer {customer.id}")
    for entry in (payload | changes)["tax_ids"]["data"]:
        out.truth("billing", "tax_registration", entry["id"], f"registration {entry['value']}")
    return key


def _tax_entry(key: str, customer: Customer) -> dict[str, Any]:
    kind = {"US": "us_ein", "GB": "gb_vat", "CH": "ch_vat", "NO": "no_vat", "JP": "jp_cn"}.get(
        customer.country.code, "eu_vat"
    )
    return {
        "id": f"txi_{key[4:]}", "object": "tax_id", "type": kind, "value": customer.tax_id,
        "country": customer.country.code, "verification": {"status": "verified"},
    }  # fmt: skip


def support_organisation(out: Writer, customer: Customer, rng: Random, **changes: Any) -> str:
    """A support desk's organisation; its key."""
    key = changes.get("id", 360_000_000 + customer.id)
    payload = {
        "id": key, "name": dirt.name(customer, rng), "domain_names": [customer.domain] if rng.random() < 0.85 else [],
        "external_id": dirt.maybe(customer.number, 0.7, rng), "details": None, "notes": None, "group_id": None,
        "shared_tickets": False, "organization_fields": {"phone": dirt.maybe(customer.phone, 0.5, rng), "country": customer.country.code},
        "tags": ["customer"], "created_at": "2023-01-01T00:00:00Z",
        "updated_at": moment(rng).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }  # fmt: skip
    out.line("support", "organizations", payload | changes)
    out.truth("support", "account", str(key), f"customer {customer.id}")
    return str(key)


def erp_customer(out: Writer, customer: Customer, rng: Random, **changes: str) -> str:
    """A row of the ledger's customer list; its key."""
    number = changes.get("KUNDENNR", customer.number)
    row = {
        "KUNDENNR": number, "FIRMA": dirt.name(customer, rng).upper()[:60], "STRASSE": dirt.street(customer.street, rng),
        "PLZ": customer.postcode, "ORT": customer.city, "LAND": customer.country.code, "USTID": customer.tax_id,
        "WAEHRUNG": customer.country.currency, "ZAHLZIEL": rng.choice(("NET30", "NET14", "NET60")), "GESPERRT": "N",
        "GEAENDERT": moment(rng).strftime("%d.%m.%Y"),
    }  # fmt: skip
    out.row("erp", "customers", row | changes)
    out.truth("erp", "account", number, f"customer {customer.id}")
    return number


def crm_contact(out: Writer, customer: Customer, account: str, rng: Random, **changes: Any) -> tuple[str, str, str]:
    """A person at a customer, in the CRM; given name, family name and mail address."""
    person = draw_person(customer, rng)
    key = f"0033X{customer.id:010d}"
    payload = {
        "attributes": {"type": "Contact"}, "Id": key, "AccountId": account, "FirstName": person[0], "LastName": person[1],
        "Email": person[2], "Phone": dirt.maybe(customer.phone, 0.4, rng), "Title": rng.choice(("CFO", "CTO", "Buyer", None)),
        "Role__c": rng.choice(("Billing", "Technical", "Executive", "Other")), "IsDeleted": False,
        "SystemModstamp": iso(moment(rng)),
    }  # fmt: skip
    out.line("crm", "contacts", payload | changes)
    out.truth("crm", "contact", key, f"person {person[2]}")
    return person


def support_user(out: Writer, customer: Customer, person: tuple[str, str, str], rng: Random) -> None:
    """The same person as a user of the support desk."""
    key = 370_000_000 + customer.id
    payload = {
        "id": key, "name": f"{person[0]} {person[1]}", "email": person[2].upper() if rng.random() < 0.1 else person[2],
        "phone": None, "organization_id": 360_000_000 + customer.id, "role": "end-user", "locale": "en",
        "updated_at": moment(rng).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }  # fmt: skip
    out.line("support", "users", payload)
    out.truth("support", "contact", str(key), f"person {person[2]}")


def draw_person(customer: Customer, rng: Random) -> tuple[str, str, str]:
    """Somebody who works at the customer: given name, family name, mail address."""
    given, family = rng.choice(GIVEN), rng.choice(FAMILY)
    return given, family, f"{given}.{family}@{customer.domain}".lower()


def renamed(customer: Customer, **fields: Any) -> Customer:
    """The customer with some fields changed."""
    return replace(customer, **fields)
