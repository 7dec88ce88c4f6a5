"""How each kind of record stands in Tryton: where it is found, how it is made, what a change is, when it is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

from adapters.base import Message
from adapters.targets.tryton import words
from adapters.targets.tryton.rpc import Tryton
from canonical.record import GoldenRecord

Row = Mapping[str, Any]


class Unfit(Exception):
    """The record cannot be made as it is; nothing was sent."""

    def __init__(self, code: str, says: str) -> None:
        """A word for programs and one for people."""
        super().__init__(says)
        self.code = code


class Book:
    """What is looked up once: countries, currencies, accounts to book on."""

    def __init__(self, tryton: Tryton, options: Mapping[str, Any]) -> None:
        """Nothing is called yet."""
        self.tryton, self.options = tryton, options

    @cached_property
    def countries(self) -> dict[int, str]:
        """Tryton's number of each country, to its code."""
        return {row["id"]: row["code"] for row in self.tryton.search_read("country.country", [], ["code"])}

    @cached_property
    def country_ids(self) -> dict[str, int]:
        """The same the other way."""
        return {code: number for number, code in self.countries.items()}

    @cached_property
    def currencies(self) -> dict[str, int]:
        """Code to Tryton's number."""
        return {row["code"]: row["id"] for row in self.tryton.search_read("currency.currency", [], ["code"])}

    @cached_property
    def unit(self) -> int:
        """The unit in which services are counted."""
        return self._first("product.uom", [["symbol", "=", "u"]], "a unit with the symbol u")

    @cached_property
    def journal(self) -> int:
        """Where revenue is journaled."""
        return self._first("account.journal", [["type", "=", "revenue"]], "a revenue journal")

    @cached_property
    def revenue(self) -> int:
        """Where revenue is booked."""
        return self._account("revenue_account", ["type.revenue", "=", True])

    @cached_property
    def receivable(self) -> int:
        """Where what customers owe is booked."""
        return self._account("receivable_account", ["type.receivable", "=", True])

    @cached_property
    def tax(self) -> int:
        """Where tax is booked that billing has computed."""
        return self._account("tax_account", ["name", "ilike", "%accrued taxes%"])

    def _account(self, option: str, otherwise: Sequence[Any]) -> int:
        code = self.options.get(option)
        named = [["code", "=", str(code)]] if code else [list(otherwise)]
        return self._first("account.account", [*named, ["closed", "!=", True]], f"an account for `{option}`")

    def _first(self, model: str, domain: Sequence[Any], what: str) -> int:
        rows = self.tryton.search_read(model, domain, ["id"], limit=1)
        if not rows:
            raise Unfit("books", f"the books have not {what}; name one in targets.yaml")
        return int(rows[0]["id"])


class Kind:
    """One kind of record."""

    entity: str
    model: str  # where it is found
    made_as: str  # what is made; a product is made as a template
    fields: tuple[str, ...]
    active: Sequence[Any] = ()

    def rows(self, book: Book, domain: Sequence[Any], limit: int | None = None) -> list[dict[str, Any]]:
        """Records of this kind in order of id."""
        return book.tryton.search_read(self.model, list(domain), self.fields, limit=limit)

    def under(self, golden_ids: Sequence[str]) -> Sequence[Any]:
        """Which records stand under these keys."""
        raise NotImplementedError

    def made(self, ids: Sequence[int]) -> Sequence[Any]:
        """Which records were made by a call that gave these ids."""
        return [["id", "in", list(ids)]]

    def key_of(self, row: Row) -> str | None:
        """The golden id of a record that came from here."""
        raise NotImplementedError

    def version_of(self, row: Row) -> str:
        """What changes whenever the record does."""
        return str(row.get("_timestamp"))

    def render(self, golden: GoldenRecord, parents: Mapping[str, str]) -> dict[str, Any]:
        """A golden record in Tryton's words."""
        raise NotImplementedError

    def there(self, row: Row, book: Book) -> dict[str, Any]:
        """What stands there, in the same words."""
        raise NotImplementedError

    def create(self, message: Message, book: Book) -> dict[str, Any]:
        """The values that it is made with. Raises Unfit."""
        raise NotImplementedError

    def change(self, message: Message, row: Row, wanted: Mapping[str, Any], book: Book) -> None:
        """Write what differs, unless it has moved on since the row was read."""
        raise NotImplementedError

    def finish(self, message: Message, row: Row, book: Book) -> Row:  # noqa: ARG002 (most kinds are done)
        """The last steps; the row as it stands then."""
        return row

    def _retired(self, message: Message, row: Row, book: Book, record: tuple[str, Row]) -> Row:
        """Hidden last of all, because Tryton lets nothing of a hidden record be changed."""
        model, stands = record
        if message.action == "deactivate" or message.body.get("active", True) or not stands.get("active"):
            return row
        book.tryton.call(f"model.{model}.write", [stands["id"]], {"active": False})
        (after,) = self.rows(book, [["id", "=", row["id"]]])
        return after

    def _put(self, book: Book, values: dict[str, Any], record: tuple[str, Row]) -> None:
        """Write the values; a hidden record is shown first."""
        model, stands = record
        stamp = stands.get("_timestamp")
        if not stands.get("active"):
            self._write(book, model, {"active": True}, (stands["id"], stamp))
            stamp = None
        self._write(book, model, values, (stands["id"], stamp))

    def _write(self, book: Book, model: str, values: Mapping[str, Any], stamp: tuple[int, Any]) -> None:
        number, seen = stamp
        guard = {"_timestamp": {f"{model},{number}": seen}} if seen else {}
        book.tryton.call(f"model.{model}.write", [number], values, context=guard)


