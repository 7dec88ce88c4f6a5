"""The Salesforce-like CRM: accounts, contacts, products, price book, contracts with items and amendments."""

from __future__ import annotations

from random import Random
from typing import Any

from seed import dirt
from seed.catalogue import OWN_COMPANIES, PRODUCTS, OwnCompany, Product, lookup_key, unit_price
from seed.company import Company
from seed.life import Contract
from seed.names import Person
from seed.times import moment, salesforce
from seed.writer import Writer

_TYPES = {"active": "Customer", "prospect": "Prospect", "churned": "Former Customer", "suspended": "On Hold"}
_CONTRACT_STATES = {"active": "Activated", "cancelled": "Cancelled", "expired": "Expired", "draft": "Draft",
                    "past_due": "Activated", "paused": "Activated"}  # fmt: skip
_TITLES = ("CFO", "CTO", "CEO", "Head of Procurement", "Accounts Payable", "IT Manager", "Office Manager", None)
_ROLES = ("Billing", "Technical", "Executive", "Other")


def key_of(number: int, copy: int = 0) -> str:
    """The CRM's id of a customer; a copy is a second account that somebody opened for it."""
    return f"0013X{number:010d}{copy or ''}"


def account(out: Writer, company: Company, rng: Random, **changes: Any) -> str:
    """A CRM account; its key. `changes` replace fields of the payload."""
    payload = account_payload(company, rng) | changes
    out.line("crm", "accounts", payload)
    out.truth("crm", "account", payload["Id"], company.thing)
    return str(payload["Id"])


def account_payload(company: Company, rng: Random) -> dict[str, Any]:
    """What the CRM says of a customer."""
    street, address = dirt.place(company, 0.5, rng)
    person, country = company.is_person, company.country
    return {
        "attributes": {"type": "Account", "url": f"/services/data/v62.0/sobjects/Account/{key_of(company.id)}"},
        "Id": key_of(company.id), "Name": company.own_name if company.name.own and rng.random() < 0.6 else dirt.name(company, rng),
        "Trading_Name__c": company.name.latin if company.name.own else None, "Type": _TYPES[company.status], "ParentId": None,
        "Website": dirt.maybe(company.domain and f"https://www.{company.domain}", 0.2, rng),
        "Email__c": dirt.maybe(company.email, 0.5, rng), "Phone": dirt.maybe(dirt.phone(company, rng), 0.25, rng),
        "BillingStreet": street, "BillingCity": address.city.name, "BillingState": address.city.region or None,
        "BillingPostalCode": address.postcode, "BillingCountry": country.own_name if rng.random() < 0.2 else country.name,
        "CurrencyIsoCode": country.currency, "Industry": company.industry, "Segment__c": company.segment,
        "IsPersonAccount": person, "FirstName": company.person.given if person else None,
        "LastName": company.person.family if person else None, "PersonBirthdate": company.born or None, "Passport__c": None,
        "AccountNumber": dirt.maybe(company.number, 0.6, rng), "DunsNumber": None,
        "VAT__c": dirt.maybe(company.tax_id, 0.55, rng), "OwnerId": f"005{rng.randrange(1, 40):012d}",
        "IsDeleted": False, "MasterRecordId": None, "SystemModstamp": salesforce(moment(rng)),
    }  # fmt: skip


def contact(out: Writer, company: Company, person: Person, key: str, rng: Random, **changes: Any) -> str:
    """A person at a customer; `key` is the account's."""
    payload = {
        "attributes": {"type": "Contact"}, "Id": f"0033X{company.id:010d}", "AccountId": key, "FirstName": person.given,
        "LastName": person.family, "Email": mail_of(company, person), "Phone": dirt.maybe(dirt.phone(company, rng), 0.6, rng),
        "Title": rng.choice(_TITLES), "Role__c": rng.choice(_ROLES), "IsDeleted": False, "SystemModstamp": salesforce(moment(rng)),
    } | changes  # fmt: skip
    out.line("crm", "contacts", payload)
    out.truth("crm", "contact", str(payload["Id"]), thing_of(company, person))
    return str(payload["Id"])


def mail_of(company: Company, person: Person) -> str:
    """The person's address at the customer."""
    return f"{person.mailbox}@{company.domain}" if company.domain else company.email


