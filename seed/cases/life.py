"""The life of a contract: what changes in the middle, ends early, costs extra, or is counted in unusual money."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from seed import life
from seed.cases.scene import Scene
from seed.company import Company
from seed.life import Amendment, Contract, Invoice, Item, Line, Payment
from seed.systems import billing, crm, erp, usage
from seed.times import months_after


class _Customer:
    """A customer in CRM, billing and ledger, and what happens to its contract there."""

    def __init__(self, s: Scene, country: str) -> None:
        self.s, self.company = s, s.company(country)
        number = self.company.number
        made = (s.crm(self.company, AccountNumber=number), s.billing(self.company), s.erp(self.company))
        self.keys: Sequence[str] = made
        self.crm, self.billing, self.erp = (key.split(":", 2)[2] for key in made)

    def signs(self, situation: str, seller: str | None = None) -> Contract:
        """A contract, not yet written anywhere."""
        return life.agree(self.company, self.s.rng, situation=situation, seller=seller)

    def contract(self, made: Contract, seller: str | None = None) -> list[str]:
        """The contract in CRM and billing; its two source keys."""
        signed = crm.contract(self.s.out, made, self.crm, self.s.rng)
        charged = billing.subscription(self.s.out, made, self.billing, self.s.rng, seller=seller)
        return [f"crm:subscription:{signed}", f"billing:subscription:{charged}"]

    def invoice(self, made: Invoice) -> list[str]:
        """The invoice in billing and ledger, and its revenue; the two invoices' source keys."""
        issued = billing.invoice(self.s.out, made, self.billing, self.s.rng)
        posted = erp.invoice(self.s.out, made, self.erp)
        erp.schedule(self.s.out, made, self.erp)
        return [f"billing:invoice:{issued}", f"erp:invoice:{posted}"]

    def pay(self, made: Payment) -> list[str]:
        """The payment in billing and ledger; its two source keys."""
        paid = billing.payment(self.s.out, made, self.billing)
        return [f"billing:payment:{paid}", f"erp:payment:{erp.receipt(self.s.out, made, self.erp)}"]


def amendment_new_billing_entity(s: Scene) -> None:
    """In mid-term another company of ours takes the contract over. Billing has not heard of it: the CRM's signed word stands."""
    c = _Customer(s, "GB")
    made = c.signs("entity_change")
    keys = c.contract(made, seller=made.first_seller)
    for one in life.invoices(made, 3, s.rng):
        c.invoice(one)
    s.expect("one", keys)
    s.expect("value", keys, field="seller", value=f"erp:legal_entity:{made.seller}")


def acquisition_new_billing_entity(s: Scene) -> None:
    """A customer was bought: it gets a parent, and the contract is invoiced by the company of ours that serves the group."""
    mother = s.crm(s.company("US"))
    c = _Customer(s, "DE")
    s.crm_version(c.company, "accounts_late", Id=c.crm, ParentId=mother.split(":")[2], AccountNumber=c.company.number,
                  SystemModstamp="2026-09-29T10:00:00.000+0000")  # fmt: skip
    made = c.signs("entity_change")
    s.expect("one", c.contract(made))
    s.expect("value", [c.keys[0]], field="parent", value=mother)
    s.expect("apart", [c.keys[0], mother])


def two_contracts_two_billing_entities(s: Scene) -> None:
    """One customer has two contracts with two of our companies: the contracts stay apart, the customer is one."""
    c = _Customer(s, "DE")
    first = c.signs("plain", seller="2000")
    second = replace(c.signs("plain", seller="3000"), number=f"{first.number[:-1]}2")
    keys = [c.contract(first)[0], c.contract(second)[0]]
    s.expect("apart", keys)
    s.expect("one", c.keys)


def renewal(s: Scene) -> None:
    """The term ended and was renewed: one contract with a longer term, not two."""
    c = _Customer(s, "FR")
    made = c.signs("renewal")
    keys = c.contract(made)
    s.expect("one", keys)
    s.expect("value", keys, field="term", value={"start": made.start.isoformat(), "end": made.end.isoformat()})


def cancellation(s: Scene) -> None:
    """Notice was given and the contract ended early; nothing is invoiced after its end."""
    c = _Customer(s, "NL")
    made = c.signs("cancellation")
    keys = c.contract(made)
    for one in life.invoices(made, 1, s.rng):
        c.invoice(one)
    s.expect("one", keys)
    s.expect("value", keys, field="status", value="cancelled")


