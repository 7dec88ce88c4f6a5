"""Numbers that an authority gave out: tax ids and other identifiers, with their check digits.

The check digits are python-stdnum's. They tell a mistyped number from a well-formed one, not whether
it was ever issued. A number that fails is kept and doubted (HUB-3303): it is what the source says.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ValidationInfo
from stdnum import get_cc_module
from stdnum.exceptions import InvalidChecksum, ValidationError

from canonical.values.place import Country, country_code
from canonical.values.placeholders import is_dummy_number, says_nothing
from canonical.values.reading import Group, as_token, doubt, folded, is_blank, unreadable

# Countries whose VAT number is written with the country in front (EU, GB, XI, NO, CH).
_PREFIXES = {
    code: code
    for code in [
        "AT",
        "BE",
        "BG",
        "CY",
        "CZ",
        "DE",
        "DK",
        "EE",
        "ES",
        "FI",
        "FR",
        "HR",
        "HU",
        "IE",
        "IT",
        "LT",
        "LU",
        "LV",
        "MT",
        "NL",
        "PL",
        "PT",
        "RO",
        "SE",
        "SI",
        "SK",
        "GB",
        "NO",
        "CH",
    ]
} | {"EL": "GR", "XI": "GB"}
_PREFIX_OF = {country: prefix for prefix, country in _PREFIXES.items() if prefix != "XI"}
_GENERIC_TYPES = frozenset({"", "vat", "tax", "tax_id", "taxid", "tin", "vat_id", "vat_number", "gst_vat"})
# Where a country's own word is not what python-stdnum calls it. US: there is no VAT.
_MODULES = {
    ("US", "vat"): "ein",
    ("IN", "gst"): "gstin",
    ("CH", "vat"): "uid",
    ("NO", "vat"): "orgnr",
    ("GR", "vat"): "vat",
}
_TYPE_WITH_COUNTRY = re.compile(r"(eu|[a-z]{2})_([a-z]\w*)")
_OTHER_CHECKS = {
    "lei": "stdnum.lei",
    "iban": "stdnum.iban",
    "ssn": "stdnum.us.ssn",
    "ein": "stdnum.us.ein",
    "bic": "stdnum.bic",
}
_DUNS_DIGITS = 9


class TaxId(Group):
    """A tax number: {"country", "type", "number"}.

    `type` is "vat" or the country's own word in small letters (ein, abn, gstin). European VAT numbers
    carry their prefix. Raw forms: the parts (a type such as "eu_vat" or "gb_vat" is understood), or
    the number alone, whose prefix then names the country.
    """

    country: Country | None = None
    type: str | None = None
    number: str

    @classmethod
    def unfolded(cls, raw: Any, info: ValidationInfo) -> Any:
        """The parts, the number compact, prefixed and checked."""
        parts = {"number": raw} if isinstance(raw, str | int) and not isinstance(raw, bool) else raw
        if not isinstance(parts, dict) or is_blank(parts.get("number")):
            raise unreadable("expected a tax number with its country")
        if _names_nobody(parts["number"]):
            raise unreadable("a word for nothing instead of a tax number", "HUB-3302")
        number = _compact(parts["number"], 40)
        if not any(character.isdigit() for character in number):
            raise unreadable("a tax number has digits")
        country, kind = _country_and_type(parts, number)
        number = _written(number, country, kind)
        _check_tax_id(number, country, kind, info)
        return parts | {"country": country, "type": kind, "number": number}


class Identifier(Group):
    """Any other number that names somebody: {"type", "value", "country"}.

    The type is a word such as passport, ssn, lei, duns, drivers_license.
    """

    type: str
    value: str
    country: Country | None = None

    @classmethod
    def unfolded(cls, raw: Any, info: ValidationInfo) -> Any:
        """The parts, the value compact and checked."""
        if not isinstance(raw, dict) or is_blank(raw.get("type")) or is_blank(raw.get("value")):
            raise unreadable("expected an object with type and value")
        kind = "_".join(folded(as_token(raw["type"], 60).replace("_", " ")).split())
        value = _compact(raw["value"], 80)
        if is_dummy_number(value):
            doubt(info, "HUB-3302", f"the {kind or 'identifier'} looks like a placeholder")
        elif problem := _identifier_problem(kind, value):
            doubt(info, "HUB-3303", f"the {kind} {problem}")
        return raw | {"type": kind, "value": value}


def _without_empty(raw: Any, info: ValidationInfo) -> Any:
    """Entries without a value, or with a word for "nothing", name nobody: left out."""
    if not isinstance(raw, list):
        return raw
    kept = [entry for entry in raw if not (isinstance(entry, dict) and _names_nobody(entry.get("value")))]
    if any(isinstance(entry, dict) and not is_blank(entry.get("value")) for entry in raw if entry not in kept):
        doubt(info, "HUB-3302", "an identifier looks like a placeholder and is left out")
    return kept


def _names_nobody(value: object) -> bool:
    return is_blank(value) or (isinstance(value, str) and len(value) < 40 and says_nothing(value.strip()))


def _sorted(found: list[Identifier]) -> list[Identifier]:
    return list({(one.type, one.country or "", one.value): one for one in sorted(found, key=_order)}.values())


def _order(one: Identifier) -> tuple[str, str, str]:
    return one.type, one.country or "", one.value


# Each once and in order, so that the same identifiers are equal in whatever order they came.
Identifiers = Annotated[list[Identifier], BeforeValidator(_without_empty), AfterValidator(_sorted)]


def _compact(raw: object, longest: int) -> str:
    """Capital letters and digits only; what separates them for the eye is taken out."""
    text = re.sub(r"[\s.\-\u2010-\u2015/]", "", as_token(raw, longest)).upper()
    if not text or not text.isalnum():
        raise unreadable("an identifier is made of letters and digits")
    return text


def _country_and_type(raw: dict[str, Any], number: str) -> tuple[str | None, str]:
    kind = "" if is_blank(raw.get("type")) else as_token(raw["type"], 40).lower().replace(" ", "_").replace("-", "_")
    country = None if is_blank(raw.get("country")) else country_code(as_token(raw["country"], 120))
    if raw.get("country") and not is_blank(raw["country"]) and country is None:
        raise unreadable("the country of the tax number is none of ISO 3166")
    if found := _TYPE_WITH_COUNTRY.fullmatch(kind):
        kind = found[2]
        country = country or country_code(found[1])
    if country is None and kind in _GENERIC_TYPES and number[2:3].isalnum():
        country = _PREFIXES.get(number[:2]) if re.search(r"\d{5}", number) else None
    return country, _type_of(kind, country)


def _type_of(kind: str, country: str | None) -> str:
    if kind not in _GENERIC_TYPES or country is None or country in _PREFIX_OF:
        return "vat" if kind in _GENERIC_TYPES else _MODULES.get((country or "", kind), kind)
    module = _module(country, "vat")
    return str(module.__name__).rpartition(".")[2] if module else "vat"


def _written(number: str, country: str | None, kind: str) -> str:
    """A European VAT number with its prefix, without the words that some countries append."""
    if kind != "vat" or country not in _PREFIX_OF:
        return number
    if country == "CH":
        number = re.sub(r"(MWST|TVA|IVA|TPV)$", "", number)
    if country == "NO":
        number = number.removesuffix("MVA")
    known = (
        (_PREFIX_OF[country], "XI")
        if country == "GB"
        else (_PREFIX_OF[country], "GR")
        if country == "GR"
        else (_PREFIX_OF[country],)
    )
    prefix = next((one for one in known if number.startswith(one)), None)
    if country == "CH":
        return number if prefix else f"CHE{number}"
    body = number[2:] if prefix else number
    return ("XI" if prefix == "XI" else _PREFIX_OF[country]) + body


def _check_tax_id(number: str, country: str | None, kind: str, info: ValidationInfo) -> None:
    body = _body(number, country or "", kind)
    if is_dummy_number(body):
        doubt(info, "HUB-3302", "the tax number looks like a placeholder")
    elif country and (module := _module(country, kind)) and (problem := _problem(module, body)):
        doubt(info, "HUB-3303", f"the tax number {problem}")


def _body(number: str, country: str, kind: str) -> str:
    """The number as python-stdnum takes it: without the prefix of European VAT numbers."""
    return number[2:] if kind == "vat" and country in _PREFIX_OF and country != "CH" else number


@lru_cache(maxsize=1_024)
def _module(country: str, kind: str) -> Any:
    """python-stdnum's module for the numbers of that kind, or None when it has none."""
    name = _MODULES.get((country, kind), kind)
    if not re.fullmatch(r"[a-z]\w{0,20}", name, re.ASCII):
        return None
    try:
        module = get_cc_module(country.lower(), name)
    except (ImportError, AttributeError):
        return None
    return module if hasattr(module, "validate") else None


def _problem(module: Any, number: str) -> str | None:
    try:
        module.validate(number)
    except InvalidChecksum:
        return "fails its check digit"
    except (ValidationError, ValueError, LookupError, TypeError, AttributeError):
        return "does not have the form that its country gives out"
    return None


def _identifier_problem(kind: str, value: str) -> str | None:
    if kind == "duns":
        return None if len(value) == _DUNS_DIGITS and value.isdigit() else "is not a number of nine digits"
    module = _other_module(kind)
    return _problem(module, value) if module else None


@lru_cache(maxsize=64)
def _other_module(kind: str) -> Any:
    from importlib import import_module

    return import_module(_OTHER_CHECKS[kind]) if kind in _OTHER_CHECKS else None
