"""How the same customer comes to look different in two systems."""

from __future__ import annotations

from random import Random

from seed.company import Company
from seed.names import ascii_of
from seed.places import Address

_FORMS = {
    "Ltd": ("Limited", "Ltd.", "LTD"),
    "Limited": ("Ltd", "Ltd."),
    "PLC": ("plc", "P.L.C."),
    "Inc": ("Incorporated", "Inc."),
    "Corp": ("Corporation", "Corp."),
    "Co": ("Company", "Co."),
    "LLC": ("L.L.C.",),
    "GmbH": ("G.m.b.H.", "Gesellschaft mbH", "gmbh"),
    "GmbH & Co. KG": ("GmbH & Co KG", "GmbH und Co. KG"),
    "AG": ("Aktiengesellschaft",),
    "SAS": ("S.A.S.",),
    "SARL": ("S.A.R.L.", "Sarl"),
    "SA": ("S.A.",),
    "B.V.": ("BV",),
    "S.r.l.": ("Srl", "SRL"),
    "S.p.A.": ("SpA",),
    "S.L.": ("SL", "S.L"),
    "Sp. z o.o.": ("Sp.z o.o.", "Sp. z oo"),
    "A/S": ("AS", "A/S."),
    "Pty Ltd": ("Pty. Ltd.", "Pty Limited"),
    "KK": ("K.K.", "Co., Ltd."),
    "WLL": ("W.L.L.",),
}
_SHORT = (
    ("Street", "St"), ("Road", "Rd"), ("Avenue", "Ave"), ("Drive", "Dr"), ("Lane", "Ln"), ("Boulevard", "Blvd"),
    ("straße", "str."), ("strasse", "str."), ("avenue", "av."), ("boulevard", "bd"), ("Calle", "C/"), ("straat", "str."),
)  # fmt: skip


def name(company: Company, rng: Random) -> str:
    """The name as somebody typed it: another legal form, other case, a slip of the finger, or as it is."""
    if company.is_person:
        person = company.person
        return person.full if rng.random() < 0.85 else f"{person.family}, {person.given}"
    kind = rng.random()
    if kind < 0.52:
        return company.legal_name
    latin = company.name.latin
    if kind < 0.72:
        return f"{latin} {rng.choice(_FORMS.get(company.form, (company.form,)))}"
    if kind < 0.82:
        return latin
    if kind < 0.87:
        return company.legal_name.upper()
    if kind < 0.92:
        return ascii_of(company.legal_name)
    if kind < 0.95:
        return company.legal_name.replace("&", "and").replace("  ", " ") + " "
    return f"{typo(latin, rng)} {company.form}"


def place(company: Company, stale: float, rng: Random) -> tuple[str, Address]:
    """The street as typed, and the address: this share of those who moved is still at the old one."""
    old = company.old_address
    address = old if old is not None and rng.random() < stale else company.address
    street = address.street
    if rng.random() < 0.35:
        for long, short in _SHORT:
            street = street.replace(long, short)
    return street, address


def phone(company: Company, rng: Random) -> str:
    """The number in some spelling: from abroad, from within, without spaces, with dashes."""
    kind = rng.random()
    if kind < 0.45:
        return company.phone
    if kind < 0.65:
        return company.phone.replace(" ", "")
    if kind < 0.9:
        return company.local_phone
    return company.local_phone.replace(" ", "-")


def typo(text: str, rng: Random) -> str:
    """The text with one slip: two letters swapped, one lost or one doubled."""
    at = rng.randrange(1, max(2, len(text) - 2))
    kind = rng.randrange(3)
    if kind == 0:
        return text[:at] + text[at + 1 : at + 2] + text[at] + text[at + 2 :]
    return text[:at] + text[at + 1 :] if kind == 1 else text[:at] + text[at] + text[at:]


def maybe(value: str, missing: float, rng: Random) -> str | None:
    """The value, or nothing: this share of it is missing."""
    return None if rng.random() < missing or not value else value