def upgrade_mid_term(s: Scene) -> None:
    """Seats were added in the middle of a period: the invoice has a line for what was, a credit, and a line for the rest."""
    c = _Customer(s, "AT")
    made = replace(_plain(c, date(2026, 7, 1), months=1), amendments=(Amendment("upgrade", date(2026, 8, 16), date(2026, 8, 10), "5 to 8 seats"),),
                   earlier_items=(Item("CORE-L", 5, Decimal("45.00")),), items=(Item("CORE-L", 8, Decimal("45.00")),))  # fmt: skip
    start, change, end = date(2026, 8, 1), date(2026, 8, 16), date(2026, 9, 1)
    lines = (
        Line("CORE-L", "5 x CORE-L", 5, Decimal("45.00"), start, end),
        Line("CORE-L", "credit for 5 x CORE-L from 16 August", -1, Decimal("112.50"), change, end),
        Line("CORE-L", "8 x CORE-L from 16 August", 8, Decimal("22.50"), change, end),
    )
    s.expect("one", c.contract(made))
    s.expect("value", c.invoice(_invoice(made, "2000", start, lines)), field="subtotal.amount", value="292.50")


def usage_overage(s: Scene) -> None:
    """More was used than is included: events, their rated sum, and an invoice line for what is above."""
    c = _Customer(s, "US")
    made = c.signs("usage_overage")
    c.contract(made)
    issued = life.invoices(made, 1, s.rng)[0]
    keys = c.invoice(issued)
    used = usage.metered(s.out, made, c.billing, issued, s.rng)
    s.expect("one", keys)
    over = next(line.quantity for line in issued.lines if line.sku == "API-CALLS")
    s.expect("value", [f"usage:usage_record:{used[-1]}"], field="quantity", value=str(life.INCLUDED_CALLS + over))


def three_decimal_currency(s: Scene) -> None:
    """Kuwaiti dinars have three decimals: nothing may be rounded away."""
    c = _Customer(s, "KW")
    made = replace(_plain(c, date(2026, 6, 1), months=3), items=(Item("CORE-S", 3, Decimal("5.833")),), currency="KWD")
    line = Line("CORE-S", "3 x CORE-S, 3 months", 3, Decimal("17.499"), date(2026, 6, 1), date(2026, 9, 1))
    c.contract(made)
    keys = c.invoice(_invoice(made, "5000", date(2026, 6, 1), (line,), status="paid"))
    c.pay(
        Payment(
            f"PAY-{made.number[4:]}",
            "bank_transfer",
            date(2026, 6, 20),
            "KWD",
            ((_number(made, "5000"), Decimal("52.497")),),
        )
    )
    s.expect("one", keys)
    s.expect("value", keys, field="total", value={"amount": "52.497", "currency": "KWD"})


def three_decimal_currency_with_tax(s: Scene) -> None:
    """Bahraini dinars with ten per cent tax: the fils that rounding leaves stay with the last period."""
    c = _Customer(s, "BH")
    made = replace(_plain(c, date(2026, 1, 1), months=12), items=(Item("CORE-S", 7, Decimal("7.163")),), currency="BHD")
    line = Line("CORE-S", "7 x CORE-S, 12 months", 7, Decimal("85.951"), date(2026, 1, 1), date(2027, 1, 1))
    c.contract(made)
    keys = c.invoice(_invoice(made, "5000", date(2026, 1, 1), (line,)))
    s.expect("value", keys, field="total", value={"amount": "661.823", "currency": "BHD"})


def zero_decimal_currency(s: Scene) -> None:
    """Yen have no decimals: 120000 in the smallest unit is 120000 yen, not 1200."""
    c = _Customer(s, "JP")
    made = replace(_plain(c, date(2026, 4, 1), months=1), items=(Item("CORE-L", 16, Decimal(7500)),), currency="JPY")
    line = Line("CORE-L", "16 x CORE-L", 16, Decimal(7500), date(2026, 4, 1), date(2026, 5, 1))
    c.contract(made)
    keys = c.invoice(_invoice(made, "4000", date(2026, 4, 1), (line,)))
    s.expect("one", keys)
    s.expect("value", keys, field="subtotal", value={"amount": "120000", "currency": "JPY"})


