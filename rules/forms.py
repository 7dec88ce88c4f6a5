"""Values in the form in which they are compared or looked up: without accents, legal forms, noise.

Every form takes one text and gives none, one or several, and is remembered per distinct text. A form
is named in a rule document after a bar: `legal_name|compact12`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

LONGEST = 256  # characters; comparing longer texts costs seconds a pair (reference figure: 47 s at 10,000)

_NOT_A_LETTER = re.compile(r"[\W_]+")
# Forms of enterprises in the languages of the shipped rules; the common abbreviations of ISO 20275.
_LEGAL_FORMS = frozenset(
    """
    ab ag aktiengesellschaft ao aps as asa bv bvba co company corp corporation cv eg ek eood gbr gmbh
    haftungsbeschraenkt hf inc incorporated kabushiki kaisha kft kg kk limited llc llp lp ltd ltda mbh nv oao
    ohg oo ood ooo oy oyj plc private pte pty public pvt sa sarl sas se sl sp spa spolka srl sro ug zoo zrt
    """.split()
)
REMEMBERED = 16_384  # texts: what a page of records says, and the words that come again and again
_STREET_WORDS = {
    "street": "st", "str": "st", "strasse": "st", "road": "rd", "avenue": "ave", "av": "ave", "lane": "ln",
    "drive": "dr", "boulevard": "blvd", "place": "pl", "court": "ct", "square": "sq", "highway": "hwy",
    "north": "n", "south": "s", "east": "e", "west": "w", "suite": "ste", "saint": "st",
}  # fmt: skip


@lru_cache(maxsize=REMEMBERED)
def folded(text: str) -> str:
    """Lower case, accents off, everything but letters and digits a single space; at most 256 characters."""
    plain = unicodedata.normalize("NFKD", text[:LONGEST]).casefold().replace("ß", "ss").replace("&", " and ")
    bare = "".join(c for c in plain if not unicodedata.combining(c))
    return _NOT_A_LETTER.sub(" ", bare).strip()


@lru_cache(maxsize=REMEMBERED)
def organisation(text: str) -> str:
    """A company's name without its legal form, words in order; the whole name if nothing else is left."""
    words = re.sub(r"\b(\w) (?=\w\b)", r"\1", folded(text)).split()
    kept = [word for word in words if word not in _LEGAL_FORMS and word not in ("the", "and")]
    return " ".join(kept or words)


@lru_cache(maxsize=REMEMBERED)
def street(text: str) -> str:
    """An address line with its common words shortened the same way."""
    return " ".join(_STREET_WORDS.get(word, word) for word in folded(text).split())


@lru_cache(maxsize=REMEMBERED)
def digits(text: str) -> str:
    """The digits alone."""
    return "".join(c for c in text if c.isdigit())


def _whole(text: str) -> tuple[str, ...]:
    return (folded(text),) if folded(text) else ()


def _compact12(text: str) -> tuple[str, ...]:
    short = organisation(text).replace(" ", "")[:12]
    return (short,) if len(short) >= 3 else ()


def _words(text: str) -> tuple[str, ...]:
    return tuple(sorted({word for word in organisation(text).split() if len(word) > 3}))


def _skeleton(text: str) -> tuple[str, ...]:
    bare = organisation(text).replace(" ", "")
    bones = (bare[:1] + re.sub(r"[aeiouy]", "", bare[1:]))[:9]
    return (bones,) if len(bones) >= 4 else ()


def _last9(text: str) -> tuple[str, ...]:
    found = digits(text)[-9:]
    return (found,) if len(found) >= 7 else ()


def _first2(text: str) -> tuple[str, ...]:
    start = street(text).split()[:2]
    return (" ".join(start),) if len(start) == 2 else ()


def _initial(text: str) -> tuple[str, ...]:
    return (folded(text)[:1],) if folded(text) else ()


FORMS: dict[str, Callable[[str], tuple[str, ...]]] = {
    "whole": _whole,
    "compact12": _compact12,
    "words": _words,
    "skeleton": _skeleton,
    "last9": _last9,
    "first2": _first2,
    "initial": _initial,
}


@lru_cache(maxsize=4096)
def fields_of(path: str) -> tuple[str, ...]:
    """The fields that a path begins at: two for `given_name+family_name`."""
    return tuple(part.split(".")[0] for part in path.split("|")[0].split("+"))


def texts_at(values: Mapping[str, Any], path: str) -> tuple[str, ...]:
    """Every text that the values hold at a path such as `identifiers.value`; lists are walked through.

    `given_name+family_name` is the texts of both, joined; nothing while one is silent.
    """
    if isinstance(plain := values.get(path), str):
        return (plain,) if plain else ()
    if "+" in path:
        parts = [texts_at(values, part) for part in path.split("+")]
        return (" ".join(part[0] for part in parts),) if all(parts) else ()
    if path.partition(".")[0] not in values:
        return ()
    found: list[Any] = [values]
    for part in path.split("."):
        step = [node.get(part) for node in found if isinstance(node, Mapping)]
        found = [leaf for node in step for leaf in (node if isinstance(node, list) else (node,))]
    return tuple(str(leaf) for leaf in found if leaf not in (None, "") and not isinstance(leaf, dict | list))


def joined_at(values: Mapping[str, Any], path: str) -> str:
    """What the values hold at the path as one text: `tax_id.country` of one record, say."""
    return " ".join(texts_at(values, path))
