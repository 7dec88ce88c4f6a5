"""A target that takes files: staged in a book, put in their place whole, acknowledged by a file that comes back.

What is about to leave is written down first, so that it leaves under one name and one number whatever
happens meanwhile; the same file twice is the same file. Where acknowledgements are expected, nothing
counts as taken before one has come: until then its outcome is uncertain, and it is not sent again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from adapters.base import Capabilities, Connection, Found, Message, Receipt, Status
from adapters.book import Batch, Book
from adapters.errors import ConnectionInvalid
from adapters.ledger_words import render
from adapters.targets.drop.formats import Ack, Csv, FixedWidth, Format, JsonLines
from adapters.targets.drop.places import Folder, Place
from canonical.record import GoldenRecord


class DropTarget:
    """A system that takes files."""

    def __init__(self, book: Book, place: Place, form: Format, acks: str | None = None) -> None:
        """`acks`: the folder, beside where files are put, in which acknowledgements come; None: none are expected."""
        self.name, self.entities = book.name, form.entities
        self.capabilities = Capabilities(
            native_upsert=True, stale_guard=True, batch=200, atomic_batch=True,
            settle=timedelta(minutes=1) if acks else timedelta(0),
        )  # fmt: skip
        self._book, self._place, self._form, self._acks = book, place, form, acks
        self._read: set[str] = set()
        self._said: dict[str, Ack] = {}

    def check(self) -> str:
        """The place, and how many records were put there."""
        self._book.load()
        return f"{self._place.check()}: {len(self._book)} records"

    def render(self, golden: GoldenRecord, parents: Mapping[str, str]) -> dict[str, Any]:
        """The ledger's words."""
        return render(golden, parents)

    def send(self, messages: Sequence[Message]) -> list[Receipt]:
        """Put what is new as files; one receipt per message, in order.

        Raises TargetUnavailable, TargetRefuses, TargetDamaged; UnknownOutcome when a file may be there or not.
        """
        self._resume()
        unfit = {message.key: why for message in messages if (why := self._form.unfit(message))}
        fitting = [message for message in messages if message.key not in unfit]
        receipts, fresh = self._book.judge(fitting)
        if fresh:
            self._leave(self._book.stage(fresh))
        self._listen()
        answers = iter(receipts)
        return [
            Receipt(Status.INVALID, code="unfit", says=unfit[one.key])
            if one.key in unfit
            else self._acknowledged(one, next(answers))
            for one in messages
        ]

    def find(self, entity: str, golden_ids: Sequence[str]) -> list[Found]:
        """What was put there under these keys, as far as it is acknowledged."""
        wanted = frozenset(golden_ids)
        return [found for found in self.read(entity) if found.golden_id in wanted]

    def read(self, entity: str, since: datetime | None = None) -> Iterator[Found]:  # noqa: ARG002 (no times here)
        """What was put there of an entity, by golden id; deactivated records are left out."""
        self._resume()
        self._listen()
        for found in self._book.read(entity):
            said = [self._said.get(f"{self.name}/{found.golden_id}/{found.version}/{act}") for act in _ACTIONS]
            if self._acks is None or any(one and one.taken for one in said):
                yield found

    def _resume(self) -> None:
        """Read the book, and let leave what was staged and interrupted."""
        self._book.load()
        for batch in self._book.staged():
            self._leave(batch)

    def _leave(self, batch: Batch) -> None:
        receipts, _ = self._book.judge(batch.messages)
        leaving = [
            (place, message)
            for place, (message, receipt) in enumerate(zip(batch.messages, receipts, strict=True))
            if receipt.status is Status.APPLIED or self._acks  # whose acknowledgement is waited for must leave
        ]
        for name, content in self._form.files(batch, leaving).items():
            self._place.put(name, content)
        self._book.commit(batch)

    def _listen(self) -> None:
        """Read the acknowledgements that came since."""
        if self._acks is None:
            return
        for name in self._place.names(self._acks):
            if name not in self._read:
                for ack in self._form.acks(name, self._place.get(self._acks, name)):
                    self._said |= dict.fromkeys(self._meant(ack), ack)
                self._read.add(name)

    def _meant(self, ack: Ack) -> Sequence[str]:
        if ack.key is not None:
            return (ack.key,)
        keys = self._book.keys(-1 if ack.batch is None else ack.batch)
        return keys if ack.place is None else keys[ack.place : ack.place + 1]

    def _acknowledged(self, message: Message, receipt: Receipt) -> Receipt:
        if self._acks is None or not receipt.status.taken:
            return receipt
        said = self._said.get(message.key)
        if said is None:
            return Receipt(Status.UNCERTAIN, message.golden_id, "unacknowledged", "no acknowledgement has come yet")
        if not said.taken:
            return Receipt(Status.INVALID, message.golden_id, "refused", said.says)
        return replace(receipt, remote_id=said.remote_id or message.golden_id, says=said.says)


def connect(made: Connection) -> DropTarget:
    """`{kind: drop, format, folder, sftp, acks, ...}`. Raises ConnectionInvalid."""
    options = dict(made.options)
    root = str(options.get("folder") or made.name)
    place = _sftp(made.name, options["sftp"], root) if options.get("sftp") else Folder(made.folder / root)
    book = Book(made.name, made.folder / f"{made.name}.book")
    return DropTarget(book, place, _form(made.name, options), options.get("acks"))


def _sftp(name: str, options: Mapping[str, Any], root: str) -> Place:
    try:
        from adapters.targets.drop.sftp import Sftp
    except ImportError:
        raise ConnectionInvalid(f"target {name}: SFTP needs `pip install concord-hub[sftp]`.", target=name) from None
    return Sftp(name, options, root)


def _form(name: str, options: Mapping[str, Any]) -> Format:
    said = options.get("format")
    if said == "fixed":
        _needs(name, options, "layout")
        return FixedWidth(options["layout"], str(options.get("encoding", "utf-8")))
    if said in ("x12", "edifact"):
        return _edi(name, options)
    forms: dict[Any, type[Csv | JsonLines]] = {"csv": Csv, "jsonl": JsonLines}
    if said not in forms:
        known = "csv, edifact, fixed, jsonl, x12"
        raise ConnectionInvalid(f"target {name}: `format` is {said!r}; there are {known}.", target=name)
    return forms[said]()


def _edi(name: str, options: Mapping[str, Any]) -> Format:
    _needs(name, options, "sender", "receiver")
    parties = str(options["sender"]), str(options["receiver"])
    ours, theirs = (str(one) for one in options.get("qualifiers", ("ZZ", "ZZ")))
    try:
        if options["format"] == "x12":
            from adapters.targets.drop.x12 import X12

            return X12(parties, (ours, theirs), usage=str(options.get("usage", "P")))
        from adapters.targets.drop.edifact import Edifact
    except ImportError:
        raise ConnectionInvalid(f"target {name}: EDI needs `pip install concord-hub[edi]`.", target=name) from None
    return Edifact(parties, (ours, theirs))


def _needs(name: str, options: Mapping[str, Any], *words: str) -> None:
    for word in words:
        if not options.get(word):
            raise ConnectionInvalid(f"target {name}: `{word}` is missing.", target=name)


_ACTIONS = ("create", "update", "merge")
