"""Numbers: whole ones and decimals, also as people and spreadsheets write them.

"1,234.56", "1.234,56", "1 234,56", "1'234.56", "(12.50)" and "12.50-" are understood. One kind of
separator alone is read so: a point is the decimal point, whatever follows (that is the normal form);
a comma followed by exactly three digits separates thousands, noted as an assumption; any other comma
is a decimal comma. At most 18 digits stand before the point and 9 after.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, ValidationInfo, WithJsonSchema

from canonical.values.reading import as_token, assumed, kind_of, plain_decimal, unreadable

DIGITS_BEFORE, DIGITS_AFTER = 18, 9

_PLAIN = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_POINT_GROUPS = re.compile(r"\d{1,3}(?:\.\d{3})+,\d+|\d{1,3}(?:\.\d{3}){2,}", re.ASCII)
_COMMA_GROUPS = re.compile(r"\d{1,3}(?:,\d{2,3})*,\d{3}(?:\.\d+)?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"\d*,\d+", re.ASCII)


def decimal_of(raw: object, info: ValidationInfo) -> Decimal:
    """The raw number or text as an exact decimal within the limits. Raises `unreadable` otherwise."""
    if isinstance(raw, bool) or not isinstance(raw, int | str | float | Decimal):
        raise unreadable(f"expected a number, got {kind_of(raw)}")
    text = as_token(raw, 64)
    number = Decimal(text) if _PLAIN.fullmatch(text) else Decimal(_as_plain(text, info))
    if number and number.adjusted() >= DIGITS_BEFORE:
        raise unreadable(f"more than {DIGITS_BEFORE} digits before the point", "HUB-3107")
    whole, exponent = number.as_tuple().digits, number.as_tuple().exponent
    if isinstance(exponent, int) and -exponent > DIGITS_AFTER and any(whole[DIGITS_AFTER + exponent :]):
        raise unreadable(f"more than {DIGITS_AFTER} digits after the point", "HUB-3107")
    return number


def read_number(raw: object, info: ValidationInfo) -> str:
    """A decimal as plain text, exact, without trailing zeros: "12.5"."""
    return plain_decimal(decimal_of(raw, info))


def read_integer(raw: object, info: ValidationInfo) -> int:
    """A whole number; 3.0 and "3" are 3, 3.5 is unreadable."""
    if type(raw) is int and -(10**DIGITS_BEFORE) < raw < 10**DIGITS_BEFORE:
        return raw
    number = decimal_of(raw, info)
    if number != number.to_integral_value():
        raise unreadable("expected a whole number")
    return int(number)


def _as_plain(text: str, info: ValidationInfo) -> str:
    """The text in the notation that Decimal takes, from the notations of people."""
    negative = text.startswith(("-", "\u2212", "(")) or text.endswith("-")
    body = re.sub(r"(?<=\d)[ '\u2019](?=\d{3}(?!\d))", "", text.strip("+-\u2212() "))
    if _POINT_GROUPS.fullmatch(body):
        plain = body.replace(".", "").replace(",", ".")
    elif _COMMA_GROUPS.fullmatch(body) and not body.startswith("0"):
        if body.count(",") == 1 and "." not in body:
            assumed(info, "the comma is read as separating thousands")
        plain = body.replace(",", "")
    elif _DECIMAL_COMMA.fullmatch(body):
        plain = body.replace(",", ".")
    else:
        plain = body
    if not _PLAIN.fullmatch(plain):
        raise unreadable("expected a number such as 1234.56")
    return ("-" if negative else "") + plain.lstrip("+-")


Number = Annotated[str, BeforeValidator(read_number), WithJsonSchema({"type": "string", "format": "decimal"})]
Integer = Annotated[int, BeforeValidator(read_integer), WithJsonSchema({"type": "integer"})]
