"""What a column holds, told from its values and, where those allow several answers, from its name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rules.match import normal
from rules.match.columns import Column
from rules.match.words import LEGAL_FORMS, STREET_WORDS

KINDS = (
    "email", "domain", "phone", "date", "identifier", "postcode", "street", "address", "city", "region", "given_name",
    "family_name", "person", "organisation", "name", "label", "title", "text", "number", "year", "code", "category",
    "coordinate", "empty",
)  # fmt: skip
SAMPLE = 2000  # distinct values that are looked at


@dataclass(frozen=True, slots=True)
class Profile:
    """What was seen of one column."""

    name: str
    kind: str
    filled: float  # share of rows, 0 to 1
    distinct: float  # distinct texts per filled row, 0 to 1
    words: float  # mean number of words
    length: float  # mean number of characters
    example: str
    why: str

    def told(self, kind: str | None) -> Profile:
        """What the column holds by a person's word, where there is one and any row speaks."""
        return replace(self, kind=kind, why="the spec says so") if kind and self.kind != "empty" else self


_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_URL = re.compile(r"(?:https?://\S+|(?:www\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,12}(?:/\S*)?)", re.IGNORECASE)
_PHONE = re.compile(r"\+?[\d\s()./x-]{6,24}(?:\s*(?:ext|x)\.?\s*\d+)?", re.IGNORECASE)
_NUMBER = re.compile(r"[$€£]?\s*-?\d{1,3}(?:[,.]?\d{3})*(?:[.,]\d+)?\s*(?:[$€£%]|usd|eur|gbp)?", re.IGNORECASE)
_LISTED = re.compile(r"\S\*\*\S|\w;\s?\w|\w\|\w")
_HINTS = (  # words of a column's name, and the kinds that it may then be
    (r"e_?mail|^mail", "email"),
    (r"phone|telephone|mobile|^tel|fax", "phone"),
    (r"domain|website|^url|homepage|^web", "domain"),
    (r"^dob|birth_?date|date_?of_?birth|^date|_date$|_at$|birthday|born$", "date"),
    (r"post_?code|^zip|postal", "postcode"),
    (r"^lat|latitude|^lon|^lng|longitude", "coordinate"),
    (r"given|first_?name|fore_?name|^fname|contact_first|_first$|^first", "given_name"),
    (r"middle", "given_name"),
    (r"sur_?name|last_?name|family|^lname|_last$|^last", "family_name"),
    (r"employer|manufacturer|vendor|supplier|brand|parent|make$", "label"),
    (r"org|company|business|firm|legal_name|trading", "organisation"),
    (r"addr.*(?:full|whole)|full_?addr", "address"),
    (r"addr|street|^line_?\d", "street"),
    (r"city|town|suburb|locality|birth_?place|municipality", "city"),
    (r"state|province|region|county|country", "region"),
    (r"full_?name|contact$|person|name_full|native", "person"),
    (r"title|album|song|product", "title"),
    (r"descr|comment|note|text|abstract", "text"),
    (r"tax|vat|ssn|soc|passport|licen[cs]e|national_id|lei$|_id$|^id|number$|_no$", "identifier"),
    (r"isbn|ean|gtin|upc|sku|duns", "identifier"),
    (r"name", "name"),
)  # fmt: skip


def profile(column: Column) -> Profile:
    """What the column holds. `column` has the texts as given, cleaned."""
    spoken = int((column.codes >= 0).sum())
    return told(column.name, column.texts[sampled(len(column.texts))], len(column.texts), (spoken, len(column.codes)))