class Party(Kind):
    """A customer."""

    entity, model, made_as = "account", "party.party", "party.party"
    fields, active = words.PARTY, (("active", "=", True),)

    def under(self, golden_ids: Sequence[str]) -> Sequence[Any]:
        """By code."""
        return [["code", "in", list(golden_ids)]]

    def key_of(self, row: Row) -> str | None:
        """Its code, when it is one of ours."""
        code = row.get("code")
        return code if isinstance(code, str) and code.startswith("acc_") else None

    def render(self, golden: GoldenRecord, parents: Mapping[str, str]) -> dict[str, Any]:  # noqa: ARG002
        """A party with one address."""
        return words.party(golden)

    def there(self, row: Row, book: Book) -> dict[str, Any]:
        """What Tryton has of it."""
        return words.party_there(row, book.countries)

    def create(self, message: Message, book: Book) -> dict[str, Any]:
        """Its own fields, its address, mail, phone and tax number."""
        body = message.body
        parts = self._parts(body, book)
        own = {"code": message.golden_id, "name": body.get("name")}
        return own | {name: [["create", rows]] for name, rows in parts.items() if rows}

    def change(self, message: Message, row: Row, wanted: Mapping[str, Any], book: Book) -> None:
        """Its own fields; parts that differ are replaced whole, the address in its place."""
        there = self.there(row, book)
        values = {} if there.get("name") == wanted.get("name") else {"name": wanted.get("name")}
        if message.action == "deactivate":
            values["active"] = False
        parts = self._parts(wanted, book)
        for field, names in _PARTS.items():
            if any(there.get(name) != wanted.get(name) for name in names):
                values[field] = self._replaced(row, field, parts[field])
        self._put(book, values, (self.model, row))

    def finish(self, message: Message, row: Row, book: Book) -> Row:
        """Hidden, where it is no customer any more."""
        return self._retired(message, row, book, (self.model, row))

    def _replaced(self, row: Row, field: str, rows: list[dict[str, Any]]) -> list[Any]:
        old = [one["id"] for one in row.get(f"{field}.") or ()]
        if field == "addresses" and old and rows:  # invoices point at it
            return [["write", old[:1], rows[0]]]
        return [*([["delete", old]] if old else []), *([["create", rows]] if rows else [])]

    def _parts(self, body: Mapping[str, Any], book: Book) -> dict[str, list[dict[str, Any]]]:
        country = body.get("country")
        address = {name: body.get(name) for name in ("street", "postal_code", "city")}
        address["country"] = book.country_ids.get(country) if country else None
        mechanisms = [{"type": name, "value": body[name]} for name in ("email", "phone") if body.get(name)]
        number = body.get("tax_number")
        return {
            "addresses": [address],
            "contact_mechanisms": mechanisms,
            "identifiers": [{"type": body.get("tax_type"), "code": number}] if number else [],
        }


_PARTS = {
    "addresses": ("street", "postal_code", "city", "country"),
    "contact_mechanisms": ("email", "phone"),
    "identifiers": ("tax_type", "tax_number"),
}


class Product(Kind):
    """What is sold: a template with one variant, which carries our key as an identifier."""

    entity, model, made_as = "product", "product.product", "product.template"
    fields, active = words.PRODUCT, (("active", "=", True),)

    def under(self, golden_ids: Sequence[str]) -> Sequence[Any]:
        """By identifier."""
        return [["identifiers.code", "in", list(golden_ids)]]

    def made(self, ids: Sequence[int]) -> Sequence[Any]:
        """By template."""
        return [["template", "in", list(ids)]]

    def key_of(self, row: Row) -> str | None:
        """The identifier that is one of ours."""
        codes = [one["code"] for one in row.get("identifiers.") or ()]
        return next((code for code in codes if code.startswith("prd_")), None)

    def version_of(self, row: Row) -> str:
        """The template's, which holds what we write."""
        return str((row.get("template.") or {}).get("_timestamp"))

    def render(self, golden: GoldenRecord, parents: Mapping[str, str]) -> dict[str, Any]:  # noqa: ARG002
        """Code and name."""
        return words.product(golden)

    def there(self, row: Row, book: Book) -> dict[str, Any]:  # noqa: ARG002
        """What Tryton has of it."""
        return words.product_there(row)

    def create(self, message: Message, book: Book) -> dict[str, Any]:
        """A template with its variant."""
        variant = {"identifiers": [["create", [{"code": message.golden_id}]]]}
        body = message.body
        return {
            "code": body.get("code"), "name": body.get("name"),
            "type": "service", "default_uom": book.unit, "list_price": Decimal(0), "products": [["create", [variant]]],
        }  # fmt: skip

    def change(self, message: Message, row: Row, wanted: Mapping[str, Any], book: Book) -> None:
        """The template's fields."""
        values: dict[str, Any] = {name: wanted.get(name) for name in ("code", "name")}
        if message.action == "deactivate":
            values["active"] = False
        self._put(book, values, (self.made_as, row["template."]))

    def finish(self, message: Message, row: Row, book: Book) -> Row:
        """Hidden, where it is not sold any more."""
        return self._retired(message, row, book, (self.made_as, row["template."]))


