"""How each kind of record stands in Odoo: what is loaded, what is read, and in which words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from typing import Any

from adapters.base import Message, Status
from adapters.record_target import Refused
from adapters.targets.odoo import words
from adapters.targets.odoo.rpc import Odoo
from canonical.record import GoldenRecord

Row = Mapping[str, Any]
MODULE = "__hub__"  # under which the golden ids stand as external ids


class Book:
    """What is looked up once: countries, currencies, taxes."""

    def __init__(self, odoo: Odoo, taxes: Mapping[str, int] | None = None) -> None:
        """`taxes`: rate in percent → number of its tax, where that is not the first sales tax of the rate."""
        self.odoo, self._taxes = odoo, {Decimal(str(rate)): number for rate, number in (taxes or {}).items()}

    @cached_property
    def countries(self) -> dict[int, str]:
        """Odoo's number of each country, to its code."""
        return {row["id"]: row["code"] for row in self.odoo.search_read("res.country", [], ["code"])}

    @cached_property
    def country_ids(self) -> dict[str, int]:
        """The same the other way."""
        return {code: number for number, code in self.countries.items()}

    @cached_property
    def currency_ids(self) -> dict[str, int]:
        """Code to Odoo's number."""
        return {row["name"]: row["id"] for row in self.odoo.search_read("res.currency", [], ["name"])}

    @cached_property
    def rates(self) -> dict[Decimal, int]:
        """The sales tax of each rate in percent, on top of the price."""
        wanted = [["type_tax_use", "=", "sale"], ["amount_type", "=", "percent"], ["price_include", "=", False]]
        found = self.odoo.search_read("account.tax", wanted, ["amount"])
        return {Decimal(words.plain(row["amount"])): row["id"] for row in reversed(found)} | self._taxes

    def tax(self, net: Decimal, tax: Decimal, lines: int) -> int | None:
        """The tax that makes this of that net amount, up to a cent a line; None for none. Raises Refused."""
        if tax == 0:
            return None
        off = {rate: abs(net * rate / 100 - tax) for rate in self.rates}
        nearest = min(off, key=lambda rate: (off[rate], rate), default=None)
        if nearest is None or off[nearest] > Decimal("0.01") * max(1, lines):
            says = f"Odoo has no sales tax that makes {tax} of {net}; name one under `taxes` in targets.yaml"
            raise Refused(Status.INVALID, says, code="tax")
        return self.rates[nearest]


class Kind:
    """One kind of record."""

    entity: str
    model: str
    fields: tuple[str, ...]
    domain: Sequence[Any]  # which of the model's records are such

    def render(self, golden: GoldenRecord, parents: Mapping[str, str]) -> dict[str, Any]:
        """A golden record in Odoo's words."""
        raise NotImplementedError

    def there(self, row: Row, book: Book, beside: Row) -> dict[str, Any]:
        """What stands there, in the same words; `beside` has `keys` (partner → golden id) and `lines`."""
        raise NotImplementedError

    def cells(self, message: Message, book: Book) -> list[dict[str, str]]:
        """The lines that `load` takes, by column; what is not there is emptied. Raises Refused."""
        raise NotImplementedError


class Partner(Kind):
    """A customer."""

    entity, model, fields = "account", "res.partner", words.PARTNER
    domain = (["parent_id", "=", False], ["customer_rank", ">", 0])

    def render(self, golden: GoldenRecord, parents: Mapping[str, str]) -> dict[str, Any]:  # noqa: ARG002
        """Without its group: under a parent, Odoo would replace its address by the parent's."""
        return words.partner(golden)

    def there(self, row: Row, book: Book, beside: Row) -> dict[str, Any]:  # noqa: ARG002
        """By its fields."""
        return words.partner_there(row, book.countries)

    def cells(self, message: Message, book: Book) -> list[dict[str, str]]:
        """One line."""
        body = message.body
        names = ("name", "street", "street2", "city", "zip", "email", "phone", "vat", "ref")
        made = {
            "id": external(message.golden_id),
            "customer_rank": "1",
            **{name: text(body.get(name)) for name in names},
        }
        flags = {name: text(bool(body.get(name, True))) for name in ("is_company", "active")}
        return [{**made, **flags, "country_id/.id": text(_known(book.country_ids, body.get("country"), "country"))}]


