"""What each kind of field makes of what systems send.

A row is the field, the raw value, its normal form, and the code of the finding.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from canonical.catalogue import ENTITIES
from canonical.findings import Severity

GERMAN = {"country": "DE", "type": "vat", "number": "DE136695976"}
BRITISH = {"country": "GB", "type": "vat", "number": "GB980780684"}

TEXT = [
    ("account.legal_name", "  Acme\u00a0 \t GmbH\u200b ", "Acme GmbH", None),
    ("account.legal_name", "Mu\u0308ller", "Müller", None),
    ("account.legal_name", 4711, "4711", None),
    ("account.legal_name", " \u200b", None, None),
    ("account.legal_name", "N/A", "N/A", "HUB-3302"),
    ("account.legal_name", "Test Company", "Test Company", "HUB-3302"),
    ("account.legal_name", "Testa S.p.A.", "Testa S.p.A.", None),
    ("account.legal_name", True, None, "HUB-3301"),
    ("account.legal_name", {"a": 1}, None, "HUB-3301"),
    ("account.legal_name", "a\0b", None, "HUB-3104"),
    ("account.legal_name", "a\ud800", None, "HUB-3104"),
    ("account.legal_name", "x" * 501, None, "HUB-3301"),
    ("contact.family_name", "Null", "Null", None),
    ("contact.family_name", "Na", "Na", None),
    ("contact.full_name", "John Doe", "John Doe", "HUB-3302"),
    ("contact.given_name", "FNU", "FNU", "HUB-3302"),
    ("account.payment_terms", " NET 30 ", "NET30", None),
    ("account.external_number", "000123", "000123", None),
    ("account.external_number", "0000000", "0000000", "HUB-3302"),
    ("account.external_number", Decimal("1E+3"), "1000", None),
    ("account.status", "Churned", "churned", None),
    ("account.segment", "Mid-Market", "mid_market", None),
    ("account.status", "gone", None, "HUB-3301"),
    ("account.parent", "crm:account:A:1", "crm:account:A:1", None),
    ("account.parent", "A1", None, "HUB-3301"),
    ("tax_registration.verified", "Yes", True, None),
    ("tax_registration.verified", 0, False, None),
    ("tax_registration.verified", "perhaps", None, "HUB-3301"),
]
REACHED = [
    ("account.email", " Jane.DOE@Acme.Example ", "jane.doe@acme.example", None),
    ("account.email", "Jane <mailto:j@acme.test>", "j@acme.test", None),
    ("account.email", "jö@straße.de", "jö@xn--strae-oqa.de", None),
    ("account.email", "test@test.com", "test@test.com", "HUB-3302"),
    ("account.email", "a@b.com; c@d.com", None, "HUB-3301"),
    ("account.email", "a@localhost", None, "HUB-3301"),
    ("account.email", "n/a", None, "HUB-3302"),
    ("account.domain", "https://www.Acme.example:8080/path?q", "acme.example", None),
    ("account.domain", "jane@acme.example", "acme.example", None),
    ("account.domain", "Straße.de", "xn--strae-oqa.de", None),
    ("account.domain", "gmail.com", "gmail.com", "HUB-3302"),
    ("account.domain", "10.0.0.1", None, "HUB-3301"),
    ("account.phone", "+44 (0)20 7123 4567", "+442071234567", None),
    ("account.phone", "0044 20 7123 4567", "+442071234567", None),
    ("account.phone", {"number": "0171 1234567", "country": "Germany"}, "+491711234567", None),
    ("account.phone", "702-919-1300", "7029191300", "HUB-3304"),
    ("account.phone", "+44 20 7123 4567 ext. 12", "+442071234567", "HUB-3304"),
    ("account.phone", "000-000-0000", "0000000000", "HUB-3302"),
    ("account.phone", "+999 123 4567", "+9991234567", "HUB-3303"),
    ("account.phone", "call me", None, "HUB-3301"),
]
PLACES = [
    ("legal_entity.country", "UK", "GB", None),
    ("legal_entity.country", "U.S.A.", "US", None),
    ("legal_entity.country", "Deutschland", "DE", None),
    ("legal_entity.country", "côte d’ivoire", "CI", None),
    ("legal_entity.country", "Ivory Coast", "CI", None),
    ("legal_entity.country", "Kosovo", "XK", None),
    ("legal_entity.country", "EL", "GR", None),
    ("legal_entity.country", "can", "CA", None),
    ("legal_entity.country", "Atlantis", None, "HUB-3301"),
    (
        "account.billing_address",
        {"line1": "1 High St\r\nFloor 2", "postcode": "sw1a 1aa", "country": "England"},
        {"line1": "1 High St", "line2": "Floor 2", "postcode": "SW1A 1AA", "country": "GB"},
        None,
    ),
    ("account.billing_address", {"line1": "N/A", "city": " ", "country": None}, None, "HUB-3302"),
    ("account.billing_address", {"city": "Bonn", "country": "Atlantis"}, {"city": "Bonn"}, "HUB-3301"),
    ("account.billing_address", "1 High St, London", {"line1": "1 High St, London"}, None),
    ("account.billing_address", {"street": "x"}, None, "HUB-3301"),
]
MONEY = [
    ("account.currency", "eur", "EUR", None),
    ("account.currency", "$", None, "HUB-3301"),
    (
        "invoice.total",
        {"amount": "1.234,5", "currency": "EUR"},
        {"amount": "1234.50", "currency": "EUR"},
        None,
    ),
    (
        "invoice.total",
        {"amount": "(1,234.50)", "currency": "USD"},
        {"amount": "-1234.50", "currency": "USD"},
        None,
    ),
    (
        "invoice.total",
        {"amount": 1250, "currency": "EUR", "minor": True},
        {"amount": "12.50", "currency": "EUR"},
        None,
    ),
    (
        "invoice.total",
        {"amount": 1250, "currency": "JPY", "minor": True},
        {"amount": "1250", "currency": "JPY"},
        None,
    ),
    ("invoice.total", {"amount": "1.5", "currency": "KWD"}, {"amount": "1.500", "currency": "KWD"}, None),
    ("invoice.total", {"amount": "12.50", "currency": "RSD"}, {"amount": "12.50", "currency": "RSD"}, None),
    ("invoice.total", "12.5 EUR", {"amount": "12.50", "currency": "EUR"}, None),
    ("invoice.total", {"amount": "-0", "currency": "EUR"}, {"amount": "0.00", "currency": "EUR"}, None),
    (
        "invoice.total",
        {"amount": "1,234", "currency": "EUR"},
        {"amount": "1234.00", "currency": "EUR"},
        "HUB-3304",
    ),
    ("invoice.total", {"amount": "12.505", "currency": "EUR"}, None, "HUB-3301"),
    ("invoice.total", {"amount": "1.5", "currency": "JPY"}, None, "HUB-3301"),
    ("invoice.total", {"amount": "1e999"}, None, "HUB-3301"),
    ("invoice.total", {"amount": 10**18, "currency": "EUR"}, None, "HUB-3107"),
    ("entitlement.quantity", "12.500", "12.5", None),
    ("entitlement.quantity", "1 234,5", "1234.5", None),
    ("entitlement.quantity", "12.50-", "-12.5", None),
    ("entitlement.quantity", "0.1234567891", None, "HUB-3107"),
    ("entitlement.quantity", "twelve", None, "HUB-3301"),
]
TIMES = [
    ("account.birth_date", "28.02.1978", "1978-02-28", None),
    ("account.birth_date", "12/31/1978", "1978-12-31", None),
    ("account.birth_date", "31/12/1978", "1978-12-31", None),
    ("account.birth_date", "12/11/1978", "1978-12-11", "HUB-3304"),
    ("account.birth_date", "5/5/1978", "1978-05-05", None),
    ("account.birth_date", "1/7/80", "1980-01-07", "HUB-3304"),
    ("account.birth_date", "31.12.49", "2049-12-31", "HUB-3304"),
    ("account.birth_date", "Mar 1 1970", "1970-03-01", None),
    ("account.birth_date", "1st March, 1970", "1970-03-01", None),
    ("account.birth_date", "19780228", "1978-02-28", None),
    ("account.birth_date", 1767225600, "2026-01-01", None),
    ("account.birth_date", "2026-02-28T23:30:00-05:00", "2026-02-28", None),
    ("account.birth_date", "1900-01-01", "1900-01-01", "HUB-3302"),
    ("account.birth_date", "29.02.2023", None, "HUB-3301"),
    ("payment.paid_at", 1767225600, "2026-01-01T00:00:00Z", None),
    ("payment.paid_at", 1767225600250, "2026-01-01T00:00:00.25Z", None),
    ("payment.paid_at", "2026-01-01T01:00:00+01:00", "2026-01-01T00:00:00Z", None),
    ("payment.paid_at", "01.02.2026 13:45", "2026-02-01T13:45:00Z", None),
    ("payment.paid_at", "12/31/2026 1:45 PM", "2026-12-31T13:45:00Z", None),
    ("payment.paid_at", "0001-01-01T00:00:00+14:00", None, "HUB-3107"),
    (
        "entitlement.valid",
        {"start": "2026-01-01", "last": "31.12.2026"},
        {"start": "2026-01-01", "end": "2027-01-01"},
        None,
    ),
    ("entitlement.valid", {"start": "2026-01-01", "end": "9999-12-31"}, {"start": "2026-01-01"}, None),
    ("entitlement.valid", {"start": "2026-02-01", "end": "2026-01-01"}, None, "HUB-3301"),
]
NUMBERS = [
    ("account.tax_id", "gb 980 7806 84", BRITISH, None),
    ("account.tax_id", {"type": "gb_vat", "number": "980780684"}, BRITISH, None),
    ("account.tax_id", {"country": "Germany", "type": "eu_vat", "number": "136 695 976"}, GERMAN, None),
    (
        "account.tax_id",
        {"country": "DE", "number": "DE136695978"},
        GERMAN | {"number": "DE136695978"},
        "HUB-3303",
    ),
    (
        "account.tax_id",
        {"country": "GB", "number": "000000000"},
        BRITISH | {"number": "GB000000000"},
        "HUB-3302",
    ),
    ("account.tax_id", "EL094259216", {"country": "GR", "type": "vat", "number": "EL094259216"}, None),
    (
        "account.tax_id",
        {"country": "CH", "number": "CHE-107.787.577 IVA"},
        {"country": "CH", "type": "vat", "number": "CHE107787577"},
        None,
    ),
    (
        "account.tax_id",
        {"country": "NO", "number": "NO 995 525 828 MVA"},
        {"country": "NO", "type": "vat", "number": "NO995525828"},
        None,
    ),
    (
        "account.tax_id",
        {"country": "US", "number": "84-1234567"},
        {"country": "US", "type": "ein", "number": "841234567"},
        None,
    ),
    (
        "account.tax_id",
        {"country": "AU", "number": "83 914 571 673"},
        {"country": "AU", "type": "abn", "number": "83914571673"},
        None,
    ),
    ("account.tax_id", "N/A", None, "HUB-3302"),
    ("account.tax_id", {"country": "GB"}, None, "HUB-3301"),
    (
        "account.identifiers",
        [{"type": "SSN", "value": "294-66-9999", "country": "USA"}, {"type": "lei", "value": "none"}],
        [{"type": "ssn", "value": "294669999", "country": "US"}],
        "HUB-3302",
    ),
    (
        "account.identifiers",
        [{"type": "Drivers License", "value": "a 1"}, {"type": "drivers_license", "value": "A1"}],
        [{"type": "drivers_license", "value": "A1"}],
        None,
    ),
    (
        "account.identifiers",
        [{"type": "ssn", "value": "3241"}],
        [{"type": "ssn", "value": "3241"}],
        "HUB-3303",
    ),
]


@pytest.mark.parametrize(("name", "raw", "normal", "code"), TEXT + REACHED + PLACES + MONEY + TIMES + NUMBERS)
def test_field_given_raw_value_reads_normal_form_and_finding(
    name: str, raw: Any, normal: Any, code: str | None
) -> None:
    entity, _, field = name.partition(".")
    value, finding = ENTITIES[entity][field].read(raw)
    assert value == normal
    assert (finding.code if finding else None) == code


def test_value_that_is_assumed_is_not_doubtful() -> None:
    assert not ENTITIES["account"]["phone"].doubtful("7029191300")


def test_value_that_is_a_placeholder_is_doubtful() -> None:
    assert ENTITIES["account"]["phone"].doubtful("0000000000")


def test_list_with_one_good_entry_is_not_doubtful() -> None:
    identifiers = ENTITIES["account"]["identifiers"]
    bad = {"type": "ssn", "value": "3241"}
    assert identifiers.doubtful([bad])
    assert not identifiers.doubtful([bad, {"type": "passport", "value": "P1"}])


def test_equal_keys_of_different_types_are_read_apart() -> None:
    verified, number = ENTITIES["tax_registration"]["verified"], ENTITIES["account"]["external_number"]
    assert [number.read(1)[0], number.read(True)[0]] == ["1", None]
    assert [verified.read(True)[0], verified.read(1)[0]] == [True, True]


def test_finding_of_a_part_names_the_part() -> None:
    finding = ENTITIES["account"]["billing_address"].read({"city": "Bonn", "country": "Atlantis"})[1]
    assert finding is not None
    assert (finding.field, finding.severity) == ("billing_address.country", Severity.WARNING)


def test_messages_never_repeat_the_value() -> None:
    for entity in ENTITIES.values():
        for field in entity.fields.values():
            finding = field.read("s3cret{v}alue!!")[1]
            assert finding is None or "s3cret" not in finding.message


def test_every_field_has_a_description_and_a_schema() -> None:
    for entity in ENTITIES.values():
        for field in entity.fields.values():
            assert field.marks.description
            assert field.schema
