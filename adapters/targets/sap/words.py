"""Golden records as business partners, and business partners in the same words: SAP's own field names."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from canonical.record import GoldenRecord

Values = Mapping[str, Any]
CLOSED = frozenset({"closed", "suspended"})
EU = frozenset("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK XI".split())
NAMES = ("OrganizationBPName1", "OrganizationBPName2", "OrganizationBPName3", "OrganizationBPName4")
OWN = (*NAMES, "FirstName", "LastName", "BusinessPartnerIsBlocked")
ADDRESS = ("StreetName", "StreetSuffixName", "CityName", "PostalCode", "Region", "Country")
WIDE = 40  # characters of a part of the name


def partner(golden: GoldenRecord, tax_types: Mapping[str, str]) -> dict[str, Any]:
    """A customer; `tax_types` gives SAP's kind of tax number by country, where it is not the country with a 0."""
    values = golden.values
    address = values.get("billing_address") or {}
    person = values.get("kind") == "person"
    made: dict[str, Any] = {
        "document": "A_BusinessPartner",
        "BusinessPartnerCategory": "1" if person else "2",
        "BusinessPartnerIsBlocked": values.get("status") in CLOSED,
        "StreetName": address.get("line1"), "StreetSuffixName": address.get("line2"), "CityName": address.get("city"),
        "PostalCode": address.get("postcode"), "Region": address.get("region"), "Country": address.get("country"),
        **_tax(values.get("tax_id") or {}, tax_types),
    }  # fmt: skip
    if person:
        made |= {"FirstName": values.get("given_name"), "LastName": values.get("family_name")}
    else:
        made |= dict(zip(NAMES, parted(values.get("legal_name") or values.get("trading_name") or ""), strict=False))
    return filled(made)


def there(raw: Values) -> dict[str, Any]:
    """What SAP has of a partner that was read with its address and tax numbers."""
    address, tax = first(raw, "to_BusinessPartnerAddress"), first(raw, "to_BusinessPartnerTax")
    return filled({
        "document": "A_BusinessPartner", "BusinessPartnerCategory": raw.get("BusinessPartnerCategory"),
        **{name: raw.get(name) for name in OWN}, **{name: address.get(name) for name in ADDRESS},
        "BusinessPartnerIsBlocked": bool(raw.get("BusinessPartnerIsBlocked")),
        "BPTaxType": tax.get("BPTaxType"), "BPTaxNumber": tax.get("BPTaxNumber") or tax.get("BPTaxLongNumber"),
    })  # fmt: skip


def first(raw: Values, name: str) -> Values:
    """The first of what hangs on an entity under that name; nothing if nothing does."""
    return next(iter(several(raw, name)), {})


def several(raw: Values, name: str) -> Sequence[Values]:
    """What hangs on an entity under that name."""
    held = raw.get(name)
    found: Sequence[Values] = held.get("results") or () if isinstance(held, dict) else held or ()
    return found


def parted(name: str) -> list[str]:
    """A name in up to four parts of 40 characters, broken between words where that is possible."""
    return textwrap.wrap(" ".join(name.split()), WIDE)[: len(NAMES)]


def tax_number(body: Values) -> dict[str, str]:
    """The tax number in the field that holds its length."""
    number = str(body["BPTaxNumber"])
    return {"BPTaxType": str(body["BPTaxType"]), "BPTaxNumber" if len(number) <= 20 else "BPTaxLongNumber": number}


def filled(values: Values) -> dict[str, Any]:
    """What says something; SAP writes an empty text where nothing is."""
    return {name: value for name, value in values.items() if value not in (None, "")}


def _tax(tax_id: Values, types: Mapping[str, str]) -> dict[str, str]:
    country = str(tax_id.get("country") or "")
    number = "".join(letter for letter in str(tax_id.get("number") or "") if letter.isalnum()).upper()
    if not country or not number:
        return {}
    front = ("EL" if country == "GR" else country) if country in EU else ""
    return {"BPTaxType": types.get(country, f"{country}0"), "BPTaxNumber": front + number.removeprefix(front)}
