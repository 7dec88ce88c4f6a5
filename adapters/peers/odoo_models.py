"""What the fake Odoo knows of Odoo's models: their fields, what a new database holds, and how cells are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Tables = Mapping[str, Mapping[int, Mapping[str, Any]]]

_STAMPS = {"write_date": "", "write_uid": "res.users"}
MODELS: dict[str, dict[str, str]] = {  # model → field → the model that it points at, or a word for its kind
    "res.users": {"name": ""},
    "res.company": {"name": "", "currency_id": "res.currency", **_STAMPS},
    "res.country": {"name": "", "code": "", **_STAMPS},
    "res.currency": {"name": "", **_STAMPS},
    "account.tax": {
        **dict.fromkeys(("name", "amount", "amount_type", "type_tax_use"), ""), "price_include": "flag", **_STAMPS,
    },
    "ir.model.data": {"module": "", "name": "", "model": "", "res_id": "", **_STAMPS},
    "res.partner": {
        **dict.fromkeys(("name", "street", "street2", "city", "zip", "email", "phone", "vat", "ref"), ""),
        "function": "", "type": "",
        "is_company": "flag", "active": "flag", "customer_rank": "count", "country_id": "res.country",
        "parent_id": "res.partner", **_STAMPS,
    },
    "product.template": {
        **dict.fromkeys(("name", "default_code", "type"), ""), "active": "flag", "sale_ok": "flag", **_STAMPS,
    },
    "account.move": {
        **dict.fromkeys(("name", "ref", "move_type", "invoice_date", "invoice_date_due", "state"), ""),
        "partner_id": "res.partner", "currency_id": "res.currency", **_STAMPS,
        **dict.fromkeys(("amount_total", "amount_tax", "invoice_line_ids"), "computed"),
    },
    "account.move.line": {
        "move_id": "", "name": "", "quantity": "number", "price_unit": "number", "tax_ids": "ids", **_STAMPS,
    },
}  # fmt: skip
NEEDED = {"res.partner": ("name",), "product.template": ("name",), "account.move": ("partner_id",)}
DEFAULTS: dict[str, dict[str, Any]] = {
    "res.partner": {"active": True, "type": "contact", "customer_rank": 0, "parent_id": False, "is_company": False},
    "product.template": {"active": True, "sale_ok": True},
    "account.move": {"state": "draft", "currency_id": 1},
    "account.move.line": {"quantity": 1.0, "price_unit": 0.0},
}
DIGITS = {"BHD": 3, "JPY": 0, "KRW": 0, "KWD": 3}  # of the currencies that have not two
_CURRENCIES = (
    "EUR USD GBP CHF AED AUD BGN BHD BRL CAD CNY CZK DKK HKD HUF INR JPY KRW KWD MXN NOK NZD PLN RON SEK SGD".split()
)
_COUNTRIES = (
    "AE AR AT AU BE BG BH BR CA CH CL CN CO CY CZ DE DK EE ES FI FR GB GR HK HR HU IE IL IN IS IT JP KR KW LI LT LU LV "
    "MC MT MX MY NL NO NZ PL PT QA RO RS RU SA SE SG SI SK TH TR TW UA US VN ZA"
).split()
SEED: dict[str, list[dict[str, Any]]] = {
    "res.users": [{"name": "Administrator"}, {"name": "hub"}],
    "res.currency": [{"name": code} for code in _CURRENCIES],
    "res.country": [{"name": code, "code": code} for code in _COUNTRIES],
    "res.company": [{"name": "Concord Demo GmbH", "currency_id": 1}],
    "account.tax": [
        {"name": f"{rate}%", "amount": rate, "amount_type": "percent", "type_tax_use": "sale", "price_include": False}
        for rate in (15.0, 19.0, 7.0, 20.0, 5.0, 5.5, 6.0, 7.7, 8.0, 8.1, 9.0, 10.0, 12.0, 13.5, 14.0, *range(16, 28))
    ],
    "res.partner": [{"name": "Concord Demo GmbH", "is_company": True}],
}  # fmt: skip


class Fault(Exception):
    """What Odoo raises."""

    def __init__(self, name: str, says: str) -> None:
        """The full name of the exception's class, and its text."""
        super().__init__(says)
        self.name, self.says, self.kind = name, says, name.rpartition(".")[2]


def convert(model: str, cells: Mapping[str, str], tables: Tables) -> dict[str, Any]:
    """Cells of `load` as values: an empty one is False. Raises Fault."""
    made: dict[str, Any] = {}
    for column, cell in cells.items():
        name, _, how = column.partition("/")
        if name not in MODELS[model]:
            raise Fault("KeyError", f"'{name}'")
        kind = MODELS[model][name]
        if not cell:
            made[name] = [] if kind == "ids" else False
        elif kind in tables:
            made[name] = _reference(kind, cell, how, tables)
        else:
            made[name] = _READ.get(kind, str)(cell)
    return made


def matches(row: Mapping[str, Any], leaf: Sequence[Any]) -> bool:
    """Whether a record meets one condition of a domain."""
    name, operator, wanted = leaf
    value = row.get(name, False)
    match operator:
        case "=":
            return bool(value == wanted or (wanted is False and not value))
        case "!=":
            return not matches(row, [name, "=", wanted])
        case "in":
            return value in wanted
        case ">":
            return bool(value > wanted)
        case ">=":
            return bool(value >= wanted)
    raise Fault("ValueError", f"Invalid operator {operator!r}")


def _reference(model: str, cell: str, how: str, tables: Tables) -> int:
    if how == ".id":
        if int(cell) in tables[model]:
            return int(cell)
        raise Fault("odoo.exceptions.ValidationError", f"No matching record found for database id '{cell}'")
    module, _, name = cell.partition(".")
    for row in tables["ir.model.data"].values():
        if (row["module"], row["name"], row["model"]) == (module, name, model):
            return int(row["res_id"])
    raise Fault("odoo.exceptions.ValidationError", f"No matching record found for external id '{cell}'")


_READ: dict[str, Callable[[str], Any]] = {
    "flag": lambda cell: cell == "1", "count": int, "number": float,
    "ids": lambda cell: [int(one) for one in cell.split(",")],
}  # fmt: skip
