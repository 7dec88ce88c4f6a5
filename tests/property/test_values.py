"""Any JSON into any field of any entity: read without raising, idempotent, storable as JSON."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from canonical.catalogue import ENTITIES
from canonical.entity import Field
from canonical.findings import FINDINGS, Severity

FIELDS = [field for entity in ENTITIES.values() for field in entity.fields.values()]
NAMES = [f"{name}.{field}" for name, entity in ENTITIES.items() for field in entity.fields]

NASTY = st.sampled_from(
    [
        "", " ", "N/A", "\0", "\ud800", "\u200b", "İ@x.de", "a@ß.de", "xn--zzzz", "1e999", "-0", "1,234",
        "١٢٣", "²", "½.5",
        "31.02.2026", "29/02/2023", "0000-00-00", "9999-12-31", "9999-12-31T23:59:59-12:00", "1.1.50",
        "99999999999999999",
        "+", "+0", "00", "GB", "XI123456789", "EL094259216", "CHE107787577MWST", "NO995525828MVA", "::",
        "a:b:c:d", "€1", "1 €",
        "EUR", "EURO 5", "T", "Null", "http://[::1]/", "www.www.a.de", "www.a.de.", "A" * 3000, "{x}", "%s",
        "ﬁ", "ﷺ",
    ]
)  # fmt: skip
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.decimals() | st.text(max_size=24) | NASTY
    | st.text("0123456789.,-/+ ()eE:TZ", max_size=20) | st.text("ABCDEGHLNOTVXabc0123456789@. :-",
    max_size=24)
    | st.emails() | st.datetimes().map(str) | st.dates().map(lambda day: day.strftime("%d/%m/%y"))
)  # fmt: skip
PARTS = st.sampled_from(
    sorted(
        {"amount", "currency", "minor", "number", "country", "type", "value", "start", "end", "last",
        "line1", "line2", "city",
         "postcode", "region", "key", "period", "quantity", "tax", "up_to", "kind", "effective_on", "note",
         "invoice", "other"}
    )
)  # fmt: skip
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PARTS, inner, max_size=5),
    max_leaves=8,
)


def check(field: Field, raw: Any) -> None:
    """The promise of `Field.read`, for one raw value."""
    value, finding = field.read(raw)
    json.dumps(value, allow_nan=False).encode()
    again, repeated = field.read(value)
    assert again == value
    assert type(again) is type(value)
    assert repeated is None or repeated.severity is not Severity.ERROR
    if finding is not None:
        assert finding.code in FINDINGS
        assert finding.field is not None
        assert finding.field.startswith(field.name)
        assert value is None or finding.severity is not Severity.ERROR
    assert field.doubtful(value) in (True, False)


@pytest.mark.parametrize("field", FIELDS, ids=NAMES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(raw=JSON)
def test_reading_of_any_json_is_total_idempotent_and_storable(field: Field, raw: Any) -> None:
    check(field, raw)


@pytest.mark.parametrize("field", FIELDS, ids=NAMES)
def test_reading_of_extremes_is_total(field: Field) -> None:
    deep: Any = "x"
    for _ in range(5_000):
        deep = [deep]
    deeper: Any = {"line1": "x"}
    for _ in range(2_000):
        deeper = {"amount": {"line1": deeper}}
    for raw in (
        deep,
        deeper,
        10**6000,
        "9" * 100_000,
        "a@" * 5_000,
        Decimal("sNaN"),
        Decimal("1e999999"),
        1e308,
        float("nan"),
    ):
        check(field, raw)


@settings(max_examples=300, deadline=None)
@given(number=st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**12), max_value=10**12))
def test_money_written_in_any_notation_is_the_same_amount(number: Decimal) -> None:
    total = ENTITIES["invoice"]["total"]
    english = f"{number:,.2f}"
    german = english.translate(str.maketrans(",.", ".,"))
    read = {
        json.dumps(total.read({"amount": raw, "currency": "EUR"})[0]) for raw in (number, str(number), english, german)
    }
    assert len(read) == 1
    assert "null" not in read
