"""What companies and people are called. A customer's number gives its name, so no two share one by chance."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from importlib.resources import files
from random import Random

from seed.places import Country

_STRIDE = 1_000_003  # a prime that divides none of the lists' sizes: neighbours get names far apart
_LATIN = str.maketrans({"ß": "ss", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "æ": "ae", "Æ": "AE"})
_LEDGER = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ø": "oe", "Ø": "Oe", "å": "aa", "Å": "Aa"}
)


@dataclass(frozen=True, slots=True)
class CompanyName:
    """A company's name in Latin letters, and in its own script where that is another."""

    latin: str
    own: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody's name."""

    given: str
    family: str

    @property
    def full(self) -> str:
        """Given name first."""
        return f"{self.given} {self.family}"

    @property
    def mailbox(self) -> str:
        """What stands before the @."""
        return f"{ascii_of(self.given)}.{ascii_of(self.family)}".lower().replace(" ", "")


def company_name(number: int, country: Country, rng: Random) -> CompanyName:
    """The name of company number so-and-so, without legal form."""
    if country.script and rng.random() < 0.6:
        own, latin = zip(*(word.split("=") for word in _own_words(number, country.script)), strict=True)
        return CompanyName(" ".join(latin), ("" if country.script == "ja" else " ").join(own))
    kind = rng.random()
    if kind < 0.5:
        start, middle, end, second = _pick(number, _STARTS, _MIDDLES, _ENDS, SECOND)
        return CompanyName(f"{start}{middle}{end} {second}")
    if kind < 0.8:
        first, third, second = _pick(number, FIRST, FIRST, SECOND)
        return CompanyName(f"{first} {third} {second}" if first != third else f"{first} & {third} {second}")
    if kind < 0.9:
        partner, other, second = _pick(number, *2 * (_people(country, "family"),), SECOND)
        return CompanyName(f"{partner} & {other} {second}" if partner != other else f"{partner} {second}")
    city = rng.choice(country.cities).name
    first, third, second = _pick(number, FIRST, SECOND, SECOND)
    return CompanyName(f"{city} {first} {second}" if third == second else f"{first} {third} {second} {city}")


def unmistakable(number: int) -> CompanyName:
    """A name that no ordinary customer has: for the hard cases."""
    start, middle, end, first, second = _pick(number, _STARTS, _MIDDLES, _ENDS, FIRST, SECOND)
    return CompanyName(f"{start}{middle}{end} {first} {second}")


def person(country: Country, rng: Random) -> Person:
    """Somebody of the country."""
    return Person(
        rng.choice(_people(country, "given")), rng.choice(_people(country, "family")).replace("De-Luca", "De Luca")
    )


def ascii_of(text: str) -> str:
    """The text in plain Latin letters, accents dropped."""
    plain = text.translate(_LATIN)
    if plain.isascii():
        return plain
    return "".join(c for c in unicodedata.normalize("NFKD", plain) if c.isascii())


def as_ledger(text: str) -> str:
    """The text as an old ledger keeps it: capitals, ä as AE."""
    return ascii_of(text.translate(_LEDGER)).upper() if not text.isascii() else text.upper()


def slug(text: str) -> str:
    """The text as part of a host name."""
    return "".join(c for c in ascii_of(text).lower().replace(" ", "-").replace("&", "and") if c.isalnum() or c == "-")


def _pick(number: int, *lists: list[str]) -> list[str]:
    """One word of each list; two numbers give the same words only after all combinations were given."""
    place, found = number * _STRIDE, []
    for words in lists:
        place, at = divmod(place, len(words))
        found.append(words[at])
    return found


def _own_words(number: int, script: str) -> list[str]:
    """A name of three words, or of two where the first would be said twice; each word as own=latin."""
    first, third, second = _pick(
        number, _SCRIPTS[f"{script}.first"], _SCRIPTS[f"{script}.first"], _SCRIPTS[f"{script}.second"]
    )
    return [first, second] if first == third else [first, third, second]


def _people(country: Country, kind: str) -> list[str]:
    return _PEOPLE[f"{country.people}.{kind}"]


def _text(name: str) -> str:
    return (files("seed") / "data" / f"{name}.txt").read_text("utf-8")


def _lists(name: str) -> dict[str, list[str]]:
    return {line.split()[0]: line.split()[1:] for line in _text(name).splitlines()}


FIRST = _text("company_first").split()
SECOND = _text("company_second").split()
_STARTS, _MIDDLES, _ENDS = (line.split() for line in _text("brand").splitlines())
_PEOPLE = _lists("people")
_SCRIPTS = _lists("scripts")
