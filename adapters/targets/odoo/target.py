"""The target: Odoo's own upsert by external id (`load`), many records in one call, halved where one is refused.

Odoo has no guard of its own against edits, and its `write_date` has whole seconds, so a record's version
is that date with a digest of what we publish: an edit of a field of ours is seen, whenever it was made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

import orjson

from adapters.base import Capabilities, Connection, Message, Receipt, Status
from adapters.errors import ConnectionInvalid
from adapters.record_target import TROUBLE, RecordTarget, Refused, Row, applied, told, trouble
from adapters.targets.odoo.kinds import KINDS, MODULE, Book, Invoice, Kind
from adapters.targets.odoo.rpc import Json2, JsonRpc, Odoo, Wire, XmlRpc
from adapters.targets.odoo.words import LINE
from adapters.transport import Transport, manners_of
from canonical.record import GoldenRecord

PAGE = 500  # records read in one call


class OdooTarget(RecordTarget):
    """One database of an Odoo server."""

    entities = frozenset(KINDS)
    order = ("account", "contact", "product", "invoice")
    capabilities = Capabilities(
        native_upsert=True, stale_guard=True, batch=200, settle=timedelta(minutes=2), changed_since=True
    )

    def __init__(self, name: str, odoo: Odoo, taxes: Mapping[str, int] | None = None) -> None:
        """`taxes`: rate in percent → number of the tax."""
        self.name, self.odoo, self.book = name, odoo, Book(odoo, taxes)

    def check(self) -> str:
        """Version, company and number of partners. Raises TargetUnavailable or TargetRefuses."""
        (company,) = self.odoo.search_read("res.company", [], ["name", "currency_id"], limit=1)
        count = self.odoo.call("res.partner", "search_count", safe=True, domain=[])
        return f"Odoo {self.odoo.wire.version()}, {company['name']} ({company['currency_id'][1]}), {count} partners"

    def render(self, golden: GoldenRecord, parents: Mapping[str, str]) -> dict[str, Any]:
        """Odoo's words; references are golden ids."""
        return KINDS[golden.entity].render(golden, parents)

    def rows(self, entity: str, golden_ids: Sequence[str]) -> list[Row]:
        """By external id."""
        kind = KINDS[entity]
        keys = self._keys(kind.model, ["name", "in", list(golden_ids)])
        found = self.odoo.search_read(kind.model, [["id", "in", sorted(keys)]], kind.fields) if keys else []
        return self._stand(kind, found, keys)

    def pages(self, entity: str, since: datetime | None) -> Iterator[list[Row]]:
        """By id."""
        kind, after = KINDS[entity], 0
        limits: list[Any] = [["write_date", ">=", f"{since.astimezone(UTC):%Y-%m-%d %H:%M:%S}"]] if since else []
        if not since and "active" in kind.fields:
            limits = [["active", "=", True]]
        while found := self.odoo.search_read(
            kind.model, [*kind.domain, *limits, ["id", ">", after]], kind.fields, limit=PAGE
        ):
            after = found[-1]["id"]
            keys = self._keys(kind.model, ["res_id", "in", [row["id"] for row in found]])
            yield self._stand(kind, found, keys)

    def make_all(self, messages: Sequence[Message]) -> list[Receipt]:
        """In one call; where one is refused, which undoes the call, in halves."""
        kind = KINDS[messages[0].entity]
        receipts: dict[int, Receipt] = {}
        loaded: list[int] = []
        for place, message in enumerate(messages):
            try:
                kind.cells(message, self.book)
                loaded.append(place)
            except TROUBLE as error:
                receipts[place] = trouble(error)
        receipts |= dict(zip(loaded, self._load_all(kind, [messages[place] for place in loaded]), strict=True))
        return [receipts[place] for place in range(len(messages))]

    def change(self, message: Message, row: Row, wanted: Mapping[str, Any]) -> Row:
        """By the same upsert; an invoice that is posted is not changed."""
        kind = KINDS[message.entity]
        if isinstance(kind, Invoice):
            return self._change_invoice(kind, message, row, wanted)
        self._load(kind, [_with(message, wanted)])
        return self._one(kind, message.golden_id)

    def gone(self, row: Row) -> Mapping[str, Any]:
        """Hidden; an invoice is cancelled."""
        return {**row.body, "state": "cancel"} if row.entity == "invoice" else {**row.body, "active": False}

    def _load_all(self, kind: Kind, messages: Sequence[Message]) -> list[Receipt]:
        if not messages:
            return []
        try:
            self._load(kind, messages)
            rows = {row.golden_id: row for row in self.rows(kind.entity, [one.golden_id for one in messages])}
        except Refused as error:
            if len(messages) == 1 or error.status is not Status.INVALID:
                return [trouble(error)] * len(messages)
            half = len(messages) // 2
            return self._load_all(kind, messages[:half]) + self._load_all(kind, messages[half:])
        except TROUBLE as error:
            return [trouble(error)] * len(messages)
        return [told(lambda one=one: self._finished(one, rows.get(one.golden_id))) for one in messages]  # type: ignore[misc]

    def _finished(self, message: Message, row: Row | None) -> Receipt:
        """An invoice is checked against our totals and posted; all else is done."""
        if row is None:
            return Receipt(Status.UNCERTAIN, code="uncertain", says="it was loaded, and is not found under its key")
        return applied(self._bring(message.golden_id, row, message.body) if message.entity == "invoice" else row)

    def _load(self, kind: Kind, messages: Sequence[Message]) -> None:
        """Make or change these by their external ids, all or none. Raises Refused."""
        lines = [line for message in messages for line in kind.cells(message, self.book)]
        columns = list(dict.fromkeys(name for line in lines for name in line))
        rows = [[line.get(name, "") for name in columns] for line in lines]
        said = self.odoo.call(kind.model, "load", fields=columns, data=rows)
        if not said.get("ids"):
            wrong = [one for one in said.get("messages", ()) if one.get("type") == "error"] or [{}]
            says = str(wrong[0].get("message") or "Odoo took nothing, and did not say why")
            raise Refused(_refusal(says), says, code=wrong[0].get("field") or "load")

    def _change_invoice(self, kind: Invoice, message: Message, row: Row, wanted: Mapping[str, Any]) -> Row:
        state = row.body.get("state")
        if state == "draft" and _but_state(row.body) != _but_state(wanted):
            (head, *_), (number, *_) = kind.cells(message, self.book), [int(row.remote_id)]
            tax = kind.tax(wanted, self.book)
            lines = [
                [0, 0, {"name": one["name"], "quantity": float(one["quantity"]), "price_unit": float(one["price"]),
                        "tax_ids": [[6, 0, [tax] if tax else []]]}]
                for one in wanted.get("lines") or ()
            ]  # fmt: skip
            vals: dict[str, Any] = {name: head[name] or False for name in ("ref", "invoice_date", "invoice_date_due")}
            vals["currency_id"] = int(head["currency_id/.id"])
            self.odoo.call(kind.model, "write", [number], vals={**vals, "invoice_line_ids": [[5, 0, 0], *lines]})
            row = self._one(kind, message.golden_id)
        elif state != "draft":
            raise Refused(Status.INVALID, f"invoice {row.remote_id} is {state}: reverse it there", code="posted")
        return self._bring(message.golden_id, row, wanted)

    def _bring(self, golden_id: str, row: Row, wanted: Mapping[str, Any]) -> Row:
        """A draft to the state that is wanted, if it says what we say. Raises Refused."""
        different = [name for name in ("gross", "tax") if row.body.get(name) != wanted.get(name)]
        if different:
            name = different[0]
            says = f"Odoo makes {row.body.get(name)} of {name}, not {wanted.get(name)}; it stays a draft"
            raise Refused(Status.INVALID, says, code="total")
        act = {"posted": "action_post", "cancel": "button_cancel"}.get(str(wanted.get("state")))
        if act is None or row.body.get("state") == wanted.get("state"):
            return row
        self.odoo.call("account.move", act, [int(row.remote_id)])
        return self._one(KINDS["invoice"], golden_id)

    def _one(self, kind: Kind, golden_id: str) -> Row:
        rows = self.rows(kind.entity, [golden_id])
        if not rows:
            raise Refused(Status.GONE, f"{golden_id} is there no more")
        return rows[0]

    def _keys(self, model: str, which: Sequence[Any]) -> dict[int, str]:
        """Odoo's number → golden id."""
        wanted = [["module", "=", MODULE], ["model", "=", model], list(which)]
        return {
            row["res_id"]: row["name"] for row in self.odoo.search_read("ir.model.data", wanted, ["name", "res_id"])
        }

    def _stand(self, kind: Kind, found: Sequence[Mapping[str, Any]], keys: Mapping[int, str]) -> list[Row]:
        beside: dict[str, Any] = {"keys": {}, "lines": {}}
        partners = {(row.get(name) or [0])[0] for row in found for name in ("parent_id", "partner_id")} - {0}
        if partners:
            beside["keys"] = self._keys("res.partner", ["res_id", "in", sorted(partners)])
        if kind.entity == "invoice" and found:
            numbers = [number for row in found for number in row["invoice_line_ids"]]
            lines = self.odoo.search_read("account.move.line", [["id", "in", numbers]], LINE)
            beside["lines"] = {line["id"]: line for line in lines}
        return [self._row(kind, row, keys.get(row["id"]), kind.there(row, self.book, beside)) for row in found]

    def _row(self, kind: Kind, row: Mapping[str, Any], golden_id: str | None, body: Mapping[str, Any]) -> Row:
        stamp = str(row["write_date"])
        digest = blake2b(orjson.dumps(body, option=orjson.OPT_SORT_KEYS), digest_size=6).hexdigest()
        changed = datetime.fromisoformat(stamp).replace(tzinfo=UTC)
        who = (row.get("write_uid") or [0, None])[1]
        return Row(kind.entity, golden_id, str(row["id"]), body, f"{stamp}/{digest}", row, changed, who)


