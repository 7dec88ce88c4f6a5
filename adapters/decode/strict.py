"""One JSON object, strictly; and what a payload is."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from canonical.findings import Finding, Severity

LONGEST = 1 << 20  # bytes of one payload
DEEPEST = 32
WIDEST = 256  # keys of one object
MOST_CELLS = 10_000  # entries of one list
DIGITS_BEFORE, DIGITS_AFTER = 18, 9  # of a number's point
SHOWN = 1000  # characters kept of what is too long
SPACE = " \t\r\n\ufeff"
TOO_LONG = ("HUB-3103", f"longer than {LONGEST} bytes")
Place = tuple[int, str]  # Payload.line, and the place in words

_OUT_OF_RANGE = ("HUB-3107", f"more than {DIGITS_BEFORE} digits before or {DIGITS_AFTER} after the point")
_ESCAPED = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")  # what may be a NUL or half a pair


@dataclass(frozen=True, slots=True)
class Payload:
    """One record as received. `content` is None when it could not be read, and a finding says why.

    `line` is where it starts in the file; in an array, which one it is, from 1.
    """

    line: int
    body: str
    content: dict[str, Any] | None
    findings: tuple[Finding, ...] = ()


def decode(text: str, line: int) -> Payload:
    """One JSON object that stands in this line."""
    return decoded(text, (line, f"line {line}"))


def decoded(text: str, place: Place) -> Payload:
    """One JSON object, or a refusal that says why."""
    try:
        _check_text(text)
        content = _STRICT.decode(text)
        if not isinstance(content, dict):
            raise Refused("HUB-3102", "a payload is one JSON object")
        if text.count("{") + text.count("[") > DEEPEST or len(text) > 2 * MOST_CELLS:
            _check_size(content, 1)
        if _ESCAPED.search(text):
            _check_characters(content)
    except Refused as error:
        return refused(place, text, error.code, str(error))
    except json.JSONDecodeError as error:
        return refused(place, text, "HUB-3102", f"not JSON at character {error.pos + 1}: {error.msg}")
    except RecursionError:
        return refused(place, text, "HUB-3103", f"nested more than {DEEPEST} levels")
    return Payload(place[0], text, content)


def refused(place: Place, body: str, code: str, message: str) -> Payload:
    """A payload that could not be read, with what can be kept of it."""
    kept = body[:LONGEST].replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    return Payload(place[0], kept, None, (Finding(code, message, Severity.ERROR, place=place[1]),))


def encodes(text: str) -> bool:
    """Whether the text is Unicode that every store takes: no lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class Refused(Exception):
    """A payload that no store should see."""

    def __init__(self, code: str, message: str) -> None:
        """What is wrong, by its finding's code and in words."""
        self.code = code
        super().__init__(message)


def _check_text(text: str) -> None:
    size = len(text)
    if not text.isascii():
        if not encodes(text):
            raise Refused("HUB-3101", "not UTF-8")
        size = len(text.encode())
    if size > LONGEST:
        raise Refused(*TOO_LONG)
    if "\0" in text:
        raise Refused("HUB-3104", "a NUL character")


def _check_size(node: Any, depth: int) -> None:
    if depth > DEEPEST:
        raise Refused("HUB-3103", f"nested more than {DEEPEST} levels")
    if isinstance(node, list) and len(node) > MOST_CELLS:
        raise Refused("HUB-3103", f"a list of {len(node)} entries; at most {MOST_CELLS}")
    for value in node.values() if isinstance(node, dict) else node:
        if isinstance(value, dict | list):
            _check_size(value, depth + 1)


def _check_characters(node: Any) -> None:
    if isinstance(node, dict):
        for key, value in node.items():
            _check_characters(key)
            _check_characters(value)
    elif isinstance(node, list):
        for value in node:
            _check_characters(value)
    elif isinstance(node, str) and ("\0" in node or not encodes(node)):
        raise Refused("HUB-3104", "a NUL character or half a character pair")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise Refused("HUB-3102", "a key stands twice in one object")
    if len(content) > WIDEST:
        raise Refused("HUB-3103", f"an object with {len(content)} keys; at most {WIDEST}")
    return content


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:  # an exponent that even a decimal does not hold
        raise Refused(*_OUT_OF_RANGE) from None
    _, digits, exponent = number.as_tuple()
    if not number or not isinstance(exponent, int):
        return Decimal(0)
    zeros = len(digits) - len("".join(map(str, digits)).rstrip("0"))
    if number.adjusted() >= DIGITS_BEFORE or exponent + zeros < -DIGITS_AFTER:
        raise Refused(*_OUT_OF_RANGE)
    return number


def _integer(text: str) -> int:
    if len(text) > DIGITS_BEFORE and len(text.lstrip("-")) > DIGITS_BEFORE:
        raise Refused(*_OUT_OF_RANGE)
    return int(text)


def _no_constant(word: str) -> Any:
    raise Refused("HUB-3102", f"{word} is not JSON")


_STRICT = json.JSONDecoder(
    parse_float=_decimal, parse_int=_integer, parse_constant=_no_constant, object_pairs_hook=_object
)
