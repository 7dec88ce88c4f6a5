"""Problems in data, as data.

A finding is kept with the record that it speaks of; it never stops the rest of a file. Its code is
stable and explained in `FINDINGS`, which `hub explain` prints and the API documents.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding matters."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem: what it is (code), where (field, place in the file), in words, and what to do."""

    code: str
    message: str
    severity: Severity = Severity.WARNING
    field: str | None = None
    place: str | None = None  # "line 7", "$.items[3].price"; of HUB-3205 the code itself

    @property
    def hint(self) -> str:
        """The next step, from the table of codes."""
        return FINDINGS[self.code].next_step


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a code means, and what to do about it."""

    title: str
    meaning: str
    next_step: str


FINDINGS: dict[str, Explanation] = {
    "HUB-3101": Explanation(
        "The text is not UTF-8.",
        "A payload is read as UTF-8. The bytes at the stated place are not.",
        "Export the file again as UTF-8.",
    ),
    "HUB-3102": Explanation(
        "The line is not JSON.",
        "A JSON payload must be one complete object, with each key once and no NaN or Infinity.",
        "Correct the line and ingest the file again: what was taken in already is not doubled.",
    ),
    "HUB-3103": Explanation(
        "The payload is larger than the limit.",
        "One record may have at most 1 MiB, 256 keys in an object and 32 levels of nesting.",
        "Send the record without its attachments, or in parts.",
    ),
    "HUB-3104": Explanation(
        "The text holds a character that the stores do not take.",
        "NUL and lone surrogates cannot be kept by every database, so none keeps them.",
        "Clean the field in the source.",
    ),
    "HUB-3105": Explanation(
        "The row does not fit the header.",
        "A CSV row has more or fewer cells than the header names.",
        "Quote cells that hold the delimiter or a line break.",
    ),
    "HUB-3106": Explanation(
        "The cell looks like a spreadsheet formula.",
        "A text that starts with =, +, - or @ can run as a formula when it is exported again.",
        "It is kept as text. Clean it in the source if it was not meant.",
    ),
    "HUB-3107": Explanation(
        "The number is out of range.",
        "Numbers have at most 18 digits before and 9 after the point.",
        "Send the number as the source means it, or as text.",
    ),
    "HUB-3201": Explanation(
        "A field of the payload is not mapped.",
        "The mapping neither maps it nor ignores it by name, so its content would vanish silently.",
        "Add it to `fields` or to `ignore` of the mapping.",
    ),
    "HUB-3202": Explanation(
        "A field that the mapping names is not there.",
        "The mapping calls it required, and this payload has none.",
        "Send it, or mark it `required: false` in the mapping.",
    ),
    "HUB-3203": Explanation(
        "The record has no key.",
        "Without the source's own key the record cannot be recognised when it comes again.",
        "Give the mapping a `key` that every row has.",
    ),
    "HUB-3204": Explanation(
        "The same key comes twice with different content in one delivery.",
        "Two rows claim to be the same record and carry no version to order them.",
        "The later row stands. Give the mapping a `version` or `asserted_at`, or clean the export.",
    ),
    "HUB-3205": Explanation(
        "The code is not in the code table.",
        "Neither the mapping nor the code lists say what it means in canonical words, so the field stays as if unsaid.",
        "Say what it means: `hub codes map SYSTEM ENTITY FIELD CODE VALUE`. All records that say it are read again.",
    ),
    "HUB-3301": Explanation(
        "The value is not what the field takes.",
        "It could not be read as the field's type, so it does not take part; the rest of the record does.",
        "Correct it in the source.",
    ),
    "HUB-3302": Explanation(
        "The value looks like a placeholder.",
        "Values such as N/A, test@test.com or 000000000 say nothing about who this is.",
        "It is kept, but does not match records and loses against any other value; in a group or a list it is "
        "left out. Fill in the real value in the source.",
    ),
    "HUB-3303": Explanation(
        "The value fails its check digit or numbering plan.",
        "The identifier's own checksum or form says that it was mistyped, or cut off.",
        "It loses against any valid value. Correct it in the source.",
    ),
    "HUB-3304": Explanation(
        "The value could be read in another way.",
        "12/11/1978, 1,234 or a phone number without country leave something open; the message says how it was read.",
        "Nothing, if the assumption holds. Otherwise send the value in its normal form.",
    ),
    "HUB-3401": Explanation(
        "The version is older than the one we have.",
        "A late or repeated delivery. It is logged and does not win.",
        "Nothing to do.",
    ),
    "HUB-3501": Explanation(
        "A rule of the catalogue is not met.",
        "A validation rule speaks of the golden record; the message names it.",
        "Read the rule with `hub rules show`; correct the source, or ask for an approval.",
    ),
    "HUB-3503": Explanation(
        "Another system speaks against the owner of a field.",
        "The system of record has said what stands, and another system says something else since. It does not win.",
        "Correct one of the two systems, change who owns the field, or set the value: that answers the question.",
    ),
    "HUB-3504": Explanation(
        "A record and others that it hangs together with do not agree as a rule says they must.",
        "A rule about relations speaks of both; the message names it. It is looked at again when either changes.",
        "Read the rule with `hub rules show`; correct the record or the other one, or change the rule.",
    ),
    "HUB-3502": Explanation(
        "The record points to something that is not here yet.",
        "Its parent has not arrived. The record waits and goes out after it.",
        "Load the parent's system, or wait for its next delivery.",
    ),
}
