"""Where somebody is: country and postal address."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any

import pycountry
from babel import Locale
from pydantic import BeforeValidator, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from canonical.values.placeholders import says_nothing
from canonical.values.reading import Group, as_text, as_token, clean, doubt, folded, is_blank, unreadable

# What people write and neither ISO 3166-1 nor CLDR lists. Keys are in the form of `reading.folded`.
_ALIASES = {
    "uk": "GB", "gbr": "GB", "great britain": "GB", "britain": "GB", "england": "GB", "scotland": "GB",
    "wales": "GB",
    "northern ireland": "GB", "usa": "US", "united states of america": "US", "america": "US",
    "the united states": "US",
    "us of a": "US", "russia": "RU", "ivory coast": "CI", "kosovo": "XK", "xkx": "XK", "el": "GR",
    "holland": "NL",
    "the netherlands": "NL", "czech republic": "CZ", "south korea": "KR", "korea": "KR",
    "north korea": "KP", "vietnam": "VN",
    "viet nam": "VN", "turkey": "TR", "macedonia": "MK", "swaziland": "SZ", "burma": "MM",
    "cape verde": "CV", "macau": "MO",
    "hong kong sar": "HK", "palestine": "PS", "taiwan roc": "TW", "uae": "AE", "prc": "CN",
    "mainland china": "CN",
    "republic of ireland": "IE", "eire": "IE", "vatican": "VA", "east timor": "TL", "brd": "DE",
    "drc": "CD", "laos": "LA",
}  # fmt: skip
_LANGUAGES = (
    "en",
    "de",
    "fr",
    "es",
    "it",
    "nl",
    "pt",
    "pl",
    "sv",
    "da",
    "nb",
    "fi",
    "cs",
    "ja",
    "zh",
    "ko",
    "ru",
    "el",
)


@lru_cache(maxsize=4_096)
def country_code(name: str) -> str | None:
    """The ISO 3166-1 alpha-2 code of a country, from a code or a name in one of our languages."""
    upper = name.upper()
    if upper in _codes():
        return upper
    word = folded(name)
    return _ALIASES.get(word) or _english().get(word) or _own_languages().get(word)


def read_country(raw: object) -> str:
    """The country's two-letter code, "GB"."""
    code = country_code(as_token(raw, 120))
    if code is None:
        raise unreadable("expected a country of ISO 3166, such as GB")
    return code


@lru_cache(maxsize=1)
def _codes() -> frozenset[str]:
    return frozenset(country.alpha_2 for country in pycountry.countries) | {"XK"}


@lru_cache(maxsize=1)
def _english() -> dict[str, str]:
    names: dict[str, str] = {}
    for country in pycountry.countries:
        for attribute in ("alpha_3", "numeric", "name", "official_name", "common_name"):
            if value := getattr(country, attribute, None):
                names[folded(value)] = country.alpha_2
    return names


@lru_cache(maxsize=1)
def _own_languages() -> dict[str, str]:
    """Names in the languages of the shipped markets, from CLDR. A name of two countries names neither."""
    names: dict[str, str] = {}
    for language in _LANGUAGES:
        for code, name in Locale.parse(language).territories.items():
            if code in _codes():
                word = folded(name)
                names[word] = code if names.get(word, code) == code else ""
    return {word: code for word, code in names.items() if code}


def _read_part(raw: object) -> str:
    return as_text(raw, 500)


def _read_postcode(raw: object) -> str:
    return clean(as_token(raw, 32).upper())


Country = Annotated[str, BeforeValidator(read_country), WithJsonSchema({"type": "string", "format": "country"})]
_Part = Annotated[str, BeforeValidator(_read_part)]
_Postcode = Annotated[str, BeforeValidator(_read_postcode)]


class Address(Group):
    """A postal address; only filled parts are kept.

    Raw forms: an object of the parts, or one text, whose first line becomes `line1` and the rest
    `line2`. A part that says nothing ("N/A"), or a country that is none, is left out and noted, for
    the rest is still an address.
    """

    line1: _Part | None = None
    line2: _Part | None = None
    city: _Part | None = None
    region: _Part | None = None
    postcode: _Postcode | None = None
    country: Country | None = None

    @classmethod
    def unfolded(cls, raw: Any, info: ValidationInfo) -> Any:
        """The address as parts that can be read."""
        parts = {"line1": raw} if isinstance(raw, str) else raw
        if not isinstance(parts, dict):
            return raw
        parts = _streets(parts)
        kept = {part: value for part, value in parts.items() if is_blank(value) or not _empty_words(value)}
        if len(kept) < len(parts):
            doubt(info, "HUB-3302", "a part of the address looks like a placeholder and is left out")
        return _without_unreadable_country(kept, info)


def _streets(parts: dict[str, Any]) -> dict[str, Any]:
    """A street of several lines spread over line1 and line2."""
    street = parts.get("line1")
    if not isinstance(street, str) or "\n" not in street.strip() or not is_blank(parts.get("line2")):
        return parts
    first, _, rest = street.strip().partition("\n")
    return parts | {
        "line1": first,
        "line2": ", ".join(line.strip() for line in rest.split("\n") if line.strip()),
    }


def _empty_words(value: object) -> bool:
    return isinstance(value, str) and len(value) < 40 and says_nothing(value.strip())


def _without_unreadable_country(parts: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
    country = parts.get("country")
    if is_blank(country):
        return parts
    try:
        return parts | {"country": read_country(country)}
    except PydanticCustomError:
        doubt(info, "HUB-3301", "the country of the address could not be read and is left out", field=".country")
        return {part: value for part, value in parts.items() if part != "country"}
