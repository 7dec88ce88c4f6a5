"""Text in its several uses: free text, names, codes, choices, references; and yes or no.

All are cleaned the same way (`reading.clean`): NFC, no outer or doubled whitespace, nothing invisible.
Upper and lower case stay as the source writes them.
"""

from __future__ import annotations

from typing import Annotated, TypeVar

from pydantic import BeforeValidator, ValidationInfo, WithJsonSchema

from canonical.errors import MalformedKey
from canonical.ids import SourceKey
from canonical.values.placeholders import (
    DUMMY_NAMES,
    DUMMY_PERSONS,
    REAL_NAMES,
    is_dummy_number,
    says_nothing,
)
from canonical.values.reading import as_text, doubt, folded, is_blank, kind_of, unreadable

LONGEST_NAME = 500  # in UTF-8 still within what a PostgreSQL index takes
LONGEST_CODE = 255

_YES = frozenset({"true", "t", "yes", "y", "1", "on", "ja", "oui", "si", "x"})
_NO = frozenset({"false", "f", "no", "n", "0", "off", "nein", "non"})
_SPELLINGS = {
    "canceled": "cancelled",
    "prepay": "prepaid",
    "organization": "organisation",
    "individual": "person",
}


def read_note(raw: object) -> str:
    """Free text that nobody is compared by; never doubted."""
    return as_text(raw)


def read_text(raw: object, info: ValidationInfo) -> str | None:
    """Text, doubted when it is a word for "nothing"; blank is null."""
    if is_blank(raw):
        return None
    text = as_text(raw)
    if text and says_nothing(text):
        _placeholder(info)
    return text


def read_name(raw: object, info: ValidationInfo) -> str:
    """The name of an organisation or thing, doubted when it says nothing or was made for a trial."""
    text = as_text(raw, LONGEST_NAME)
    if text and (says_nothing(text) or (len(text) < 40 and folded(text) in DUMMY_NAMES)):
        _placeholder(info)
    return text


def read_person_name(raw: object, info: ValidationInfo) -> str:
    """A person's name; people who are really called Null or Na are not doubted."""
    text = as_text(raw, LONGEST_NAME)
    if text and text.lower() not in REAL_NAMES and (says_nothing(text) or folded(text) in DUMMY_PERSONS):
        _placeholder(info)
    return text


def read_code(raw: object, info: ValidationInfo) -> str:
    """A code: no whitespace at all. Leading zeros and letter case are part of it."""
    text = as_text(raw, LONGEST_CODE)
    if " " in text:
        text = text.replace(" ", "")
    if text and (says_nothing(text) or (is_dummy_number(text) and not text.strip("0"))):
        _placeholder(info)
    return text


def read_reference(raw: object) -> str:
    """The source key of another record, system:entity:key. The key itself is not cleaned."""
    if isinstance(raw, SourceKey):
        return str(raw)
    if not isinstance(raw, str):
        raise unreadable(f"expected system:entity:key, got {kind_of(raw)}")
    as_text(raw, 1_000)  # refuses what no store takes
    try:
        return str(SourceKey.parse(raw))
    except MalformedKey:
        raise unreadable("expected a source key, system:entity:key") from None


def read_choice(raw: object) -> str:
    """A word of a closed list in its spelling: lower case, words joined by an underscore."""
    word = "_".join(folded(as_text(raw, LONGEST_CODE).replace("_", " ")).split())
    return _SPELLINGS.get(word, word)


def read_flag(raw: object) -> bool:
    """Yes or no, from booleans, 0 and 1, and the usual words."""
    if isinstance(raw, bool):
        return raw
    word = as_text(raw, 16).lower()
    if word in _YES or word in _NO:
        return word in _YES
    raise unreadable("expected yes or no (true, false)")


def _placeholder(info: ValidationInfo) -> None:
    doubt(info, "HUB-3302", "the text looks like a placeholder")


_T = TypeVar("_T")

Note = Annotated[str, BeforeValidator(read_note), WithJsonSchema({"type": "string", "format": "text"})]
Text = Annotated[str | None, BeforeValidator(read_text), WithJsonSchema({"type": "string", "format": "text"})]
Name = Annotated[str, BeforeValidator(read_name), WithJsonSchema({"type": "string", "format": "name"})]
PersonName = Annotated[
    str, BeforeValidator(read_person_name), WithJsonSchema({"type": "string", "format": "person-name"})
]
Code = Annotated[str, BeforeValidator(read_code), WithJsonSchema({"type": "string", "format": "code"})]
Reference = Annotated[str, BeforeValidator(read_reference), WithJsonSchema({"type": "string", "format": "source-key"})]
Choice = Annotated[_T, BeforeValidator(read_choice)]
Boolean = Annotated[bool, BeforeValidator(read_flag)]
