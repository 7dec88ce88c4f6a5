"""The life of a contract: signed, amended, renewed, invoiced, paid, recognised, cancelled. No system's words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from seed.catalogue import SOLD, exact, unit_price
from seed.company import Company
from seed.times import TODAY, months_after

INCLUDED_CALLS = 500  # thousands of calls a period that cost nothing

SITUATIONS: dict[str, int] = {  # how often each comes, in hundredths
    "plain": 36, "renewal": 14, "usage_overage": 10, "cancellation": 9, "upgrade": 12, "entity_change": 6, "expired": 4,
    "past_due": 4, "leap_day": 2, "paused": 2, "draft": 1,
}  # fmt: skip
_STATUS = {
    "cancellation": "cancelled",
    "expired": "expired",
    "past_due": "past_due",
    "paused": "paused",
    "draft": "draft",
}
_FINISHED = ("renewal", "cancellation", "expired")  # their first term has ended
_CHANGED = ("upgrade", "entity_change")  # changed in the middle of their term
_MONTHS_AGO = dict.fromkeys(_FINISHED, (14, 34)) | dict.fromkeys(_CHANGED, (5, 12))  # when they started


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a contract; the unit price is a month's."""

    sku: str
    quantity: int
    unit: Decimal

    @property
    def amount(self) -> Decimal:
        """What a month of it costs."""
        return self.unit * self.quantity


@dataclass(frozen=True, slots=True)
class Amendment:
    """One agreed change. A new seller is the code of our company that invoices from then on."""

    kind: str
    effective: date
    approved: date
    note: str | None = None
    seller: str | None = None


@dataclass(frozen=True, slots=True)
class Contract:
    """What a customer has agreed to, and how that changed."""

    number: str
    company: Company
    first_seller: str
    currency: str
    start: date
    end: date
    months: int  # from invoice to invoice
    items: tuple[Item, ...]
    earlier_items: tuple[Item, ...]  # before the change
    amendments: tuple[Amendment, ...]
    renewal: str
    situation: str

    @property
    def seller(self) -> str:
        """Our company that invoices it now."""
        return next((a.seller for a in reversed(self.amendments) if a.seller), self.first_seller)

    @property
    def status(self) -> str:
        """Where it stands."""
        return _STATUS.get(self.situation, "active")

    @property
    def cancelled_on(self) -> date | None:
        """The day on which its cancellation was agreed."""
        return next((a.approved for a in self.amendments if a.kind == "cancellation"), None)

    @property
    def monthly(self) -> Decimal:
        """Monthly recurring revenue."""
        return sum((item.amount for item in self.items), Decimal(0))

    @property
    def total(self) -> Decimal:
        """What it is worth from its start to the end of its present term."""
        return self.monthly * max(1, (self.end.year - self.start.year) * 12 + self.end.month - self.start.month)

    def seller_on(self, day: date) -> str:
        """Our company that invoiced it on that day."""
        return next((a.seller for a in reversed(self.amendments) if a.seller and a.effective <= day), self.first_seller)

    def items_on(self, day: date) -> tuple[Item, ...]:
        """What was in it on that day."""
        changed = next((a.effective for a in self.amendments if a.kind == "upgrade"), None)
        return self.earlier_items if changed and day < changed else self.items


