"""Writing the whole company: the catalogue, the hard cases, then customer after customer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from shutil import rmtree

from seed import cases, life, names
from seed.catalogue import CURRENCIES, PRODUCTS
from seed.company import Company, draw
from seed.systems import billing, crm, erp, support, usage
from seed.writer import Writer

_HEADS = 25  # the first of each 25 customers heads a group that some of the following 24 belong to
_OFFSET = 7_919  # between the names of two seeds


@dataclass(frozen=True, slots=True)
class Summary:
    """How many records were written, by system and entity; deliveries may be more (duplicates, late ones)."""

    folder: Path
    records: Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class _Known:
    """The keys under which the systems know a customer."""

    company: Company
    crm: str | None
    billing: str | None
    erp: str | None
    support: int | None


def generate(folder: Path, accounts: int = 2000, seed: int = 7) -> Summary:
    """Write the company into a folder, in place of an earlier one. The same arguments give the same bytes."""
    if (folder / "truth").exists():
        rmtree(folder)
    with Writer(folder) as out:
        _catalogue(out, Random(f"{seed} catalogue"))
        cases.play(out)
        for number in range(1, accounts + 1):
            rng = Random(f"{seed} {number}")
            _customer(out, draw(number, rng, offset=seed * _OFFSET), rng)
    return Summary(folder, dict(out.records))


def _catalogue(out: Writer, rng: Random) -> None:
    erp.catalogue(out)
    crm.catalogue(out, rng)
    for product in PRODUCTS.values():
        billing.product(out, product, rng)
        for currency in CURRENCIES:
            billing.price(out, product, currency, rng)
            if product.kind != "usage":
                crm.price(out, product, currency, rng)


def _customer(out: Writer, company: Company, rng: Random) -> None:
    """A customer in the systems that know it, its people, and what it has bought."""
    head = company.id % _HEADS == 1
    company = replace(company, status="active") if head else company
    where = rng.random()  # 0.60 CRM and billing, 0.22 only CRM, 0.11 only billing, 0.04 only ledger, else only support
    in_crm = head or where < 0.82
    in_billing = where < 0.60 or 0.82 <= where < 0.93
    in_support = rng.random() < 0.5 or where >= 0.97
    signs = in_billing and company.status != "prospect" and rng.random() < 0.3
    booked = 0.93 <= where < 0.97 or (signs and rng.random() < 0.85)
    known = _Known(
        company,
        _crm_account(out, company, rng) if in_crm else None,
        billing.customer(out, company, rng) if in_billing else None,
        erp.customer(out, company, rng) if booked else None,
        support.organisation(out, company, rng) if in_support else None,
    )
    if known.erp and company.tax_id and rng.random() < 0.3:
        erp.registration(out, company, known.erp, rng)
    _people(out, known, rng)
    if signs:
        _contracts(out, known, rng)


def _crm_account(out: Writer, company: Company, rng: Random) -> str:
    """The customer's account, perhaps under the head of its group, perhaps opened twice."""
    head = company.id - (company.id - 1) % _HEADS
    belongs = head < company.id and rng.random() < 0.06
    key = crm.account(out, company, rng, ParentId=crm.key_of(head) if belongs else None)
    if rng.random() < 0.025:
        again = crm.account_payload(company, rng)
        crm.account(out, company, rng, **again | {"Id": crm.key_of(company.id, copy=1), "AccountNumber": None})
    return key


def _people(out: Writer, known: _Known, rng: Random) -> None:
    company = known.company
    if company.is_person:
        return
    person = names.person(company.country, rng)
    if known.crm and rng.random() < 0.25:
        crm.contact(out, company, person, known.crm, rng)
    if known.support and rng.random() < 0.25:
        support.user(out, company, person if rng.random() < 0.7 else names.person(company.country, rng), rng)


def _contracts(out: Writer, known: _Known, rng: Random) -> None:
    """One contract, or two through two of our companies: a customer with several billing entities."""
    ended = known.company.status == "churned"
    first = life.agree(known.company, rng, situation=rng.choice(("cancellation", "expired")) if ended else None)
    _contract(out, first, known, rng)
    if rng.random() < 0.05:
        seller = "3000" if first.first_seller == "2000" else "2000"
        _contract(out, life.agree(known.company, rng, serial=2, situation="plain", seller=seller), known, rng)


def _contract(out: Writer, made: life.Contract, known: _Known, rng: Random) -> None:
    if known.billing is None:
        return
    if known.crm:
        crm.contract(out, made, known.crm, rng)
    late = rng.random() < 0.3  # billing has not heard yet that another company of ours invoices
    billing.subscription(out, made, known.billing, rng, seller=made.first_seller if late else None)
    if rng.random() < 0.4:
        sku = made.items[0].sku
        billing.entitlement(out, made, sku, known.billing, rng)
        if known.support and rng.random() < 0.5:
            support.grant(out, made, sku, rng)
    _invoices(out, made, known, rng)


def _invoices(out: Writer, made: life.Contract, known: _Known, rng: Random) -> None:
    """The last invoices of a contract, what was paid for them, what was used, and when it is revenue."""
    issued = life.invoices(made, rng.choice((1, 1, 2)), rng)
    for one in issued:
        billing.invoice(out, one, str(known.billing), rng)
        if known.erp and rng.random() < 0.85:
            erp.invoice(out, one, known.erp)
            if rng.random() < 0.3:
                erp.schedule(out, one, known.erp)
        if made.situation == "usage_overage" or rng.random() < 0.06:
            usage.metered(out, made, str(known.billing), one, rng)
    for payment in life.payments(issued, rng):
        billing.payment(out, payment, str(known.billing))
        if known.erp and rng.random() < 0.8:
            erp.receipt(out, payment, known.erp)