def thing_of(company: Company, person: Person) -> str:
    """What the truth calls a person at a customer."""
    return f"person-{company.id}-{person.mailbox}"


def contract_key(contract: Contract) -> str:
    """The CRM's id of a contract."""
    return f"8003X{contract.number[4:].replace('-', ''):0>10}"


def contract(out: Writer, made: Contract, account_key: str, rng: Random, **changes: Any) -> str:
    """The contract as it was signed, with what was agreed afterwards; its key."""
    key, currency = contract_key(made), made.currency
    payload = {
        "attributes": {"type": "Contract"}, "Id": key, "ContractNumber": made.number, "AccountId": account_key,
        "Seller__c": made.seller, "Status": _CONTRACT_STATES[made.status], "CurrencyIsoCode": currency,
        "StartDate": made.start.isoformat(), "EndDate": made.end.isoformat(), "Renewal__c": made.renewal.title(),
        "TotalValue__c": str(made.total), "CancelledDate__c": made.cancelled_on.isoformat() if made.cancelled_on else None,
        "OrderItems": [{
            "Id": f"{key}i{at}", "ProductCode": item.sku, "PricebookEntryId": lookup_key(item.sku, currency), "Quantity": item.quantity,
            "UnitPrice": str(item.unit), "TotalPrice": str(item.amount),
        } for at, item in enumerate(made.items, 1)],
        "Amendments__r": [{
            "Id": f"{key}a{at}", "Kind__c": one.kind, "EffectiveDate__c": one.effective.isoformat(),
            "ApprovedDate__c": one.approved.isoformat(), "ApprovedBy__c": "Deal Desk", "NewSeller__c": one.seller, "Note__c": one.note,
        } for at, one in enumerate(made.amendments, 1)],
        "IsDeleted": False, "SystemModstamp": salesforce(moment(rng)),
    } | changes  # fmt: skip
    out.line("crm", "contracts", payload)
    out.truth("crm", "subscription", key, f"contract-{made.number}")
    return key


def catalogue(out: Writer, rng: Random) -> None:
    """Products, their prices in every currency, and our own companies."""
    for product in PRODUCTS.values():
        _product(out, product, rng)
    for own in OWN_COMPANIES:
        _own_company(out, own, rng)


def price(out: Writer, product: Product, currency: str, rng: Random) -> None:
    """A product's list price in one currency."""
    key = lookup_key(product.sku, currency)
    payload = {
        "attributes": {"type": "PricebookEntry"}, "Id": f"01u{key}", "Product2Id": f"01t{product.sku}", "PriceKey__c": key,
        "Name": f"{product.name} {currency}", "UnitPrice": str(unit_price(product.sku, currency)), "CurrencyIsoCode": currency,
        "BillingPeriod__c": "One Time" if product.kind == "one_time" else "Monthly", "ValidFrom__c": "2023-01-01",
        "IsActive": product.active, "IsDeleted": False, "SystemModstamp": salesforce(moment(rng)),
    }  # fmt: skip
    out.line("crm", "prices", payload)
    out.truth("crm", "price", f"01u{key}", f"price-{key}")


def _product(out: Writer, product: Product, rng: Random) -> None:
    payload = {
        "attributes": {"type": "Product2"}, "Id": f"01t{product.sku}", "ProductCode": product.sku, "Name": product.name,
        "Description": f"{product.name}, charged by {product.unit.lower()}", "Family": product.family,
        "ChargeType__c": product.kind, "QuantityUnitOfMeasure": product.unit, "IsActive": product.active, "IsDeleted": False,
        "SystemModstamp": salesforce(moment(rng)),
    }  # fmt: skip
    out.line("crm", "products", payload)
    out.truth("crm", "product", f"01t{product.sku}", f"product-{product.sku}")


def _own_company(out: Writer, own: OwnCompany, rng: Random) -> None:
    payload = {
        "attributes": {"type": "LegalEntity"}, "Id": f"0fo{own.code}", "CompanyCode__c": own.code, "Name": own.name,
        "LegalEntityCountry": own.country, "CurrencyIsoCode": own.currency, "Status": "Active",
        "IsDeleted": False, "SystemModstamp": salesforce(moment(rng)),
    }  # fmt: skip
    out.line("crm", "legal_entities", payload)
    out.truth("crm", "legal_entity", f"0fo{own.code}", f"own-company-{own.code}")