def connect(made: Connection) -> OdooTarget:
    """`{kind: odoo, url, database, user, password, protocol: jsonrpc | xmlrpc | json2}`; JSON-2 needs no user.

    Raises ConnectionInvalid.
    """
    options = made.options
    protocol = options.get("protocol", "jsonrpc")
    missing = [
        word for word in ("url", "database", "password", *(() if protocol == "json2" else ("user",)))
        if not options.get(word)
    ]  # fmt: skip
    if missing or protocol not in ("jsonrpc", "xmlrpc", "json2"):
        says = f"`{missing[0]}` is missing" if missing else f"there is no protocol {protocol!r}"
        raise ConnectionInvalid(f"target {made.name}: {says}.", target=made.name)
    transport = Transport(made.name, str(options["url"]), manners_of(options))
    database, password = str(options["database"]), str(options["password"])
    wire: Wire
    if protocol == "json2":
        wire = Json2(transport, database, password)
    else:
        wire = (XmlRpc if protocol == "xmlrpc" else JsonRpc)(transport, database, str(options["user"]), password)
    return OdooTarget(made.name, Odoo(wire), options.get("taxes"))


def _refusal(says: str) -> Status:
    """A column that Odoo does not know is our mapping's fault, not the record's."""
    low = says.lower()
    return Status.SCHEMA_DRIFT if "invalid field" in low or "unknown column" in low else Status.INVALID


def _but_state(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != "state"}


def _with(message: Message, wanted: Mapping[str, Any]) -> Message:
    return Message(message.target, message.entity, message.golden_id, message.version, message.action, wanted)