def leap_day_start(s: Scene) -> None:
    """Signed on 29 February: the first term ends on the 28th, and so do the next, until there is a 29th again."""
    c = _Customer(s, "SE")
    made = c.signs("leap_day")
    s.expect("value", c.contract(made), field="term", value={"start": "2024-02-29", "end": "2027-02-28"})


def leap_day_term_end(s: Scene) -> None:
    """A term that ends on 29 February 2028; the revenue periods run to the last day of each month's count."""
    c = _Customer(s, "DK")
    made = replace(_plain(c, date(2025, 2, 28), months=12), end=date(2028, 2, 29))
    s.expect("value", c.contract(made), field="term", value={"start": "2025-02-28", "end": "2028-02-29"})


def partial_payment(s: Scene) -> None:
    """A third was paid: paid and balance add up to the total, in both systems."""
    c = _Customer(s, "CH")
    made = _plain(c, date(2026, 7, 1), months=3)
    issued = _invoice(made, "2000", date(2026, 7, 1), part_paid=Decimal("100.00"))
    c.contract(made)
    keys = c.invoice(issued)
    c.pay(Payment(f"PAY-{made.number[4:]}", "card", date(2026, 7, 9), "CHF", ((issued.number, Decimal("100.00")),)))
    s.expect("value", keys, field="paid.amount", value="100.00")


def payment_for_two_invoices(s: Scene) -> None:
    """One transfer pays two invoices: its two parts add up to it."""
    c = _Customer(s, "NO")
    made = _plain(c, date(2026, 6, 1), months=1)
    first, second = (_invoice(made, "2000", date(2026, month, 1), status="paid", serial=month) for month in (6, 7))
    c.contract(made)
    c.invoice(first)
    c.invoice(second)
    paid = tuple((one.number, one.total) for one in (first, second))
    s.expect("one", c.pay(Payment(f"PAY-{made.number[4:]}", "bank_transfer", date(2026, 7, 20), "NOK", paid)))


def invoice_without_customer(s: Scene) -> None:
    """An invoice whose customer never comes: it waits, it is not posted to nobody."""
    ghost = s.company("IE")
    made = _plain_of(ghost, date(2026, 5, 1), months=1, s=s)
    key = billing.invoice(s.out, _invoice(made, "3000", date(2026, 5, 1)), "cus_nevercomes", s.rng, subscription=None)
    s.expect("waits", [f"billing:invoice:{key}"], missing="billing:account:cus_nevercomes")


def amount_with_too_many_decimals(s: Scene) -> None:
    """The ledger posted half a yen: that amount is refused, not rounded; the rest of the invoice stands."""
    c = _Customer(s, "JP")
    made = _plain(c, date(2026, 5, 1), months=1)
    posted = erp.invoice(s.out, _invoice(made, "4000", date(2026, 5, 1)), c.erp, OFFEN="1234,5")
    s.expect("finding", [f"erp:invoice:{posted}"], code="HUB-3301")


def _plain(c: _Customer, start: date, *, months: int) -> Contract:
    return _plain_of(c.company, start, months=months, s=c.s)


def _plain_of(company: Company, start: date, *, months: int, s: Scene) -> Contract:
    made = life.agree(company, s.rng, situation="plain")
    return replace(made, start=start, end=start.replace(year=start.year + 1), months=months)


def _number(made: Contract, seller: str, serial: int = 1) -> str:
    return f"INV-{seller}-{made.number[4:].replace('-', '')}-{serial:02d}"


def _invoice(
    made: Contract, seller: str, start: date, lines: tuple[Line, ...] = (), *, status: str = "open",
    part_paid: Decimal = Decimal(0), serial: int = 1,
) -> Invoice:  # fmt: skip
    until = months_after(start, made.months)
    lines = lines or tuple(
        Line(i.sku, f"{i.quantity} x {i.sku}", i.quantity, i.unit * made.months, start, until) for i in made.items
    )
    return Invoice(_number(made, seller, serial), made, seller, start, lines, status, part_paid)


CASES = (
    amendment_new_billing_entity, acquisition_new_billing_entity, two_contracts_two_billing_entities, renewal, cancellation,
    upgrade_mid_term, usage_overage, three_decimal_currency, three_decimal_currency_with_tax, zero_decimal_currency, leap_day_start,
    leap_day_term_end, partial_payment, payment_for_two_invoices, invoice_without_customer, amount_with_too_many_decimals,
)  # fmt: skip
