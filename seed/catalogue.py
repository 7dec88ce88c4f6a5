"""What our company sells, at which price, and through which of its own companies."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

_FX = {
    "USD": "1", "EUR": "0.92", "GBP": "0.79", "CHF": "0.89", "NOK": "10.5", "SEK": "10.4", "DKK": "6.9", "PLN": "4", "JPY": "150",
    "AUD": "1.5", "KWD": "0.307", "BHD": "0.377",
}  # fmt: skip
CURRENCIES = tuple(_FX)
PLACES = dict.fromkeys(CURRENCIES, 2) | {"JPY": 0, "KWD": 3, "BHD": 3}
_ONE = {currency: Decimal(1).scaleb(-places) for currency, places in PLACES.items()}


@dataclass(frozen=True, slots=True)
class Product:
    """Something that is sold. The price is one unit's, a month's where it is a service, in US dollars."""

    sku: str
    name: str
    family: str
    kind: str
    unit: str
    price: str
    account: str
    active: bool = True


PRODUCTS: dict[str, Product] = {
    product.sku: product
    for product in (
        Product("CORE-S", "Core Small", "Core", "service", "SEAT", "19", "4400"),
        Product("CORE-L", "Core Large", "Core", "service", "SEAT", "49", "4400"),
        Product("ANALYTICS", "Analytics Add-on", "Insight", "service", "SEAT", "29", "4410"),
        Product("SUPPORT-PLUS", "Support Plus", "Care", "service", "CONTRACT", "250", "4420"),
        Product("API-CALLS", "API Calls", "Metered", "usage", "KCALL", "0.50", "4430"),
        Product("ONBOARDING", "Onboarding", "Care", "one_time", "PROJECT", "1500", "4440"),
        Product("LEGACY-BASIC", "Legacy Basic", "Core", "service", "SEAT", "9", "4400", active=False),
    )
}
SOLD = ("CORE-S", "CORE-L", "ANALYTICS", "SUPPORT-PLUS")  # what contracts are made of
TIERS = ((1000, "1"), (10_000, "0.8"), (None, "0.6"))  # of metered products: up to, share of the price


@dataclass(frozen=True, slots=True)
class OwnCompany:
    """One of our own companies."""

    code: str
    name: str
    country: str
    currency: str
    register: str
    tax_id: str
    street: str
    postcode: str
    city: str
    parent: str = ""


OWN_COMPANIES: tuple[OwnCompany, ...] = (
    OwnCompany(
        "1000", "Concordia Inc", "US", "USD", "DE-7741203", "84-2917364", "400 Congress Avenue", "78701", "Austin"
    ),
    OwnCompany(
        "2000",
        "Concordia Europe GmbH",
        "DE",
        "EUR",
        "HRB 204118",
        "DE136695976",
        "Invalidenstraße 91",
        "10115",
        "Berlin",
        "1000",
    ),
    OwnCompany(
        "3000",
        "Concordia UK Ltd",
        "GB",
        "GBP",
        "09482217",
        "GB980780684",
        "12 Finsbury Square",
        "EC2A 1AS",
        "London",
        "1000",
    ),
    OwnCompany(
        "4000",
        "Concordia Japan KK",
        "JP",
        "JPY",
        "0104-01-151515",
        "5835678256246",
        "Marunouchi 1-6-5",
        "100-0005",
        "Tokyo",
        "1000",
    ),
    OwnCompany(
        "5000", "Concordia Gulf WLL", "KW", "KWD", "KW-338817", "", "Al Hamra Tower", "15000", "Kuwait City", "2000"
    ),
)


def exact(amount: Decimal, currency: str) -> Decimal:
    """The amount rounded to the decimals that the currency has."""
    return amount.quantize(_ONE[currency])


def unit_price(sku: str, currency: str, share: str = "1") -> Decimal:
    """The price of one unit for a month in that currency, or a share of it."""
    return exact(Decimal(PRODUCTS[sku].price) * Decimal(_FX[currency]) * Decimal(share), currency)


def minor(amount: Decimal, currency: str) -> int:
    """The amount in the currency's smallest unit."""
    return int(amount.scaleb(PLACES[currency]))


def lookup_key(sku: str, currency: str) -> str:
    """The name of a price that systems share."""
    return f"{sku}-{currency}-M"
