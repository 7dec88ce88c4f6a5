"""X12 4010: an invoice as 810, a payment as 820 (the remittance advice), and the 997 that acknowledges them.

One interchange per set of documents; its control number is that of the batch, and a document's is its
place in the batch, so that a batch put again is the same interchange, which a partner refuses as a replay.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from pyx12.errors import X12Error
from pyx12.segment import Segment
from pyx12.x12file import X12Reader, X12Writer

from adapters.base import Message
from adapters.book import Batch
from adapters.errors import TargetDamaged
from adapters.targets.drop.formats import Ack

_END, _BETWEEN, _PART = "~", "*", ">"
_GROUP = {"invoice": ("IN", "810"), "payment": ("RA", "820")}
_METHOD = {"bank_transfer": "ACH", "direct_debit": "ACH"}


class X12:
    """Interchanges between two parties."""

    entities = frozenset(_GROUP)

    def __init__(self, parties: tuple[str, str], qualifiers: tuple[str, str] = ("ZZ", "ZZ"), usage: str = "P") -> None:
        """Who sends and who receives (ISA06, ISA08, at most 15 characters); `usage` is P, or T for tests."""
        (self.sender, self.receiver), self.qualifiers, self.usage = parties, qualifiers, usage

    def unfit(self, message: Message) -> str | None:
        """A field that the document needs and has not, or letters that X12 has not."""
        if message.action == "deactivate":
            return "X12 has no document that withdraws another"
        body = message.body
        needed = _NEEDED[message.entity]
        missing = [name for name in needed if not body.get(name)]
        if missing:
            return f"{missing[0]} is needed"
        if _cents(str(body[needed[0]])) is None:
            return f"{needed[0]} has more than two decimals"
        text = "".join(part for segment in _document(message) for part in segment)
        wrong = next(
            (letter for letter in text if letter in f"{_END}{_BETWEEN}{_PART}" or not " " <= letter <= "~"), None
        )
        return None if wrong is None else f"there is {wrong!r} in it, which X12 cannot say"

    def files(self, batch: Batch, leaving: Sequence[tuple[int, Message]]) -> dict[str, bytes]:
        """One interchange for invoices and one for payments, where there are any."""
        made = {}
        for place, (entity, (group, code)) in enumerate(_GROUP.items()):
            own = [(number, message) for number, message in leaving if message.entity == entity]
            if own:
                made[f"{batch.name}-{place}-{code}.edi"] = self._interchange(batch, (group, code), own)
        return made

    def acks(self, name: str, content: bytes) -> list[Ack]:
        """What a 997 says of each document of the group that it answers."""
        try:
            return list(_acks(X12Reader(io.StringIO(content.decode("latin-1")))))
        except (X12Error, ValueError, IndexError):
            raise TargetDamaged(f"{name} is no 997 that can be read.", file=name) from None

    def _interchange(self, batch: Batch, kind: tuple[str, str], own: Sequence[tuple[int, Message]]) -> bytes:
        (group, code), stream = kind, io.StringIO()
        number, at = control(batch, group), batch.at
        writer = X12Writer(stream, _END, _BETWEEN, _PART, "\n", "^")
        ours, theirs = self.qualifiers

        def write(*parts: str) -> None:
            writer.Write(Segment(_BETWEEN.join(parts).rstrip(_BETWEEN), _END, _BETWEEN, _PART))

        write(
            "ISA", "00", " " * 10, "00", " " * 10, ours, self.sender.ljust(15), theirs, self.receiver.ljust(15),
            f"{at:%y%m%d}", f"{at:%H%M}", "U", "00401", f"{number:09d}", "0", self.usage, _PART,
        )  # fmt: skip
        write("GS", group, self.sender, self.receiver, f"{at:%Y%m%d}", f"{at:%H%M}", str(number), "X", "004010")
        for place, message in own:
            document = _document(message)
            write("ST", code, f"{place + 1:04d}")
            for parts in document:
                write(*parts)
            write("SE", str(len(document) + 2), f"{place + 1:04d}")
        writer.close()
        return stream.getvalue().encode("ascii")


def control(batch: Batch, group: str) -> int:
    """The control number of an interchange: two for each batch, from 1."""
    return batch.number * 2 + (1 if group == "IN" else 2)


def _document(message: Message) -> list[tuple[str, ...]]:
    return (_invoice if message.entity == "invoice" else _payment)(message.body)


def _invoice(body: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """The segments of an 810 between ST and SE."""
    lines = body.get("lines") or []
    segments = [
        ("BIG", _day(body["invoice_date"]), str(body["invoice_number"])),
        ("CUR", "SE", str(body["currency"])),
        ("N1", "BT", "", "91", str(body["customer"])),
    ]
    if body.get("company"):
        segments.append(("N1", "SE", "", "91", str(body["company"])))
    if body.get("due_date"):
        segments.append(("ITD", "01", "3", "", "", "", _day(body["due_date"])))
    for place, line in enumerate(lines, 1):
        segments += _line(place, line)
    segments.append(("TDS", _cents(str(body["gross"])) or ""))
    if body.get("tax"):
        segments.append(("TXI", "TX", _plain(body["tax"])))
    return [*segments, ("CTT", str(len(lines)))]


def _line(place: int, line: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """Quantity by price where they make the amount; else the amount, once."""
    quantity, price = counted(line)
    yield ("IT1", str(place), quantity, "EA", price, "", "VP", str(line.get("product") or line["key"]))
    if line.get("description"):
        yield ("PID", "F", "", "", "", str(line["description"])[:80])


def _payment(body: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """The segments of an 820 between ST and SE."""
    day, method = _day(body["booked_at"]), _METHOD.get(str(body.get("method")), "NON")
    segments = [
        ("BPR", "I", _plain(body["amount"]), "C", method, *[""] * 11, day),
        ("TRN", "1", str(body["reference"])),
        ("CUR", "PR", str(body["currency"])),
        ("N1", "PR", "", "91", str(body["customer"])),
    ]
    allocations = body.get("allocations") or []
    if allocations:
        segments.append(("ENT", "1"))
    return segments + [("RMR", "IV", str(one["invoice"]), "", _plain(one["amount"]["amount"])) for one in allocations]


def counted(line: Mapping[str, Any]) -> tuple[str, str]:
    """Quantity and price of an invoice line, which make its amount."""
    amount = Decimal(line["amount"]["amount"])
    quantity, unit = Decimal(str(line.get("quantity") or 1)), line.get("unit_amount")
    if unit is None or Decimal(unit["amount"]) * quantity != amount:
        return "1", _plain(amount)
    return _plain(quantity), _plain(unit["amount"])


def _acks(reader: X12Reader) -> Iterator[Ack]:
    group, place = 0, 0
    for segment in reader:
        kind = segment.get_seg_id()
        if kind == "AK1":
            group = int(segment.get_value("02") or 0)
        elif kind == "AK2":
            place = int(segment.get_value("02") or 0)
        elif kind == "AK5":
            said = segment.get_value("01") or ""
            says = None if said == "A" else f"997: {segment.format('', '*', ':')}"
            yield Ack(said in ("A", "E"), batch=(group - 1) // 2, place=place - 1, says=says)


def _cents(amount: str) -> str | None:
    """In hundredths, as TDS counts; None where that loses something."""
    hundredths = Decimal(amount) * 100
    return str(int(hundredths)) if hundredths == int(hundredths) else None


def _plain(amount: Any) -> str:
    """A number without what says nothing: 49.00 is 49."""
    return format(Decimal(str(amount)).normalize(), "f")


def _day(moment: Any) -> str:
    return str(moment)[:10].replace("-", "")


_NEEDED = {
    "invoice": ("gross", "invoice_number", "invoice_date", "currency", "customer"),
    "payment": ("amount", "reference", "booked_at", "currency", "customer"),
}