class Person(Kind):
    """Somebody at a customer."""

    entity, model, fields = "contact", "res.partner", words.CONTACT
    domain = (["parent_id", "!=", False], ["type", "=", "contact"])

    def render(self, golden: GoldenRecord, parents: Mapping[str, str]) -> dict[str, Any]:
        """Under its customer."""
        return words.contact(golden, parents)

    def there(self, row: Row, book: Book, beside: Row) -> dict[str, Any]:  # noqa: ARG002
        """By its fields."""
        return words.contact_there(row, beside["keys"])

    def cells(self, message: Message, book: Book) -> list[dict[str, str]]:  # noqa: ARG002
        """One line."""
        body, parent = message.body, message.body.get("parent")
        made = {name: text(body.get(name)) for name in ("name", "email", "phone", "function")}
        own = {"id": external(message.golden_id), "type": "contact", "active": text(bool(body.get("active", True)))}
        return [{**own, **made, "parent_id/id": external(parent) if parent else ""}]


class Product(Kind):
    """Something that is sold."""

    entity, model, fields = "product", "product.template", words.PRODUCT
    domain = (["sale_ok", "=", True],)

    def render(self, golden: GoldenRecord, parents: Mapping[str, str]) -> dict[str, Any]:  # noqa: ARG002
        """A service."""
        return words.product(golden)

    def there(self, row: Row, book: Book, beside: Row) -> dict[str, Any]:  # noqa: ARG002
        """By its fields."""
        return words.product_there(row)

    def cells(self, message: Message, book: Book) -> list[dict[str, str]]:  # noqa: ARG002
        """One line."""
        body, own = message.body, {"id": external(message.golden_id), "type": "service", "sale_ok": "1"}
        active = text(bool(body.get("active", True)))
        return [{**own, "name": text(body.get("name")), "default_code": text(body.get("code")), "active": active}]


class Invoice(Kind):
    """A customer invoice or credit note; loaded as a draft."""

    entity, model, fields = "invoice", "account.move", words.MOVE
    domain = (["move_type", "in", ["out_invoice", "out_refund"]], ["state", "!=", "cancel"])

    def render(self, golden: GoldenRecord, parents: Mapping[str, str]) -> dict[str, Any]:
        """For its customer."""
        return words.invoice(golden, parents)

    def there(self, row: Row, book: Book, beside: Row) -> dict[str, Any]:  # noqa: ARG002
        """With its lines."""
        return words.invoice_there(row, beside["lines"], beside["keys"])

    def cells(self, message: Message, book: Book) -> list[dict[str, str]]:
        """A line for each line; the tax is always said, or Odoo would put its default."""
        body = message.body
        currency = _known(book.currency_ids, body.get("currency"), "currency")
        head = {
            "id": external(message.golden_id), "move_type": body["type"], "ref": text(body.get("reference")),
            "partner_id/id": external(body["party"]) if body.get("party") else "",
            "invoice_date": text(body.get("date")), "invoice_date_due": text(body.get("due")),
            "currency_id/.id": text(currency),
        }  # fmt: skip
        tax = text(self.tax(body, book))
        lines = [
            {f"{_LINES}/name": one["name"], f"{_LINES}/quantity": one["quantity"], f"{_LINES}/price_unit": one["price"],
             f"{_LINES}/tax_ids/.id": tax}
            for one in body.get("lines") or ()
        ]  # fmt: skip
        return [{**(head if not place else {}), **line} for place, line in enumerate(lines or [{}])]

    def tax(self, body: Row, book: Book) -> int | None:
        """The one tax of all lines. Raises Refused."""
        lines = body.get("lines") or ()
        net = sum((Decimal(one["quantity"]) * Decimal(one["price"]) for one in lines), Decimal(0))
        return book.tax(net, Decimal(body.get("tax") or 0), len(lines))


_LINES = "invoice_line_ids"
KINDS: dict[str, Kind] = {kind.entity: kind for kind in (Partner(), Person(), Product(), Invoice())}


def external(golden_id: str) -> str:
    """The external id of a golden record."""
    return f"{MODULE}.{golden_id}"


def text(value: Any) -> str:
    """A cell of what is loaded; empty is nothing."""
    if isinstance(value, bool):
        return "1" if value else "0"
    return "" if value is None else str(value)


def _known(table: Mapping[str, int], code: Any, what: str) -> int | None:
    if code and code not in table:
        raise Refused(Status.INVALID, f"Odoo has no {what} {code}", code=what)
    return table.get(code) if code else None
