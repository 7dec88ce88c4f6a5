"""A fake Odoo: XML-RPC, JSON-RPC and JSON-2 over a small registry of models, with what was measured of the real one.

`load` is an upsert by external id, all lines or none; a tax of 15 % is added to an invoice line that does not
say its taxes; a missing record reads as nothing; times have whole seconds; nothing guards against lost updates.
"""

from __future__ import annotations

import re
import xmlrpc.client
from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from adapters.peers.fake import Asked, Fake, Said
from adapters.peers.odoo_models import DEFAULTS, DIGITS, MODELS, NEEDED, SEED, Fault, convert, matches

SECRET = "open sesame"  # noqa: S105 (of a fake)
DEFAULT_TAX = 1  # 15 %, put on lines that do not say their taxes


class FakeOdoo(Fake):
    """One database with one company."""

    def __init__(
        self,
        version: str = "19.0",
        *,
        database: str = "books",
        user: str = "hub",
        password: str = SECRET,
        port: int = 0,
    ) -> None:
        """JSON-2 is there from 19.0; the password is the API key too."""
        super().__init__(port)
        self.version, self.database, self.user, self.password = version, database, user, password
        self.tables: dict[str, dict[int, dict[str, Any]]] = {model: {} for model in MODELS}
        for model, rows in SEED.items():
            for row in rows:
                self.insert(model, row)
        self.forbidden: set[str] = set()  # models that the user may not write

    @property
    def options(self) -> dict[str, Any]:
        """What a connection to it says, without the protocol."""
        return {"url": self.url, "database": self.database, "user": self.user, "password": self.password}

    def answer(self, asked: Asked) -> Said:
        """By its path."""
        if asked.path == "/jsonrpc":
            return self._json(asked)
        if asked.path.startswith("/xmlrpc/2/"):
            return self._xml(asked)
        if asked.path == "/web/version":
            return Said(200, {"version": self.version})
        if asked.path.startswith("/json/2/") and float(self.version) >= 19:
            return self._json2(asked)
        return Said(404, b"<html>not found</html>")

    def insert(self, model: str, values: Mapping[str, Any]) -> int:
        """Make a record and give its number. Raises Fault."""
        self._check(model, values)
        table = self.tables[model]
        number = max(table, default=0) + 1
        stamp = f"{self.tick():%Y-%m-%d %H:%M:%S}"
        table[number] = {"id": number, **DEFAULTS.get(model, {}), **values, "write_date": stamp, "write_uid": 2}
        if model == "account.move.line" and "tax_ids" not in values:
            table[number]["tax_ids"] = [DEFAULT_TAX]
        return number

    def edit(self, model: str, number: int, **values: Any) -> None:
        """Somebody changes a record there."""
        self.tables[model][number] |= {**values, "write_date": f"{self.tick():%Y-%m-%d %H:%M:%S}", "write_uid": 1}

    def execute(self, model: str, method: str, ids: Sequence[int], named: Mapping[str, Any]) -> Any:
        """A method of a model. Raises Fault."""
        if model not in self.tables:
            raise Fault("KeyError", f"'{model}'")
        if model in self.forbidden and method not in ("search_read", "read", "search_count"):
            raise Fault("odoo.exceptions.AccessError", f"You are not allowed to modify {model} records.")
        act: Callable[..., Any] | None = getattr(self, f"do_{method}", None)
        if act is None:
            raise Fault("AttributeError", f"The method '{model}.{method}' does not exist")
        said = {name: value for name, value in named.items() if name != "context"}
        return act(model, list(ids), named.get("context") or {}, **said)

    def do_search_read(self, model: str, _ids: list[int], context: Mapping[str, Any], **said: Any) -> Any:
        """Records with these fields."""
        hidden = context.get("active_test", True) and "active" in MODELS[model]
        domain = [*said.get("domain", []), *([["active", "=", True]] if hidden else [])]
        rows = [row for _, row in sorted(self.tables[model].items()) if all(matches(row, one) for one in domain)]
        limit = said.get("limit") or len(rows)
        return [self._shown(model, row, said.get("fields") or []) for row in rows[:limit]]

    def do_search_count(self, model: str, ids: list[int], context: Mapping[str, Any], **said: Any) -> Any:
        """How many."""
        return len(self.do_search_read(model, ids, context, domain=said.get("domain", []), fields=["id"]))

    def do_read(self, model: str, ids: list[int], _context: Mapping[str, Any], fields: Sequence[str] = ()) -> Any:
        """Those that are there."""
        return [self._shown(model, self.tables[model][one], fields) for one in ids if one in self.tables[model]]

    def do_write(self, model: str, ids: list[int], _context: Mapping[str, Any], vals: Mapping[str, Any]) -> bool:
        """Change records; a missing one is an error."""
        self._check(model, vals, whole=False)
        for number in ids:
            self._writable(model, number)
            plain = {name: value for name, value in vals.items() if name != "invoice_line_ids"}
            self.tables[model][number] |= {**plain, "write_date": f"{self.tick():%Y-%m-%d %H:%M:%S}", "write_uid": 2}
            for command, _, line in vals.get("invoice_line_ids", ()):
                self._command(number, command, line)
        return True

    def do_load(
        self, model: str, _ids: list[int], _context: Mapping[str, Any], fields: Sequence[str], data: Sequence[Any]
    ) -> Any:
        """Make or change by external id: every line, or none and the reasons."""
        saved = {name: {n: dict(row) for n, row in table.items()} for name, table in self.tables.items()}
        ids, wrong = [], []
        for number, lines in _records(fields, data):
            try:
                ids.append(self._loaded(model, lines))
            except Fault as fault:
                if fault.name == "KeyError":
                    raise
                wrong.append(
                    {"type": "error", "rows": {"from": number, "to": number}, "message": fault.says, "record": number}
                )
        if wrong:
            self.tables = saved
        return {"ids": ids if not wrong else False, "messages": wrong, "nextrow": 0}

    def do_action_post(self, model: str, ids: list[int], _context: Mapping[str, Any]) -> Any:
        """Drafts become posted and get their number."""
        for number in ids:
            if self.tables[model][number]["state"] != "draft":
                raise Fault("odoo.exceptions.UserError", "Only draft entries can be posted.")
            stamp = f"{self.tick():%Y-%m-%d %H:%M:%S}"
            self.tables[model][number] |= {"state": "posted", "name": f"INV/{number:05d}", "write_date": stamp}
        return True

    def do_button_cancel(self, model: str, ids: list[int], _context: Mapping[str, Any]) -> None:
        """Drafts become cancelled. It gives nothing, which two of the interfaces have trouble to say."""
        for number in ids:
            if self.tables[model][number]["state"] != "draft":
                raise Fault("odoo.exceptions.UserError", "Only draft journal entries can be cancelled.")
            self.tables[model][number]["state"] = "cancel"

    def _loaded(self, model: str, lines: Sequence[Mapping[str, str]]) -> int:
        """One record of what is loaded, with the lines below it."""
        head = {name: cell for name, cell in lines[0].items() if "invoice_line_ids/" not in name}
        module, _, name = head.pop("id").partition(".")
        values = convert(model, head, self.tables)
        known = [
            row["res_id"] for row in self.tables["ir.model.data"].values()
            if (row["module"], row["name"], row["model"]) == (module, name, model)
        ]  # fmt: skip
        if known:
            self.do_write(model, known, {}, values)
            return int(known[0])
        number = self.insert(model, values)
        self.insert("ir.model.data", {"module": module, "name": name, "model": model, "res_id": number})
        for line in lines:
            below = {key.partition("/")[2]: cell for key, cell in line.items() if "invoice_line_ids/" in key}
            if any(below.values()):
                self._command(number, 0, convert("account.move.line", below, self.tables))
        return number

    def _command(self, move: int, command: int, line: Any) -> None:
        lines = self.tables["account.move.line"]
        if command == 5:
            for number in [number for number, row in lines.items() if row["move_id"] == move]:
                del lines[number]
        else:
            taxes = line.get("tax_ids", [DEFAULT_TAX])
            taxes = taxes[0][2] if taxes and isinstance(taxes[0], list) else taxes
            self.insert("account.move.line", {**line, "tax_ids": taxes, "move_id": move})

    def _writable(self, model: str, number: int) -> None:
        if number not in self.tables[model]:
            raise Fault(
                "odoo.exceptions.MissingError", f"Record does not exist or has been deleted. ({model}({number},))"
            )
        if model == "account.move" and self.tables[model][number]["state"] == "posted":
            raise Fault("odoo.exceptions.UserError", "You cannot modify a posted entry of this journal.")

    def _check(self, model: str, values: Mapping[str, Any], *, whole: bool = True) -> None:
        for name in values:
            if name not in MODELS[model]:
                raise Fault("ValueError", f"Invalid field '{name}' on model '{model}'")
        for name in NEEDED.get(model, ()):
            if not values.get(name, not whole):
                raise Fault("odoo.exceptions.ValidationError", f"Missing required value for the field '{name}'")
        number = values.get("vat")
        if number and not re.fullmatch(r"[A-Z]{0,2}\d[0-9A-Z]{4,}|[A-Z]{2}[0-9A-Z]{5,}", number):
            raise Fault("odoo.exceptions.ValidationError", f"The VAT number {number} does not seem to be valid.")

    def _shown(self, model: str, row: Mapping[str, Any], fields: Sequence[str]) -> dict[str, Any]:
        made = {"id": row["id"]}
        for name in (one for one in fields if one != "id"):
            if name not in MODELS[model]:
                raise Fault("ValueError", f"Invalid field '{name}' on model '{model}'")
            made[name] = self._computed(model, row, name)
        return made

    def _computed(self, model: str, row: Mapping[str, Any], name: str) -> Any:
        target = MODELS[model][name]
        if model == "account.move" and name in ("amount_total", "amount_tax", "invoice_line_ids"):
            return self._amounts(row["id"])[name]
        value = row.get(name, False)
        if target in self.tables and value:
            return [value, self.tables[target][value].get("name", str(value))]
        return False if value is None else value

    def _amounts(self, move: int) -> dict[str, Any]:
        """Rounded line by line, as a new database has it."""
        lines = [row for _, row in sorted(self.tables["account.move.line"].items()) if row["move_id"] == move]
        currency = self.tables["res.currency"][self.tables["account.move"][move]["currency_id"]]["name"]
        cent = Decimal(1).scaleb(-DIGITS.get(currency, 2))
        net = tax = Decimal(0)
        for line in lines:
            amount = (Decimal(str(line["quantity"])) * Decimal(str(line["price_unit"]))).quantize(cent, ROUND_HALF_UP)
            rates = [Decimal(str(self.tables["account.tax"][number]["amount"])) for number in line["tax_ids"]]
            net += amount
            tax += sum(((amount * rate / 100).quantize(cent, ROUND_HALF_UP) for rate in rates), Decimal(0))
        ids = [line["id"] for line in lines]
        return {"amount_total": float(net + tax), "amount_tax": float(tax), "invoice_line_ids": ids}

    def _service(self, service: str, method: str, arguments: Sequence[Any]) -> Any:
        if (service, method) == ("common", "version"):
            return {"server_version": self.version}
        known = arguments[0] == self.database and arguments[2] == self.password
        if (service, method) == ("common", "authenticate"):
            return 2 if known and arguments[1] == self.user else False
        if not known:
            raise Fault("odoo.exceptions.AccessDenied", "Access Denied")
        _, _, _, model, called, args, named = arguments
        return self.execute(model, called, args[0] if args else [], named)

    def _json(self, asked: Asked) -> Said:
        params = asked.json()["params"]
        try:
            result = self._service(*(params[n] for n in _PARTS))
            return Said(200, {"jsonrpc": "2.0", "id": 1, **({} if result is None else {"result": result})})
        except Fault as fault:
            data = {"name": fault.name, "message": fault.says, "arguments": [fault.says], "debug": "Traceback ..."}
            return Said(
                200, {"jsonrpc": "2.0", "id": 1, "error": {"code": 200, "message": "Odoo Server Error", "data": data}}
            )

    def _xml(self, asked: Asked) -> Said:
        arguments, method = xmlrpc.client.loads(asked.body.decode(), use_builtin_types=True)
        try:
            result = self._service(asked.path.rpartition("/")[2], str(method), arguments)
            if result is None:
                raise Fault("TypeError", "cannot marshal None unless allow_none is enabled")
            return Said(200, xmlrpc.client.dumps((result,), methodresponse=True).encode())
        except Fault as fault:
            number = {"AccessError": 3, "AccessDenied": 3}.get(fault.kind, 2 if fault.name.startswith("odoo.") else 1)
            text = (
                fault.says if number > 1 else f"Traceback (most recent call last):\n  ...\n{fault.name}: {fault.says}\n"
            )
            return Said(200, xmlrpc.client.dumps(xmlrpc.client.Fault(number, text), allow_none=True).encode())

    def _json2(self, asked: Asked) -> Said:
        if asked.headers.get("authorization") != f"bearer {self.password}":
            return Said(401, {"name": "werkzeug.exceptions.Unauthorized", "message": "Invalid apikey"})
        body = dict(asked.json() or {})
        _, _, _, model, method = asked.path.split("/")
        try:
            return Said(200, self.execute(model, method, body.pop("ids", []), body))
        except Fault as fault:
            status = {"AccessError": 403, "MissingError": 404, "KeyError": 404, "AttributeError": 404}.get(
                fault.kind, 422
            )
            return Said(status, {"name": fault.name, "message": fault.says, "arguments": [fault.says], "context": {}})


def _records(fields: Sequence[str], data: Sequence[Any]) -> list[tuple[int, list[dict[str, str]]]]:
    """The lines of each record: one without an id belongs to the record above it."""
    records: list[tuple[int, list[dict[str, str]]]] = []
    for number, cells in enumerate(data):
        line = dict(zip(fields, cells, strict=True))
        if line.get("id") or not records:
            records.append((number, [line]))
        else:
            records[-1][1].append(line)
    return records


_STATUS = {"AccessError": 403, "MissingError": 404, "KeyError": 404, "AttributeError": 404}
_PARTS = ("service", "method", "args")
