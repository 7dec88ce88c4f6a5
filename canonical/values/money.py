"""Money: an exact amount and its ISO 4217 currency, one group that is never torn apart."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any

from babel.numbers import get_currency_precision, list_currencies
from pydantic import BeforeValidator, ValidationInfo, WithJsonSchema

from canonical.values.numbers import decimal_of
from canonical.values.reading import Group, as_token, is_blank, unreadable

# Where CLDR (babel) gives the digits that people *see*, and ISO 4217 list one gives more that are booked.
_ISO_DIGITS = dict.fromkeys(
    ["AFN", "ALL", "IRR", "KPW", "LAK", "LBP", "MGA", "MMK", "RSD", "SLL", "SOS", "SYP", "YER"], 2
) | {"IQD": 3}  # fmt: skip
_WORDS = {
    "€": "EUR",
    "EURO": "EUR",
    "EUROS": "EUR",
    "£": "GBP",
    "US$": "USD",
    "US DOLLAR": "USD",
    "A$": "AUD",
    "C$": "CAD",
}
_WITH_CODE = re.compile(r"([A-Za-z]{3}|€|£)\s*([-+(\d].*)|(.*[\d)-])\s*([A-Za-z]{3}|€|£)")


def read_currency(raw: object) -> str:
    """The ISO 4217 code in capitals. "$" alone is not one: twenty countries use it."""
    word = as_token(raw, 32).upper()
    code = _WORDS.get(word, word)
    if code not in _currencies():
        raise unreadable("expected a currency of ISO 4217, such as EUR")
    return code


@lru_cache(maxsize=512)
def currency_digits(code: str) -> int:
    """How many decimals the currency is booked with: EUR 2, JPY 0, KWD 3."""
    return _ISO_DIGITS.get(code, get_currency_precision(code))


@lru_cache(maxsize=1)
def _currencies() -> frozenset[str]:
    return frozenset(list_currencies()) - {"XXX", "XTS"}


Currency = Annotated[str, BeforeValidator(read_currency), WithJsonSchema({"type": "string", "format": "currency"})]


class Money(Group):
    """An amount of money: exactly the decimals of its currency, as text.

    Raw forms: {"amount", "currency"}, also with "minor": true when the amount counts cents; "12.50 EUR".
    """

    amount: str
    currency: Currency

    @classmethod
    def unfolded(cls, raw: Any, info: ValidationInfo) -> Any:
        """Amount and currency, the amount in the decimals of the currency."""
        parts = _of_text(raw) if isinstance(raw, str) else raw
        if not isinstance(parts, dict) or is_blank(parts.get("amount")) or is_blank(parts.get("currency")):
            raise unreadable("expected an object with amount and currency")
        code = read_currency(parts["currency"])
        amount = decimal_of(parts["amount"], info)
        if parts.get("minor") is True:
            amount = amount.scaleb(-currency_digits(code))
        rest = {part: value for part, value in parts.items() if part != "minor"}
        return rest | {"amount": _booked(amount, code), "currency": code}


def _of_text(raw: str) -> dict[str, str]:
    """The text "12.50 EUR" or "EUR 12.50" in its parts."""
    found = _WITH_CODE.fullmatch(as_token(raw, 64))
    if not found:
        raise unreadable("expected an amount with its currency, such as 12.50 EUR")
    before, after, amount, code = found.groups()
    return {"amount": after or amount, "currency": before or code}


def _booked(amount: Decimal, code: str) -> str:
    """The amount with exactly the digits of the currency. More decimals are an error, never rounded."""
    digits = currency_digits(code)
    exact = amount.quantize(Decimal(1).scaleb(-digits)) if digits else amount.to_integral_value()
    if exact != amount:
        raise unreadable(f"{code} has {digits} decimals, the amount has more")
    return format(exact or abs(exact), "f")
