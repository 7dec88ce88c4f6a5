"""The systems that targets are tried against, each with what a test must be able to do to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

from adapters.base import Connection, Message, Target
from adapters.peers import business_central as bc_peer
from adapters.peers import netsuite as netsuite_peer
from adapters.peers import odoo_models
from adapters.peers import sap as sap_peer
from adapters.peers.business_central import FakeBusinessCentral
from adapters.peers.netsuite import FakeNetSuite
from adapters.peers.odoo import FakeOdoo
from adapters.peers.sap import FakeSap
from adapters.registry import KINDS
from adapters.targets import netsuite
from adapters.targets.odoo import target as odoo_target
from adapters.targets.sap import target as sap_target
from adapters.transport import Manners
from canonical.ids import SourceKey, golden_id
from canonical.record import GoldenRecord

HASTY = Manners(tries=3, longest_wait=0.01, sleep=lambda _: None)
ACORN: dict[str, Any] = {
    "kind": "organisation", "legal_name": "Acorn Ltd", "email": "a@acorn.example", "status": "active",
    "billing_address": {"line1": "1 Mill Lane", "city": "Leeds", "postcode": "LS1 1AA", "country": "GB"},
    "tax_id": {"country": "GB", "type": "vat", "number": "980780684"},
}  # fmt: skip


@dataclass
class World:
    """A system, and how it is met."""

    kind: str
    fake: Any  # of Fake, with what its kind has
    options: dict[str, Any]
    wrong: dict[str, Any]  # what no connection gets in with
    records: Callable[[], dict[Any, dict[str, Any]]]  # the customers there, by their number
    spoil: dict[str, Any]  # fields of the body that the system refuses
    name: str  # the field there that holds the customer's name
    model: str  # what customers are called there
    pages: ModuleType | None = None  # where the size of a page is said
    expires: bool = True  # whether it has sessions that end
    unique: bool = True  # whether it has a key of ours that is unique
    fields: Callable[[], Any] = field(default=lambda: None)  # takes the field of the name away while it is entered
    made: list[Any] = field(default_factory=list)

    def connect(self, **more: Any) -> Target:
        """A target on it."""
        options = {**self.options, "manners": HASTY, **more}
        target = KINDS[self.kind](Connection("erp", self.kind, Path(), options))
        self.made.append(target)
        return target

    def edit(self, remote_id: str, name: str) -> None:
        """Somebody gives a customer another name there."""
        if self.kind == "sap":
            self.fake.edit(remote_id, **{self.name: name})
        else:
            self.fake.edit(self.model, self.number(remote_id), **{self.name: name})

    def number(self, remote_id: str) -> Any:
        """The key of a record in the fake."""
        return int(remote_id) if self.kind in ("odoo", "netsuite") else remote_id

    def remove(self, remote_id: str) -> None:
        """Somebody deletes a customer there."""
        if self.kind == "sap":
            for rows in self.fake.sets.values():
                for key in [key for key in rows if key[0] == remote_id]:
                    del rows[key]
            return
        del self.records()[self.number(remote_id)]
        if self.kind == "odoo":
            data = self.fake.tables["ir.model.data"]
            for key in [
                key for key, row in data.items() if (row["model"], row["res_id"]) == (self.model, int(remote_id))
            ]:
                del data[key]

    def forbid(self) -> None:
        """We may read, and not write."""
        if self.kind == "sap":
            self.fake.readonly = True
        else:
            self.fake.forbidden.add(self.model)

    def close(self) -> None:
        """Let the connections go."""
        for target in self.made:
            holder = getattr(target, "gateway", target)
            getattr(holder, "transport", None) and holder.transport.close()
            if self.kind == "odoo":
                target.odoo.wire.transport.close()


def key(number: int) -> str:
    """A golden id, as the hub makes them."""
    return golden_id("acc", SourceKey("crm", "account", str(number)))


def message(target: Target, number: int = 1, version: int = 1, action: str = "create", **changed: Any) -> Message:
    """A customer in the target's words; changed fields are given in canonical ones, or among `bound` for the message."""
    bound = changed.pop("bound", {})
    spoilt = changed.pop("spoilt", {})
    golden = GoldenRecord(key(number), "account", version, {**ACORN, **changed}, {}, (), "r")
    body = {} if action == "deactivate" else {**target.render(golden, {}), **spoilt}
    return Message(target.name, "account", key(number), version, action, body, **bound)


def odoo(protocol: str) -> World:
    """Odoo by one of its interfaces."""
    fake = FakeOdoo()
    own = fake.tables["res.partner"].pop(1)  # the company's own partner is no customer
    assert own["name"] == "Concord Demo GmbH"
    fake.tables["res.partner"] = {}
    return World(
        "odoo", fake, {**fake.options, "protocol": protocol}, {"password": "wrong"}, lambda: fake.tables["res.partner"],
        {"vat": "?"}, "name", "res.partner", odoo_target, expires=False,
        fields=lambda: mock.patch.dict(odoo_models.MODELS["res.partner"], {}, clear=True),
    )  # fmt: skip


def sap() -> World:
    """SAP; a session is a token with its cookies."""
    fake = FakeSap()
    without = {"A_BusinessPartner": (("BusinessPartner",), "BusinessPartner BusinessPartnerCategory Customer")}
    return World(
        "sap", fake, fake.options, {"password": "wrong"}, lambda: fake.sets["A_BusinessPartner"],
        {"BPTaxNumber": "none"}, "OrganizationBPName1", "A_BusinessPartner", sap_target, unique=False,
        fields=lambda: mock.patch.dict(sap_peer.SETS, without),
    )  # fmt: skip


def suite() -> World:
    """NetSuite."""
    fake = FakeNetSuite()
    return World(
        "netsuite", fake, fake.options, {"client_secret": "wrong"}, lambda: fake.records["customer"],
        {"email": "none"}, "companyName", "customer", netsuite,
        fields=lambda: mock.patch.dict(netsuite_peer.FIELDS, {"customer": "lastName"}),
    )  # fmt: skip


def central() -> World:
    """Business Central."""
    fake = FakeBusinessCentral()
    return World(
        "business_central", fake, fake.options, {"client_secret": "wrong"}, lambda: fake.records["customers"],
        {"email": "none"}, "displayName", "customers", bc_peer,
        fields=lambda: mock.patch.dict(bc_peer.FIELDS, {"customers": "id number displayName"}),
    )  # fmt: skip


WORLDS: dict[str, Callable[[], World]] = {
    "odoo-jsonrpc": lambda: odoo("jsonrpc"), "odoo-xmlrpc": lambda: odoo("xmlrpc"), "odoo-json2": lambda: odoo("json2"),
    "sap": sap, "netsuite": suite, "business_central": central,
}  # fmt: skip