def sampled(many: int) -> slice:
    """Which of so many distinct texts are looked at."""
    step = max(1, many // SAMPLE)
    return slice(0, step * SAMPLE, step)


def told(name: str, texts: Sequence[str], many: int, rows: tuple[int, int]) -> Profile:
    """What a column holds, told from some of its `many` distinct texts; `rows`: those that speak, and all."""
    if not texts:
        return Profile(name, "empty", 0.0, 0.0, 0.0, 0.0, "", "no row speaks of it")
    spoken, every = rows
    distinct = many / max(spoken, 1)
    words = float(np.mean([len(t.split()) for t in normal.folded(texts)]))
    length = float(np.mean([len(t) for t in texts]))
    kind, why = _kind(name.lower(), texts, (distinct, words, length), many)
    return Profile(name, kind, spoken / max(every, 1), distinct, words, length, texts[0], why)


def _share(texts: Sequence[str], pattern: re.Pattern[str]) -> float:
    return sum(pattern.fullmatch(t.strip()) is not None for t in texts) / len(texts)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the rules look at."""

    name: str
    hint: str  # the kind that the column's name suggests
    texts: Sequence[str]
    distinct: float
    words: float
    length: float
    many: int  # distinct texts
    digits: float  # share of characters
    numeric: float  # share of texts


Said = tuple[str, str] | None  # kind and reason, or nothing to say


def _kind(name: str, texts: Sequence[str], shape: tuple[float, float, float], many: int) -> tuple[str, str]:
    """The first rule that has something to say, from the sure signs to the vague ones."""
    hint = next((kind for pattern, kind in _HINTS if re.search(pattern, name)), "")
    digits = sum(sum(c.isdigit() for c in t) for t in texts) / max(sum(len(t) for t in texts), 1)
    seen = _Seen(name, hint, texts, *shape, many, digits, _share(texts, _NUMBER))
    for rule in (_written, _dated, _reached, _numbered, _coded, _placed, _listed):
        said = rule(seen)
        if said is not None:
            return said
    return _named(seen)


def _written(seen: _Seen) -> Said:
    """Signs that speak for themselves: @, host names, degrees."""
    if (seen.hint == "email" and sum("@" in t for t in seen.texts) > len(seen.texts) / 2) or _share(
        seen.texts, _EMAIL
    ) > 0.6:
        return "email", "most values hold an @"
    if seen.hint == "coordinate" and seen.numeric > 0.8:
        return "coordinate", "its name, and numbers"
    if seen.hint == "domain" or (_share(seen.texts, _URL) > 0.7 and seen.digits < 0.3):
        return "domain", "most values are host names"
    return None


def _dated(seen: _Seen) -> Said:
    """Dates that can be read, of these centuries where the name does not say so."""
    read = normal.dates(seen.texts)
    plausible = sum(d[:2] in ("15", "16", "17", "18", "19", "20") for d in read) / len(read)
    told = seen.hint == "date" and sum(map(bool, read)) > 0.6 * len(read)
    if told or (plausible > 0.85 and seen.hint not in ("identifier", "phone", "postcode")):
        return "date", "most values are dates"
    return None


def _reached(seen: _Seen) -> Said:
    """Telephone numbers, postcodes, parts of persons' names."""
    grouped = seen.length >= 9 and _share(seen.texts, _PHONE) > 0.8 and _punctuated(seen.texts)
    if seen.hint == "phone" or (seen.hint not in ("identifier", "number") and grouped):
        return "phone", "digits in groups of a telephone number"
    if seen.hint == "postcode" and seen.length < 12:
        return "postcode", "its name, and short codes"
    if seen.hint in ("given_name", "family_name") and seen.digits < 0.2:
        return seen.hint, "its name"
    if seen.many <= 2 and seen.distinct < 0.5:
        return "category", "no more than two different values"
    if seen.hint == "identifier" and seen.words < 3.5 and seen.distinct > 0.15:
        return "identifier", "its name"
    return None


def _numbered(seen: _Seen) -> Said:
    """Numbers: years, codes, identifiers, amounts; streets before them."""
    if seen.numeric > 0.9:
        return _numeric(seen)
    if seen.hint in ("street", "address"):
        return _address(seen.texts, seen.words, seen.hint)
    if "year" in seen.name and seen.digits > 0.5:
        return "year", "its name, and digits"
    return _numeric(seen) if seen.digits > 0.6 and seen.length <= 14 else None


def _coded(seen: _Seen) -> Said:
    if seen.digits > 0.25 and seen.words < 3.0 and seen.length <= 24:
        return ("identifier", "codes, nearly all different") if seen.distinct > 0.3 else ("code", "short codes")
    return None


def _placed(seen: _Seen) -> Said:
    """What the name says, where the values do not contradict it."""
    if seen.hint in ("region", "city", "organisation", "person", "text", "label"):
        return (seen.hint, "its name") if seen.words < 8 or seen.hint == "text" else ("text", "long texts")
    if (seen.distinct < 0.02 and seen.many < 60) or (seen.many <= 12 and seen.distinct < 0.3):
        return "category", "few different values"
    return None


def _listed(seen: _Seen) -> Said:
    if sum(bool(_LISTED.search(t)) for t in seen.texts) > 0.3 * len(seen.texts):
        return "text", "lists"
    if seen.distinct < 0.15 and seen.words < 4 and seen.hint not in ("name", "title"):
        return "label", "short texts that many rows share"
    if seen.words > 11 or seen.length > 80:
        return "text", "long texts"
    return None


def _punctuated(texts: Sequence[str]) -> bool:
    return sum(any(c in "+-()./ " for c in t.strip()) for t in texts) > 0.4 * len(texts)


def _numeric(seen: _Seen) -> tuple[str, str]:
    whole = sum(t.strip().isdigit() for t in seen.texts) / len(seen.texts)
    if whole > 0.9 and (seen.distinct > 0.5 or (seen.length >= 7 and seen.distinct > 0.15)) and seen.length >= 5:
        return "identifier", "whole numbers, many different"
    if seen.numeric < 0.5 and not any(c in t for t in seen.texts[:50] for c in ":$€£"):
        return ("identifier", "codes, many different") if seen.distinct > 0.3 else ("code", "short codes")
    if "year" in seen.name:
        return "year", "its name, and digits"
    if whole > 0.7 and not re.search(
        r"price|amount|total|length|size|weight|width|height|duration|count|salary", seen.name
    ):
        return "code", "whole numbers"
    return "number", "amounts"


def _address(texts: Sequence[str], words: float, hint: str) -> tuple[str, str]:
    parts = sum("," in t for t in texts) / len(texts)
    if hint == "address" or (words > 5 and parts > 0.5):
        return "address", "street, place and more in one"
    numbered = sum(any(c.isdigit() for c in t) for t in texts) / len(texts)
    worded = sum(any(w in STREET_WORDS for w in t.lower().split()) for t in texts) / len(texts)
    return ("street", "streets") if numbered + worded > 0.2 or words > 1 else ("city", "single words")


def _named(seen: _Seen) -> tuple[str, str]:
    lowered = [set(t.lower().replace(".", "").replace(",", " ").split()) for t in seen.texts]
    legal = sum(bool(t & LEGAL_FORMS) for t in lowered) / len(lowered)
    numbered = [t[:1].isdigit() and bool(s & STREET_WORDS.keys()) for t, s in zip(seen.texts, lowered, strict=True)]
    if sum(numbered) > 0.4 * len(numbered):
        return "street", "numbers and street words"
    if legal > 0.15 and seen.hint != "title":
        return "organisation", "legal forms of enterprises"
    if seen.hint == "name":
        return ("name", "its name") if seen.words < 5.5 else ("title", "names of many words")
    if seen.hint:
        return seen.hint, "its name"
    return ("title", "texts of several words") if seen.words >= 3.5 else ("name", "short texts")