class Invoice(Kind):
    """What a customer owes. Made as a draft, compared with our total, then posted."""

    entity, model, made_as = "invoice", "account.invoice", "account.invoice"
    fields, active = words.INVOICE, (("type", "=", "out"), ("state", "!=", "cancelled"))

    def under(self, golden_ids: Sequence[str]) -> Sequence[Any]:
        """By description."""
        return [["description", "in", list(golden_ids)], ["type", "=", "out"], ["state", "!=", "cancelled"]]

    def key_of(self, row: Row) -> str | None:
        """Its description, when it is one of ours."""
        said = row.get("description")
        return said if isinstance(said, str) and said.startswith("inv_") else None

    def render(self, golden: GoldenRecord, parents: Mapping[str, str]) -> dict[str, Any]:
        """Head, lines, and the tax that billing computed."""
        return words.invoice(golden, parents)

    def there(self, row: Row, book: Book) -> dict[str, Any]:  # noqa: ARG002
        """What Tryton has of it."""
        return words.invoice_there(row)

    def create(self, message: Message, book: Book) -> dict[str, Any]:
        """A draft. Raises Unfit where the books cannot take it."""
        body = message.body
        currency = book.currencies.get(str(body.get("currency")))
        if currency is None:
            raise Unfit("currency", f"the books have no currency {body.get('currency')}")
        party = self._party(message, book)
        lines = [
            {"type": "line", "description": one["description"], "quantity": float(one["quantity"]),
             "unit_price": Decimal(one["price"]), "account": book.revenue, "currency": currency}
            for one in body.get("lines") or ()
        ]  # fmt: skip
        tax, gross = Decimal(body.get("tax", "0")), Decimal(body.get("gross", "0"))
        taxes = [{"description": "Tax as invoiced", "account": book.tax, "manual": True, "base": gross - tax,
                  "amount": tax}] if tax else []  # fmt: skip
        return {
            "type": "out", "journal": book.journal, "account": book.receivable, "currency": currency,
            "party": party["id"], "invoice_address": party["addresses"][0], "description": message.golden_id,
            "reference": body.get("reference"), "lines": [["create", lines]] if lines else [],
            "invoice_date": date.fromisoformat(body["date"]) if body.get("date") else None,
            "taxes": [["create", taxes]] if taxes else [],
        }  # fmt: skip

    def change(self, message: Message, row: Row, wanted: Mapping[str, Any], book: Book) -> None:  # noqa: ARG002
        """A draft is made anew in its place; what is posted is not changed but corrected by a credit note."""
        if row.get("state") != "draft":
            raise Unfit("posted", f"invoice {row['id']} is {row.get('state')} there; it takes a credit note")
        if message.action == "deactivate":
            book.tryton.call("model.account.invoice.cancel", [row["id"]])
            return
        made = self.create(message, book)
        for field in ("lines", "taxes"):
            old = [one["id"] for one in row.get(f"{field}.") or ()]
            made[field] = [*([["delete", old]] if old else []), *made[field]]
        made.pop("type")
        self._write(book, self.model, made, (row["id"], row.get("_timestamp")))

    def finish(self, message: Message, row: Row, book: Book) -> Row:
        """Post it, once its total is ours to the cent. Raises Unfit, with the draft left there."""
        if not message.body.get("posted") or row.get("state") != "draft" or message.action == "deactivate":
            return row
        wanted = Decimal(message.body.get("gross", "0"))
        if Decimal(str(row["total_amount"])) != wanted:
            says = f"the draft comes to {row['total_amount']} there, not to {wanted}; it was not posted"
            raise Unfit("total", says)
        book.tryton.call("model.account.invoice.post", [row["id"]])
        (after,) = self.rows(book, [["id", "=", row["id"]]])
        return after

    def _party(self, message: Message, book: Book) -> Row:
        key = message.body.get("party")
        rows = book.tryton.search_read("party.party", [["code", "=", key]], ["addresses"], limit=1) if key else []
        if not rows or not rows[0]["addresses"]:
            raise Unfit("party", f"its customer {key} is not there")
        return rows[0]


KINDS: dict[str, Kind] = {kind.entity: kind for kind in (Party(), Product(), Invoice())}
