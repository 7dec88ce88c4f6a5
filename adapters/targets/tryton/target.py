"""The target: found by our key before anything is made, changed only where it differs, guarded against edits there.

Records of one kind go in one call where Tryton takes them all; when it refuses one of them, which undoes the
call, they go one by one, so that each has its own answer. A call whose answer was lost leaves its records
uncertain and ends the batch: whoever sent it finds them by key later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from adapters.base import Capabilities, Found, Message, Receipt, Status
from adapters.errors import TargetRefuses, TargetUnavailable, UnknownOutcome
from adapters.record_target import TROUBLE, Refused, trouble
from adapters.targets.tryton.kinds import KINDS, Book, Kind, Unfit
from adapters.targets.tryton.rpc import Tryton
from canonical.record import GoldenRecord

PAGE = 500  # records read in one call


class TrytonTarget:
    """One database of a Tryton server."""

    entities = frozenset(KINDS)
    capabilities = Capabilities(
        stale_guard=True, batch=100, parallel=1, settle=timedelta(seconds=60), merge=False, changed_since=True
    )

    def __init__(self, name: str, tryton: Tryton, options: Mapping[str, Any] | None = None) -> None:
        """`options` may name the accounts to book on: `revenue_account`, `tax_account`, `receivable_account`."""
        self.name, self.tryton = name, tryton
        self.book = Book(tryton, dict(options or {}))

    def check(self) -> str:
        """The company, its currency, and how many parties there are. Raises TargetUnavailable or TargetRefuses."""
        try:
            (company,) = self.tryton.search_read("company.company", [], ["party.name", "currency.code"], limit=1)
            count = self.tryton.call("model.party.party.search_count", [], safe=True)
        except Refused as error:
            raise TargetUnavailable(f"{self.name} answers: {error.says}") from error
        return f"Tryton, {company['party.']['name']} ({company['currency.']['code']}), {count} parties"

    def render(self, golden: GoldenRecord, parents: Mapping[str, str]) -> dict[str, Any]:
        """Tryton's words; references are golden ids."""
        return KINDS[golden.entity].render(golden, parents)

    def send(self, messages: Sequence[Message]) -> list[Receipt]:
        """One receipt per message, in order; each kind in calls of its own."""
        receipts: dict[int, Receipt] = {}
        for entity in KINDS:
            mine = {place: one for place, one in enumerate(messages) if one.entity == entity}
            if mine:
                receipts |= self._send_kind(KINDS[entity], mine)
        strange = Receipt(Status.INVALID, code="entity", says="this target does not take such records")
        return [receipts.get(place, strange) for place in range(len(messages))]

    def find(self, entity: str, golden_ids: Sequence[str]) -> list[Found]:
        """What Tryton has under these keys."""
        kind = KINDS[entity]
        return [self._found(kind, row) for row in kind.rows(self.book, kind.under(golden_ids))]

    def read(self, entity: str, since: datetime | None = None) -> Iterator[Found]:
        """Everything active of an entity, or what changed since then, paged by id."""
        kind, after = KINDS[entity], 0
        changed = [["last_modified_at", ">=", since]] if since else kind.active
        while rows := kind.rows(self.book, [*changed, ["id", ">", after]], limit=PAGE):
            yield from (self._found(kind, row) for row in rows)
            after = rows[-1]["id"]

    def _found(self, kind: Kind, row: Mapping[str, Any]) -> Found:
        return Found(
            kind.entity, kind.key_of(row), str(row["id"]), kind.there(row, self.book), kind.version_of(row),
            row.get("last_modified_at"), (row.get("write_uid.") or {}).get("login"),
        )  # fmt: skip

    def _send_kind(self, kind: Kind, messages: Mapping[int, Message]) -> dict[int, Receipt]:
        """Create what is not there, write what differs; what is refused stands alone."""
        try:
            there = self._there(kind, list(messages.values()))
        except TROUBLE as error:
            return dict.fromkeys(messages, _trouble(error))
        receipts: dict[int, Receipt] = {}
        new: dict[int, Message] = {}
        for place, message in messages.items():
            row = there.get(message.golden_id)
            if row is None and message.action != "deactivate" and message.remote_id is None:
                new[place] = message
            elif row is None and message.action != "deactivate":  # somebody deleted it there
                receipts[place] = Receipt(Status.GONE, message.remote_id, "gone", "it was there, and is not any more")
            elif row is None:
                receipts[place] = Receipt(Status.UNCHANGED, message.golden_id, says="it was never there")
            else:
                receipts[place] = self._alone(partial(self._change, kind, message, row))
        return receipts | self._create(kind, new)

    def _there(self, kind: Kind, messages: Sequence[Message]) -> dict[str, Mapping[str, Any]]:
        """What stands under the keys of the messages, by golden id. Raises Refused when a key is there twice."""
        found: dict[str, Mapping[str, Any]] = {}
        for row in kind.rows(self.book, kind.under([one.golden_id for one in messages])):
            key = kind.key_of(row)
            if key in found:
                raise Refused(Status.DUPLICATE, f"{key} is there twice, as {found[key]['id']} and {row['id']}")
            if key is not None:
                found[key] = row
        return found

    def _create(self, kind: Kind, messages: Mapping[int, Message]) -> dict[int, Receipt]:
        receipts: dict[int, Receipt] = {}
        made: dict[int, Mapping[str, Any]] = {}
        for place, message in messages.items():
            try:
                made[place] = kind.create(message, self.book)
            except (Unfit, *TROUBLE) as error:
                receipts[place] = _trouble(error)
        if not made:
            return receipts
        try:
            receipts |= self._created(kind, {place: messages[place] for place in made}, list(made.values()))
        except Refused as error:
            if error.status.passing or (len(made) == 1 and error.status is not Status.DUPLICATE):
                return receipts | dict.fromkeys(made, _trouble(error))
            for place, values in made.items():  # one by one, each with its own answer
                one = {place: messages[place]}
                receipts[place] = self._alone(partial(self._one, kind, one, values))
        except (TargetUnavailable, TargetRefuses, UnknownOutcome) as error:
            receipts |= dict.fromkeys(made, _trouble(error))
        return receipts

    def _created(
        self, kind: Kind, messages: Mapping[int, Message], values: Sequence[Mapping[str, Any]]
    ) -> dict[int, Receipt]:
        """Make the records in one call, finish each, and read back under which version they stand.

        Raises only what the making says: once they are made, nobody may take them for refused and make them again.
        """
        ids = self.tryton.call(f"model.{kind.made_as}.create", list(values))
        try:
            by_key = {kind.key_of(row): row for row in kind.rows(self.book, kind.made(ids))}
        except TROUBLE as error:
            says = f"it was made, and could not be read back: {error}"
            return dict.fromkeys(messages, Receipt(Status.UNCERTAIN, code="uncertain", says=says[:1000]))
        receipts = {}
        for place, message in messages.items():
            row = by_key.get(message.golden_id)
            if row is None:
                receipts[place] = Receipt(Status.UNCERTAIN, says="it was made, and is not found under its key")
            else:
                receipts[place] = self._alone(partial(self._finished, kind, message, row))
        return receipts

    def _one(self, kind: Kind, messages: Mapping[int, Message], values: Mapping[str, Any]) -> Receipt:
        """Make one record; where its key is taken, by an earlier try of ours, go on with what is there."""
        (message,) = messages.values()
        try:
            (receipt,) = self._created(kind, messages, [values]).values()
        except Refused as error:
            row = self._there(kind, [message]).get(message.golden_id) if error.status is Status.DUPLICATE else None
            if row is None:
                raise
            return self._change(kind, message, row)
        return receipt

    def _finished(self, kind: Kind, message: Message, row: Mapping[str, Any]) -> Receipt:
        """The last steps of a record that stands there (an invoice is posted), and its receipt."""
        done = kind.finish(message, row, self.book)
        return Receipt(Status.APPLIED, str(done["id"]), version=kind.version_of(done))

    def _change(self, kind: Kind, message: Message, row: Mapping[str, Any]) -> Receipt:
        """Write what differs, unless somebody has edited the record since we saw it."""
        remote, version = str(row["id"]), kind.version_of(row)
        there = kind.there(row, self.book)
        wanted = {**there, "active": False} if message.action == "deactivate" else dict(message.body)
        if there == wanted:
            return Receipt(Status.UNCHANGED, remote, version=version)
        if message.expected is not None and version != message.expected:
            says = f"changed there since we saw it, by {(row.get('write_uid.') or {}).get('login') or 'somebody'}"
            return Receipt(Status.STALE, remote, "stale", says, version)
        kind.change(message, row, wanted, self.book)
        (after,) = kind.rows(self.book, [["id", "=", row["id"]]])
        return self._finished(kind, message, after)

    def _alone(self, act: Callable[[], Receipt]) -> Receipt:
        try:
            return act()
        except (Unfit, *TROUBLE) as error:
            return _trouble(error)


def _trouble(error: Exception) -> Receipt:
    """What an exception means for the record."""
    if isinstance(error, Unfit):
        return Receipt(Status.INVALID, code=error.code, says=str(error))
    if isinstance(error, TargetUnavailable):
        return Receipt(Status.TRANSIENT, code="transient", says=str(error))
    return trouble(error)
