"""What a batch looks like as files, and what an acknowledgement says: CSV, fixed width, JSON Lines."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from adapters.base import Message
from adapters.book import Batch
from adapters.errors import TargetDamaged
from adapters.ledger_words import WORDS

HEAD = ("key", "golden_id", "version", "action")


@dataclass(frozen=True, slots=True)
class Ack:
    """What the system says of one message: by its key, or by batch and place in it; place None is the whole batch."""

    taken: bool
    key: str | None = None
    batch: int | None = None
    place: int | None = None
    remote_id: str | None = None
    says: str | None = None


class Format(Protocol):
    """A form of files."""

    entities: frozenset[str]

    def unfit(self, message: Message) -> str | None:
        """Why the message cannot be said in this form, or None."""
        ...

    def files(self, batch: Batch, leaving: Sequence[tuple[int, Message]]) -> dict[str, bytes]:
        """File name → content; `leaving` gives each message its place in the batch. The same batch, the same bytes."""
        ...

    def acks(self, name: str, content: bytes) -> list[Ack]:
        """What an acknowledgement file says. Raises TargetDamaged."""
        ...


class Tables:
    """One file per document of the batch, a row per message: `000007-KEYS-customer.csv`."""

    entities = frozenset(WORDS)
    ending: str

    def files(self, batch: Batch, leaving: Sequence[tuple[int, Message]]) -> dict[str, bytes]:
        """Documents in the order in which they must be read."""
        return {
            f"{batch.name}-{place}-{WORDS[entity][0]}.{self.ending}": self.content(entity, rows)
            for place, (entity, rows) in enumerate(_by_entity(leaving).items())
        }

    def content(self, entity: str, messages: Sequence[Message]) -> bytes:
        """The file of one document."""
        raise NotImplementedError

    def unfit(self, message: Message) -> str | None:  # noqa: ARG002 (most say everything)
        """Everything can be said."""
        return None

    def acks(self, name: str, content: bytes) -> list[Ack]:
        """Lines of JSON, or CSV with a header: key, status (`ok` or not), remote_id, says."""
        try:
            text = content.decode("utf-8-sig")
            lines = text.lstrip().startswith("{")
            rows: Iterable[Mapping[str, Any]] = (
                [orjson.loads(line) for line in text.splitlines() if line.strip()]
                if lines
                else csv.DictReader(io.StringIO(text))
            )
            return [
                Ack(row["status"] == "ok", key=row["key"], remote_id=row.get("remote_id") or None, says=row.get("says"))
                for row in rows
            ]
        except (ValueError, KeyError, TypeError, csv.Error):
            raise TargetDamaged(f"{name} is no acknowledgement that can be read.", file=name) from None


class JsonLines(Tables):
    """An object per message."""

    ending = "jsonl"

    def content(self, entity: str, messages: Sequence[Message]) -> bytes:  # noqa: ARG002 (the body says it)
        """Head and body side by side."""
        rows = ({name: getattr(one, name) for name in HEAD} | dict(one.body) for one in messages)
        return b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)


class Csv(Tables):
    """RFC 4180 in UTF-8, with a header; lists and objects as JSON in their cell; empty is not there."""

    ending = "csv"

    def content(self, entity: str, messages: Sequence[Message]) -> bytes:
        """Every field of the document is a column, filled or not."""
        stream = io.StringIO(newline="")
        columns = [*HEAD, *WORDS[entity][1]]
        writer = csv.writer(stream, lineterminator="\r\n")
        writer.writerow(columns)
        writer.writerows([_cell(_said(one).get(name)) for name in columns] for one in messages)
        return stream.getvalue().encode()


class FixedWidth(Tables):
    """A line per message, each field padded with spaces to its width. What does not fit is refused, never cut."""

    ending = "txt"

    def __init__(self, layout: Mapping[str, Mapping[str, int]], encoding: str = "utf-8") -> None:
        """`layout`: document → field → width in characters, in order; only these documents are taken."""
        self.layout, self.encoding = layout, encoding
        self.entities = frozenset(entity for entity, (document, _) in WORDS.items() if document in layout)

    def unfit(self, message: Message) -> str | None:
        """Too wide, several lines, or letters that the encoding has not."""
        for name, width in self._widths(message.entity).items():
            text = _cell(_said(message).get(name))
            if len(text) > width:
                return f"{name} has {len(text)} characters; the layout has {width}"
            if "\n" in text or "\r" in text:
                return f"{name} has several lines"
            try:
                text.encode(self.encoding)
            except UnicodeEncodeError:
                return f"{name} has letters that {self.encoding} has not"
        return None

    def content(self, entity: str, messages: Sequence[Message]) -> bytes:
        """Lines end in CR LF."""
        widths = self._widths(entity)
        lines = ("".join(_cell(_said(one).get(name)).ljust(wide) for name, wide in widths.items()) for one in messages)
        return "".join(f"{line}\r\n" for line in lines).encode(self.encoding)

    def _widths(self, entity: str) -> Mapping[str, int]:
        return self.layout[WORDS[entity][0]]


def _by_entity(leaving: Sequence[tuple[int, Message]]) -> dict[str, list[Message]]:
    made: dict[str, list[Message]] = {}
    for _, message in leaving:
        made.setdefault(message.entity, []).append(message)
    return made


def _said(message: Message) -> dict[str, Any]:
    return {**message.body, **{name: getattr(message, name) for name in HEAD}}


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
