"""The Zendesk-like support desk: organisations, users, and what the desk believes a customer may use."""

from __future__ import annotations

from random import Random
from typing import Any

from seed import dirt
from seed.catalogue import PRODUCTS
from seed.company import Company
from seed.life import Contract
from seed.names import Person
from seed.systems.crm import mail_of, thing_of
from seed.times import moment, zulu
from seed.writer import Writer

_ORGANISATIONS, _USERS, _GRANTS = 36_000_000_000, 37_000_000_000, 38_000_000_000
_LANGUAGES = {
    "DE": "de",
    "AT": "de",
    "CH": "de-CH",
    "FR": "fr",
    "ES": "es",
    "IT": "it",
    "JP": "ja",
    "US": "en-US",
    "GB": "en-GB",
}


def key_of(number: int) -> int:
    """The desk's id of a customer."""
    return _ORGANISATIONS + number


def organisation(out: Writer, company: Company, rng: Random, **changes: Any) -> int:
    """A customer as the desk knows it; its key."""
    payload: dict[str, Any] = {
        "id": key_of(company.id), "name": dirt.name(company, rng),
        "domain_names": [company.domain] if company.domain and rng.random() < 0.88 else [],
        "external_id": dirt.maybe(company.number, 0.65, rng), "details": None, "notes": None, "group_id": None, "shared_tickets": False,
        "organization_fields": {"phone": dirt.maybe(dirt.phone(company, rng), 0.5, rng), "country": company.country.code},
        "tags": ["customer", company.segment], "merged_into": None, "created_at": "2023-01-01T00:00:00Z", "updated_at": zulu(moment(rng)),
    } | changes  # fmt: skip
    out.line("support", "organizations", payload)
    out.truth("support", "account", payload["id"], company.thing)
    return int(payload["id"])


def user(out: Writer, company: Company, person: Person, rng: Random, **changes: Any) -> int:
    """A person who writes tickets; the key."""
    mail = mail_of(company, person)
    payload: dict[str, Any] = {
        "id": _USERS + company.id, "name": person.full, "email": mail.upper() if rng.random() < 0.1 else mail, "phone": None,
        "organization_id": key_of(company.id), "role": "end-user", "suspended": False,
        "locale": _LANGUAGES.get(company.country.code, "en"), "updated_at": zulu(moment(rng)),
    } | changes  # fmt: skip
    out.line("support", "users", payload)
    out.truth("support", "contact", payload["id"], thing_of(company, person))
    return int(payload["id"])


def grant(out: Writer, made: Contract, sku: str, rng: Random) -> int:
    """What the desk believes was granted: sometimes an older number of seats or another tier; the key."""
    company = made.company
    quantity = next((item.quantity for item in made.earlier_items if item.sku == sku), 1)
    payload: dict[str, Any] = {
        "id": _GRANTS + company.id * 10 + list(PRODUCTS).index(sku), "key": f"{made.number}:{sku}",
        "organization_id": key_of(company.id), "feature": PRODUCTS[sku].family.lower(),
        "tier": company.segment if rng.random() < 0.8 else "small", "seats": quantity, "state": "open", "updated_at": zulu(moment(rng)),
    }  # fmt: skip
    out.line("support", "entitlements", payload)
    out.truth("support", "entitlement", payload["id"], f"entitlement-{payload['key']}")
    return int(payload["id"])
