"""What every reader of a value shares: clean text, the two ways to object, and the base of groups.

A reader takes whatever JSON a source sent and returns the normal form, or raises `unreadable(...)`.
A value that can be used but is not to be trusted is returned all the same, and `doubt` is noted in the
validation context (a list of findings, see `canonical.entity.Field`); without a context it is silent.
No message repeats the value itself: it may be a person's.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from canonical.findings import Finding, Severity

LONGEST_TEXT = 65_536  # characters of free text
_WIDEST_INTEGER = 128  # bits of a number that is read as text

# Characters that show nothing and are pasted in by accident. The joiners U+200C and U+200D stay: Persian
# and Indic words need them.
_INVISIBLE = dict.fromkeys(
    [0xAD, 0x200B, 0x200E, 0x200F, 0x2060, 0xFEFF, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
)
_CONTROL = re.compile(r"[\x01-\x08\x0e-\x1b\x7f\x80-\x84\x86-\x9f]")


def unreadable(words: str, code: str = "HUB-3301") -> PydanticCustomError:
    """The objection to a value that cannot be read; raise it. `words` say what was expected."""
    return PydanticCustomError(code, words.replace("{", "(").replace("}", ")"))


def doubt(
    info: ValidationInfo,
    code: str,
    words: str,
    *,
    severity: Severity = Severity.WARNING,
    field: str | None = None,
) -> None:
    """Note that the value being read is doubtful (WARNING) or could be read otherwise (INFO)."""
    if isinstance(info.context, list):
        info.context.append(Finding(code, words, severity, field))


def assumed(info: ValidationInfo, words: str) -> None:
    """Note how a value was read that could be read otherwise."""
    doubt(info, "HUB-3304", words, severity=Severity.INFO)


def clean(text: str) -> str:
    """The text in Unicode NFC, stripped, each run of whitespace one space, invisible characters gone."""
    if text.isascii():
        if "\0" in text:
            raise unreadable("the text holds a NUL character", "HUB-3104")
        return " ".join((_CONTROL.sub("", text) if not text.isprintable() else text).split())
    return unicodedata.normalize("NFC", " ".join(_CONTROL.sub("", _storable(text).translate(_INVISIBLE)).split()))


def as_text(raw: object, longest: int = LONGEST_TEXT) -> str:
    """The raw scalar as clean text; numbers in plain digits. Objects, lists and booleans are refused."""
    if isinstance(raw, str):
        text = clean(raw)
    elif isinstance(raw, bool) or not isinstance(raw, int | float | Decimal):
        raise unreadable(f"expected text, got {kind_of(raw)}")
    else:
        text = _number_as_text(raw)
    if len(text) > longest:
        raise unreadable(f"longer than {longest} characters")
    return text


def as_token(raw: object, longest: int) -> str:
    """Clean text in compatibility form: full-width digits and letters become plain ones."""
    text = as_text(raw, longest)
    return text if text.isascii() else clean(unicodedata.normalize("NFKC", text))


def folded(text: str) -> str:
    """For look-ups in tables of ours: lower case, no accents, no punctuation, single spaces."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return " ".join(re.sub(r"[^\w\s]|_", " ", bare.replace(".", "").replace("'", "")).split())


def is_blank(raw: object) -> bool:
    """Whether the raw value says nothing at all: null, or text without a visible character."""
    return raw is None or (isinstance(raw, str) and (not raw or raw.isspace()))


def kind_of(raw: object) -> str:
    """What JSON calls the value, for messages."""
    names = {dict: "an object", list: "a list", bool: "a boolean", str: "text", type(None): "null"}
    return names.get(type(raw), "a number" if isinstance(raw, int | float | Decimal) else "something else")


class Group(BaseModel):
    """Parts that win or lose together. Frozen; unknown parts are refused, blank ones left out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _filled_parts(cls, raw: Any, info: ValidationInfo) -> Any:
        raw = cls.unfolded(raw, info)
        if isinstance(raw, BaseModel):
            return raw
        if not isinstance(raw, dict):
            raise unreadable(f"expected an object with {', '.join(cls.model_fields)}, got {kind_of(raw)}")
        return {str(part): value for part, value in raw.items() if not is_blank(value)}

    @classmethod
    def unfolded(cls, raw: Any, info: ValidationInfo) -> Any:
        """The raw value as an object, for groups that can also be written in other forms. Override."""
        del info
        return raw


def _storable(text: str) -> str:
    if "\0" in text:
        raise unreadable("the text holds a NUL character", "HUB-3104")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise unreadable("the text holds half of a character (a lone surrogate)", "HUB-3104") from None
    return text


def _number_as_text(raw: float | Decimal) -> str:
    if isinstance(raw, int):
        if raw.bit_length() > _WIDEST_INTEGER:
            raise unreadable("the number is out of range", "HUB-3107")
        return str(raw)
    number = Decimal(repr(raw)) if isinstance(raw, float) else raw
    if not number.is_finite() or abs(number.adjusted()) > 40 or len(number.as_tuple().digits) > 40:
        raise unreadable("the number is out of range", "HUB-3107")
    return plain_decimal(number)


def plain_decimal(number: Decimal) -> str:
    """The number without exponent, trailing zeros or a negative zero: "12.5"."""
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text