@dataclass(frozen=True, slots=True)
class Line:
    """One charge of an invoice; amount = quantity x unit."""

    sku: str
    words: str
    quantity: int
    unit: Decimal
    start: date
    end: date

    @property
    def amount(self) -> Decimal:
        """What it costs before tax."""
        return self.unit * self.quantity


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice as all systems know it."""

    number: str
    contract: Contract
    seller: str
    issued: date
    lines: tuple[Line, ...]
    status: str
    part_paid: Decimal = Decimal(0)

    @property
    def currency(self) -> str:
        """The currency of the contract."""
        return self.contract.currency

    @property
    def due(self) -> date:
        """Thirty days after it was issued."""
        return self.issued + timedelta(days=30)

    @property
    def net(self) -> Decimal:
        """The sum of the lines."""
        return sum((line.amount for line in self.lines), Decimal(0))

    @property
    def tax(self) -> Decimal:
        """The sum of the lines' taxes."""
        return sum((self.tax_of(line) for line in self.lines), Decimal(0))

    @property
    def total(self) -> Decimal:
        """What is owed in all."""
        return self.net + self.tax

    @property
    def paid(self) -> Decimal:
        """What was paid of it."""
        return self.total if self.status == "paid" else self.part_paid

    def tax_of(self, line: Line) -> Decimal:
        """The tax on a line."""
        return exact(line.amount * self.contract.company.country.vat_rate / 100, self.currency)

    @property
    def periods(self) -> tuple[tuple[date, date, Decimal], ...]:
        """When the revenue is earned: by months, the last takes the rest of the rounding."""
        start, end = self.lines[0].start, max(line.end for line in self.lines)
        count = max(1, (end.year - start.year) * 12 + end.month - start.month)
        bounds = [months_after(start, at) for at in range(count)] + [end]
        part = exact(self.net / count, self.currency)
        amounts = [part] * (count - 1) + [self.net - part * (count - 1)]
        return tuple(zip(bounds[:-1], bounds[1:], amounts, strict=True))


@dataclass(frozen=True, slots=True)
class Payment:
    """Money that came in, and what it was for."""

    reference: str
    method: str
    paid: date
    currency: str
    allocations: tuple[tuple[str, Decimal], ...]

    @property
    def amount(self) -> Decimal:
        """The sum of what it was for."""
        return sum((amount for _, amount in self.allocations), Decimal(0))

    @property
    def fee(self) -> Decimal:
        """What the provider keeps: 1.4 %."""
        return exact(self.amount * 14 / 1000, self.currency)


def agree(
    company: Company, rng: Random, *, serial: int = 1, situation: str | None = None, seller: str | None = None
) -> Contract:
    """A contract of a customer, with the changes that its situation brings."""
    situation = situation or rng.choices(tuple(SITUATIONS), tuple(SITUATIONS.values()))[0]
    currency, first_seller = company.country.currency, seller or company.country.seller
    start = _start(situation, rng)
    end = months_after(start, 12 if situation in (*_FINISHED, "leap_day") else rng.choice((12, 12, 24, 36)))
    items = _items(currency, company.segment, rng)
    amendments, end = _amendments(situation, first_seller, start, end, rng)
    changed = tuple(Item(i.sku, _changed(i.quantity, situation), i.unit) for i in items)
    return Contract(
        number=f"SUB-{company.id:06d}-{serial}",
        company=company,
        first_seller=first_seller,
        currency=currency,
        start=start,
        end=end,
        months=rng.choice((1, 1, 3, 12)),
        items=changed,
        earlier_items=items,
        amendments=amendments,
        renewal={"expired": "none", "cancellation": "manual"}.get(situation, "auto"),
        situation=situation,
    )


def invoices(contract: Contract, count: int, rng: Random) -> list[Invoice]:
    """The last so many invoices of a contract up to today."""
    until = min(TODAY, contract.end - timedelta(days=1))
    starts: list[date] = []
    while (start := months_after(contract.start, contract.months * len(starts))) <= until:
        starts.append(start)
    first = max(0, len(starts) - count)
    return [_invoice(contract, serial, start, rng) for serial, start in enumerate(starts[first:], first + 1)]


def payments(made: list[Invoice], rng: Random) -> list[Payment]:
    """What was paid for them: one payment each, sometimes one for two."""
    paid = [one for one in made if one.paid]
    if len(paid) == 2 and rng.random() < 0.1:
        return [_payment(paid, rng)]
    return [_payment([one], rng) for one in paid]


