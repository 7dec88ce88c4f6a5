"""How the same customer comes to look different in two systems."""

from __future__ import annotations

from random import Random

from seed.world import Customer

_LONG_FORMS = {
    "Ltd": "Limited",
    "Inc": "Incorporated",
    "Corp": "Corporation",
    "GmbH": "G.m.b.H.",
    "Limited": "Ltd.",
    "LLC": "L.L.C.",
}
_SHORT = {
    "Street": "St",
    "Road": "Rd",
    "Avenue": "Ave",
    "Drive": "Dr",
    "Lane": "Ln",
    "straße": "str.",
    "strasse": "str.",
}


def name(customer: Customer, rng: Random) -> str:
    """The name as somebody typed it: another legal form, other case, a slip of the finger, or as it is."""
    if customer.is_person:
        return customer.legal_name if rng.random() < 0.8 else f"{customer.family}, {customer.given}"
    kind = rng.random()
    if kind < 0.45:
        return customer.legal_name
    if kind < 0.65:
        return f"{customer.name} {_LONG_FORMS.get(customer.form, customer.form)}"
    if kind < 0.78:
        return customer.name
    if kind < 0.88:
        return customer.legal_name.upper()
    return typo(customer.name, rng) + f" {customer.form}"


def street(text: str, rng: Random) -> str:
    """The address line, perhaps abbreviated."""
    if rng.random() < 0.4:
        for long, short in _SHORT.items():
            text = text.replace(long, short)
    return text


def phone(text: str, rng: Random) -> str:
    """The number in another spelling."""
    kind = rng.random()
    if kind < 0.3:
        return text.replace(" ", "")
    return text.replace(" ", "-", 2) if kind < 0.4 else text


def typo(text: str, rng: Random) -> str:
    """The text with one slip: two letters swapped, one lost or one doubled."""
    at = rng.randint(1, max(1, len(text) - 3))
    kind = rng.randint(0, 2)
    if kind == 0:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return text[:at] + text[at + 1 :] if kind == 1 else text[:at] + text[at] + text[at:]


def maybe(value: str, share: float, rng: Random) -> str | None:
    """The value, or nothing: this share of it is missing."""
    return None if rng.random() < share else value
