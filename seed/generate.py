"""Writing the whole company: the catalogue, the hard cases, then customer after customer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from shutil import rmtree

from seed import cases, life, systems
from seed.world import Customer, draw
from seed.writer import Writer


@dataclass(frozen=True, slots=True)
class Summary:
    """How many records were written, by system and entity; deliveries may be more (duplicates, late ones)."""

    folder: Path
    records: Mapping[tuple[str, str], int]


def generate(folder: Path, accounts: int = 2000, seed: int = 7) -> Summary:
    """Write the company into a folder, in place of an earlier one. The same arguments give the same bytes."""
    if (folder / "truth").exists():
        rmtree(folder)
    with Writer(folder) as out:
        life.catalogue(out, Random(f"{seed} catalogue"))
        cases.play(out)
        for number in range(1, accounts + 1):
            rng = Random(f"{seed} {number}")
            _customer(out, draw(number, rng), rng)
    return Summary(folder, dict(out.records))


def _customer(out: Writer, customer: Customer, rng: Random) -> None:
    """A customer in the systems that know it, and what it has bought."""
    pays = customer.status != "prospect" and rng.random() < 0.5
    in_crm = not pays or rng.random() < 0.8
    account = systems.crm_account(out, customer, rng) if in_crm else None
    billed = systems.billing_customer(out, customer, rng) if pays else None
    booked = systems.erp_customer(out, customer, rng) if pays and rng.random() < 0.7 else None
    supported = rng.random() < 0.25
    if supported:
        systems.support_organisation(out, customer, rng)
    if account and rng.random() < 0.3:
        person = systems.crm_contact(out, customer, account, rng)
        if supported and rng.random() < 0.6:
            systems.support_user(out, customer, person, rng)
    if billed and rng.random() < 0.55:
        _contract(out, life.agree(customer, rng), (account, billed, booked), rng)


def _contract(out: Writer, contract: life.Contract, keys: tuple[str | None, str, str | None], rng: Random) -> None:
    account, billed, booked = keys
    if account:
        life.crm_contract(out, contract, account, rng)
    subscription = life.billing_subscription(out, contract, billed, rng)
    if rng.random() < 0.5:
        life.entitlements(out, contract, billed, subscription, rng)
    if rng.random() < 0.4:
        life.usage(out, contract, billed, subscription, rng)
    for serial in range(rng.randint(1, 2)):
        made = life.invoice(contract, serial, rng)
        life.billing_invoice(out, made, billed, subscription, rng)
        if made.paid:
            life.billing_payment(out, made, billed, rng)
        if booked:
            life.erp_invoice(out, made, booked, rng)
            if made.paid:
                life.erp_receipt(out, made, booked, rng)
            if rng.random() < 0.4:
                life.erp_revenue(out, made, booked)