def _payment(paid: list[Invoice], rng: Random) -> Payment:
    last = paid[-1]
    return Payment(
        f"PAY-{last.number[4:]}",
        rng.choice(("card", "direct_debit", "bank_transfer")),
        min(TODAY, last.issued + timedelta(days=rng.randrange(1, 40))),
        last.currency,
        tuple((one.number, one.paid) for one in paid),
    )


def _invoice(contract: Contract, serial: int, start: date, rng: Random) -> Invoice:
    end, months = months_after(contract.start, contract.months * serial), contract.months
    lines = [
        Line(item.sku, f"{item.quantity} x {item.sku}, {months} month{'s' if months > 1 else ''}", item.quantity, item.unit * months, start, end)
        for item in contract.items_on(start)
    ]  # fmt: skip
    if contract.situation == "usage_overage":
        over = rng.randrange(20, 900)
        unit = unit_price("API-CALLS", contract.currency)
        lines.append(Line("API-CALLS", f"{over} thousand calls above {INCLUDED_CALLS}", over, unit, start, end))
    seller = contract.seller_on(start)
    made = Invoice(
        f"INV-{seller}-{contract.number[4:].replace('-', '')}-{serial:02d}",
        contract,
        seller,
        start,
        tuple(lines),
        "open",
    )
    return _settled(made, rng)


def _settled(made: Invoice, rng: Random) -> Invoice:
    """The invoice as it stands today."""
    kind = rng.random()
    status, part = "paid", Decimal(0)
    if made.contract.situation == "past_due" or kind < 0.18:
        status = "open"
    elif kind < 0.22:
        status, part = "open", exact(made.total / 3, made.currency)
    elif kind < 0.25:
        status = "void" if kind < 0.235 else "uncollectible"
    return Invoice(made.number, made.contract, made.seller, made.issued, made.lines, status, part)


def _start(situation: str, rng: Random) -> date:
    if situation == "leap_day":
        return date(2024, 2, 29)
    back = -1 if situation == "draft" else rng.randrange(*_MONTHS_AGO.get(situation, (1, 12)))
    first = months_after(TODAY, -back)
    return first if rng.random() < 0.8 else first.replace(day=rng.randrange(2, 29))


def _items(currency: str, segment: str, rng: Random) -> tuple[Item, ...]:
    """One or two products, some at a discount, more of them the larger the customer is."""
    largest = {"small": 12, "mid_market": 80, "enterprise": 600}[segment]
    discount = rng.choice(("1", "1", "0.95", "0.9"))
    chosen = dict.fromkeys((rng.choice(SOLD), rng.choice(SOLD)) if rng.random() < 0.3 else (rng.choice(SOLD),))
    return tuple(
        Item(sku, 1 if sku == "SUPPORT-PLUS" else rng.randrange(1, largest), unit_price(sku, currency, discount))
        for sku in chosen
    )


def _changed(quantity: int, situation: str) -> int:
    return quantity + quantity // 2 + 1 if situation == "upgrade" else quantity


def _amendments(situation: str, seller: str, start: date, end: date, rng: Random) -> tuple[tuple[Amendment, ...], date]:
    """The changes of a contract in order of effect, and the end of its present term."""
    if situation in ("renewal", "leap_day"):
        found = []
        while end <= TODAY:
            found.append(Amendment("renewal", end, end - timedelta(days=rng.randrange(5, 60))))
            end = months_after(start, 12 * (len(found) + 1))
        return tuple(found), end
    if situation == "cancellation":
        effective = months_after(start, rng.randrange(4, 13))
        return (Amendment("cancellation", effective, effective - timedelta(days=30), "gave notice"),), effective
    if situation not in _CHANGED:
        return (), end
    effective = months_after(start, rng.randrange(1, 5))
    new_seller = {"2000": "3000", "3000": "2000", "1000": "3000", "4000": "1000", "5000": "2000"}[seller]
    note = "invoiced by another company of ours" if situation == "entity_change" else "seats changed"
    changed = Amendment(
        situation, effective, effective - timedelta(days=10), note, new_seller if situation == "entity_change" else None
    )
    return (changed,), end
