"""Texts into the forms in which they are compared, a whole column at a time.

Every function takes the texts of a column and gives as many, in order; an empty text stays empty.
The work is done on one long string or token by token through a table, never pattern by pattern per
value, so that a million values cost about a second.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence

from anyascii import anyascii

from rules.match.words import (
    BUSINESS_WORDS,
    LEGAL_FORMS,
    LEGAL_PHRASES,
    NUMERALS,
    STREET_WORDS,
    TITLES,
)

LONGEST = 256  # characters; comparing longer texts costs seconds a pair (47 s at 10,000)

_SPACED = str.maketrans({c: " " for c in map(chr, range(128)) if not c.isalnum()} | {"'": "", "`": "", "\n": "\n"})
_INITIALS = re.compile(r"\b(\w) (?=\w\b)")
_DIGITS = re.compile(r"\D+")
_NOT_ALNUM = re.compile(r"[^0-9a-z\n]+")
_NULLS = frozenset(
    {
        "",
        "null",
        "none",
        "nan",
        "n/a",
        "na",
        "n.a.",
        "unknown",
        "-",
        "--",
        "?",
        "nil",
        "(unknown)",
        "[unknown]",
        "undefined",
    }
)


def cleaned(texts: Iterable[object]) -> list[str]:
    """Texts without control characters and surrounding space; words for nothing, and NaN, become empty."""
    found = []
    for text in texts:
        one = "" if text is None else str(text)
        if not one.isprintable():
            one = "".join(c if c.isprintable() else " " for c in one)
        one = one.strip()
        found.append("" if one.casefold() in _NULLS else one)
    return found


def latin(texts: Sequence[str]) -> list[str]:
    """Lower case and in Latin letters: accents off, other scripts transliterated (the tables of anyascii)."""
    whole = "\n".join(texts)
    if whole.isascii():
        return whole.lower().split("\n") if texts else []
    return [t.lower() if t.isascii() else _transliterated(t) for t in texts]


def _transliterated(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text[:LONGEST]).casefold()
    return anyascii("".join(c for c in plain if not unicodedata.combining(c))).replace("\n", " ").lower()


def folded(texts: Sequence[str]) -> list[str]:
    """Latin letters and digits in lower case, everything else one space; at most 256 characters."""
    if not texts:
        return []
    whole = "\n".join(latin([t[:LONGEST] for t in texts])).replace("&", " and ").translate(_SPACED)
    return [" ".join(t.split()) for t in whole.split("\n")]


def compact(texts: Sequence[str]) -> list[str]:
    """Letters and digits alone: an identifier, a postcode. Leading zeros do not count."""
    if not texts:
        return []
    return [t.lstrip("0") for t in _NOT_ALNUM.sub("", "\n".join(latin([t[:LONGEST] for t in texts]))).split("\n")]


def organisation(texts: Sequence[str]) -> list[str]:
    """Company names without legal forms, with common words shortened the same way; never empty by that."""
    if not texts:
        return []
    whole = _INITIALS.sub(r"\1", "\n".join(folded([t.replace(".", "") if t.count(".") > 1 else t for t in texts])))
    whole = LEGAL_PHRASES.sub(" ", whole)
    found = []
    for text in whole.split("\n"):
        words = [BUSINESS_WORDS.get(w, w) for w in text.split()]
        kept = [w for w in words if w not in LEGAL_FORMS]
        found.append(" ".join(kept or words))
    return found


def person(texts: Sequence[str]) -> list[str]:
    """Person names without titles; `Family, Given` in the order of speech."""
    turned = [" ".join(reversed(t.split(",", 1))) if t.count(",") == 1 else t for t in texts]
    found = []
    for text in folded(turned):
        words = text.split()
        kept = [w for w in words if w not in TITLES]
        found.append(" ".join(kept or words))
    return found


def street(texts: Sequence[str]) -> list[str]:
    """Address lines with their common words shortened the same way."""
    return [" ".join(STREET_WORDS.get(w, w) for w in _split_street(text)) for text in folded(texts)]


def _split_street(text: str) -> list[str]:
    words = text.split()
    if any(len(w) > 7 and w.endswith(("strasse", "str")) for w in words):
        return [
            p
            for w in words
            for p in (
                (w.removesuffix("strasse").removesuffix("str"), "st")
                if len(w) > 7 and w.endswith(("strasse", "str"))
                else (w,)
            )
        ]
    return words


def phone(texts: Sequence[str]) -> list[str]:
    """The digits, without international and trunk prefixes; too few digits is no number."""
    found = []
    for text in texts:
        bare = _DIGITS.sub("", text.split("x")[0].split("ext")[0])[:20].lstrip("0")
        found.append(bare if len(bare) >= 6 else "")
    return found


_MAIL = re.compile(r"[^\s<>,;:]+@[^\s<>,;:]+")
_FREE = re.compile(r"^(?:https?://)?(?:www\d?\.)?([^/?#:]*)")


def email(texts: Sequence[str]) -> list[str]:
    """The address alone, in lower case, without a name around it or a tag after a plus."""
    found = []
    for text in latin(texts):
        hit = _MAIL.search(text)
        local, _, host = hit.group().partition("@") if hit else ("", "", "")
        found.append(f"{local.split('+')[0]}@{host}" if hit else "")
    return found


def domain(texts: Sequence[str]) -> list[str]:
    """The host name of a web or mail address, without scheme, www and path."""
    found = []
    for text in latin(texts):
        hit = _FREE.match(text.rpartition("@")[2].strip())
        found.append(hit.group(1) if hit and "." in hit.group(1) else "")
    return found


_MONTHS = {
    name: number
    for number, names in enumerate(
        """
        jan january januar; feb february februar; mar march maerz; apr april; may mai; jun june juni; jul july juli;
        aug august; sep september; oct october oktober; nov november; dec december dezember
        """.split(";"),
        1,
    )
    for name in names.split()
}
_DATE_PARTS = re.compile(r"\d+|[a-z]+")
THIS_CENTURY = 30  # two-digit years up to this one are of this century


def dates(texts: Sequence[str], *, day_first: bool | None = None) -> list[str]:
    """Dates as YYYYMMDD, empty where none can be read; `day_first` is settled by the column when not given."""
    parts = _date_parts(texts)
    if day_first is None:
        first, second = _day_votes(parts)
        day_first = first > second
    return [_date(p, day_first) for p in parts]


def day_votes(texts: Sequence[str]) -> tuple[int, int]:
    """How many dates can only have the day first, and how many only the month."""
    return _day_votes(_date_parts(texts))


def _date_parts(texts: Sequence[str]) -> list[list[str]]:
    return [
        _DATE_PARTS.findall(t.lower().split("t")[0] if "t" in t.lower() and t[:4].isdigit() else t.lower())
        for t in texts
    ]


def _day_votes(parts: Iterable[list[str]]) -> tuple[int, int]:
    firsts = [p for p in parts if len(p) == 3 and all(x.isdigit() for x in p) and len(p[0]) < 3]
    return sum(int(p[0]) > 12 for p in firsts), sum(int(p[1]) > 12 for p in firsts)


def _date(parts: list[str], day_first: bool) -> str:
    if len(parts) == 1 and len(parts[0]) == 8 and parts[0].isdigit():
        return parts[0]
    parts = parts[:3]
    if len(parts) != 3:
        return ""
    named = [i for i, p in enumerate(parts) if p in _MONTHS]
    if named:
        month = _MONTHS[parts.pop(named[0])]
        if not all(p.isdigit() for p in parts):
            return ""
        last, year = (parts[0], parts[1]) if len(parts[0]) < 3 else (parts[1], parts[0])
        return _ymd(year, month, int(last))
    if not all(p.isdigit() for p in parts):
        return ""
    if len(parts[0]) == 4:
        return _ymd(parts[0], int(parts[1]), int(parts[2]))
    first, second = int(parts[0]), int(parts[1])
    day, month = (first, second) if (day_first and second <= 12) or first > 12 else (second, first)
    return _ymd(parts[2], month, day)


def _ymd(year: str, month: int, day: int) -> str:
    if not (1 <= month <= 31 and 1 <= day <= 31 and len(year) in (2, 4)):
        return ""
    century = "" if len(year) == 4 else ("20" if int(year) <= THIS_CENTURY else "19")
    return f"{century}{year}{month:02d}{day:02d}"


_DURATION = re.compile(r"(?:(\d+)\s*h\w*\s*)?(\d+)\s*m\w*\s*(?:(\d+)\s*s\w*)?|(?:(\d+):)?(\d+):(\d+)")


def number(texts: Sequence[str]) -> list[str]:
    """Numbers as plain decimals without currency, thousands and units; durations as seconds; empty if none is read."""
    return [_number(text.strip().lower()) for text in texts]


def coordinate(texts: Sequence[str]) -> list[str]:
    """Degrees; 0.0 is what systems write where they know no place."""
    return ["" if t in ("0", "-0") else t for t in number(texts)]


def _number(text: str) -> str:
    took = _DURATION.fullmatch(text)
    if took:
        hours, minutes, seconds = (int(x or y or 0) for x, y in zip(took.groups()[:3], took.groups()[3:], strict=True))
        return str(hours * 3600 + minutes * 60 + seconds)
    bare = re.sub(r"[^\d.,-]", "", text)[:30]
    if "," in bare and "." in bare:
        bare = bare.replace(",", "") if bare.rfind(".") > bare.rfind(",") else bare.replace(".", "").replace(",", ".")
    elif bare.count(",") == 1 and len(bare) - bare.find(",") != 4:
        bare = bare.replace(",", ".")
    try:
        return f"{float(bare.replace(',', '')):.10g}"
    except ValueError:
        return ""


def words(texts: Sequence[str]) -> list[str]:
    """Words of titles and descriptions, with numerals as digits."""
    plain = [" ".join(NUMERALS.get(w, w) for w in t.split()) for t in folded(texts)]
    return [f"{t} {m}" if m else t for t, m in zip(plain, models(texts), strict=True)]


_CODE = re.compile(r"[a-z0-9]+(?:[-/.][a-z0-9]+)*")


def models(texts: Sequence[str]) -> list[str]:
    """The model numbers in titles: words of three characters and more that hold a digit, without their dashes."""
    found = []
    for text in latin(texts):
        codes = {re.sub(r"[-/.]", "", w) for w in _CODE.findall(text[:LONGEST]) if any(c.isdigit() for c in w)}
        found.append(
            " ".join(
                sorted(
                    c
                    for c in codes
                    if 3 <= len(c) <= 24 and (len(c) > 3 or not c.isdigit()) and not _MEASURED.fullmatch(c)
                )
            )
        )
    return found


_MEASURED = re.compile(
    r"\d+(?:mb|gb|tb|hz|mhz|ghz|watt|watts|mm|cm|inch|ft|btu|lbs?|mp|dpi|rpm|ppm|channel|piece|pack|volt|x\d+)"
    r"|(?:19|20)\d\d|\d+0000?|\d*1080p?|\d*720p"
)

FORMS: dict[str, Callable[[Sequence[str]], list[str]]] = {
    "folded": folded, "compact": compact, "organisation": organisation, "person": person, "street": street,
    "phone": phone, "email": email, "domain": domain, "date": dates, "number": number,
    "coordinate": coordinate, "words": words, "models": models,
}  # fmt: skip
