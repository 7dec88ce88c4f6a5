"""UN/EDIFACT D.96A: an invoice as INVOIC, and the CONTRL that acknowledges it.

The interchange carries the number of the batch as its reference, and a message its place in the batch:
a batch put again is the same interchange.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from pydifact.exceptions import EDISyntaxError
from pydifact.segmentcollection import Interchange
from pydifact.segmentcollection import Message as Letter
from pydifact.segments import Segment

from adapters.base import Message
from adapters.book import Batch
from adapters.errors import TargetDamaged
from adapters.targets.drop.formats import Ack

_NEEDED = ("gross", "invoice_number", "invoice_date", "currency", "customer")
_REJECTED = "4"  # UCM and UCI: this level and all below it rejected


class Edifact:
    """Interchanges between two parties, in UNOC (Latin-1)."""

    entities = frozenset({"invoice"})

    def __init__(self, parties: tuple[str, str], qualifiers: tuple[str, str] = ("ZZ", "ZZ")) -> None:
        """Who sends and who receives, as UNB names them: at most 35 characters, and a qualifier each."""
        self.ours, self.theirs = ([*one] for one in zip(parties, qualifiers, strict=True))

    def unfit(self, message: Message) -> str | None:
        """A field that INVOIC needs and has not, or letters that UNOC has not."""
        if message.action == "deactivate":
            return "INVOIC cannot withdraw an invoice"
        missing = [name for name in _NEEDED if not message.body.get(name)]
        if missing:
            return f"{missing[0]} is needed"
        try:
            str(dict(message.body)).encode("latin-1")
        except UnicodeEncodeError as error:
            return f"there is {error.object[error.start]!r} in it, which UNOC has not"
        return None

    def files(self, batch: Batch, leaving: Sequence[tuple[int, Message]]) -> dict[str, bytes]:
        """One interchange."""
        at = batch.at.replace(second=0, microsecond=0, tzinfo=None)
        made = Interchange(self.ours, self.theirs, str(batch.number + 1), ("UNOC", 3), at)
        for place, message in leaving:
            letter = Letter(str(place + 1), ["INVOIC", "D", "96A", "UN"])
            for tag, *elements in _invoice(message.body):
                letter.add_segment(Segment(tag, *elements))
            made.add_message(letter)
        return {f"{batch.name}-0-INVOIC.edi": made.serialize(break_lines=True).encode("latin-1")} if leaving else {}

    def acks(self, name: str, content: bytes) -> list[Ack]:
        """What a CONTRL says: of the interchange whole, or of each message."""
        try:
            with warnings.catch_warnings(action="ignore"):  # that service segments are not checked against a schema
                return list(_acks(list(Interchange.from_str(content.decode("latin-1")).segments)))
        except (EDISyntaxError, ValueError, IndexError, AttributeError):
            raise TargetDamaged(f"{name} is no CONTRL that can be read.", file=name) from None


def _invoice(body: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    """The segments of INVOIC between UNH and UNT."""
    gross, lines = Decimal(str(body["gross"])), body.get("lines") or []
    yield "BGM", "381" if gross < 0 else "380", str(body["invoice_number"]), "9"
    yield "DTM", ["137", _day(body["invoice_date"]), "102"]
    if body.get("company"):
        yield "NAD", "SU", [str(body["company"]), "", "91"]
    yield "NAD", "BY", [str(body["customer"]), "", "91"]
    yield "CUX", ["2", str(body["currency"]), "4"]
    if body.get("due_date"):
        yield ("PAT", "1")
        yield "DTM", ["13", _day(body["due_date"]), "102"]
    for place, line in enumerate(lines, 1):
        yield from _line(place, line)
    yield "UNS", "S"
    yield "MOA", ["79", _plain(sum(Decimal(line["amount"]["amount"]) for line in lines))]
    if body.get("tax"):
        yield "MOA", ["124", _plain(body["tax"])]
    yield "MOA", ["139", _plain(gross)]
    yield "CNT", ["2", str(len(lines))]


def _line(place: int, line: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    yield "LIN", str(place), *(["", [str(line["product"]), "SA"]] if line.get("product") else [])
    if line.get("description"):
        yield "IMD", "F", "", ["", "", "", str(line["description"])[:35]]
    yield "QTY", ["47", _plain(line.get("quantity") or 1)]
    yield "MOA", ["203", _plain(line["amount"]["amount"])]
    if line.get("unit_amount"):
        yield "PRI", ["AAA", _plain(line["unit_amount"]["amount"])]


def _acks(segments: Sequence[Segment]) -> Iterator[Ack]:
    batch, single = -1, [segment for segment in segments if segment.tag == "UCM"]
    for segment in segments:
        if segment.tag == "UCI":
            batch = int(str(segment.elements[0])) - 1
            if not single:
                said = str(segment.elements[3])
                yield Ack(said != _REJECTED, batch=batch, says=None if said != _REJECTED else "CONTRL: refused whole")
        elif segment.tag == "UCM":
            said = str(segment.elements[2])
            says = None if said != _REJECTED else f"CONTRL: {segment}"
            yield Ack(said != _REJECTED, batch=batch, place=int(str(segment.elements[0])) - 1, says=says)


def _plain(amount: Any) -> str:
    return format(Decimal(str(amount)).normalize(), "f")


def _day(moment: Any) -> str:
    return str(moment)[:10].replace("-", "")
