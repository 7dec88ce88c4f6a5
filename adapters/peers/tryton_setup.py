"""Runs in Tryton's own environment: a company with books in a fresh database, as an accountant would set it up.

`python tryton_setup.py CONFIG DATABASE`; proteus drives the server's own code in this process.
"""

import datetime as dt
import sys
from decimal import Decimal

import pycountry
from proteus import Model, Wizard, config

USER = "hub"
PASSWORD = "hub-password"  # noqa: S105 (of a server that listens on this machine alone)
CURRENCIES = (
    ("EUR", "978", "1", 2), ("USD", "840", "1.08", 2), ("GBP", "826", "0.85", 2), ("CHF", "756", "0.95", 2),
    ("SEK", "752", "11.3", 2), ("JPY", "392", "165", 0), ("KWD", "414", "0.33", 3), ("BHD", "048", "0.41", 3),
    ("CAD", "124", "1.47", 2), ("AUD", "036", "1.65", 2), ("INR", "356", "90", 2), ("BRL", "986", "5.9", 2),
    ("PLN", "985", "4.3", 2), ("DKK", "208", "7.46", 2), ("NOK", "578", "11.6", 2), ("SAR", "682", "4.05", 2),
    ("AED", "784", "3.97", 2), ("ISK", "352", "149", 0), ("MXN", "484", "18.3", 2), ("SGD", "702", "1.45", 2),
)  # fmt: skip


GROUPS = ["Accounting", "Accounting Administration", "Party Administration", "Product Administration"]


def main(file: str, database: str) -> None:
    """Company, chart of accounts, fiscal years and the user that the hub comes as."""
    config.set_trytond(database, config_file=file)
    countries()
    currency = currencies()
    company = make_company(currency)
    config.set_trytond(database, config_file=file)
    chart(company)
    fiscal_years(company)
    categories(company)
    make_user(company)


def countries():
    """Every country of ISO 3166, so that addresses have one."""
    kind = Model.get("country.country")
    kind.save([kind(name=one.name, code=one.alpha_2, code3=one.alpha_3) for one in pycountry.countries])


def currencies():
    """Currencies with a rate from long ago, so that every invoice has one; the euro comes back."""
    kind = Model.get("currency.currency")
    for code, number, rate, digits in CURRENCIES:
        (known := kind.find([("code", "=", code)])) or known.append(kind(name=code, code=code, numeric_code=number))
        one = known[0]
        one.symbol, one.digits, one.rounding = code, digits, Decimal(1).scaleb(-digits)
        one.rates.new(date=dt.date(2000, 1, 1), rate=Decimal(rate))
        one.save()
    return kind.find([("code", "=", "EUR")])[0]


def make_company(currency):
    """The company of the books."""
    party = Model.get("party.party")(name="Concord Demo GmbH")
    party.save()
    wizard = Wizard("company.company.config")
    wizard.execute("company")
    wizard.form.party, wizard.form.currency = party, currency
    wizard.execute("add")
    (company,) = Model.get("company.company").find()
    return company


def chart(company):
    """The chart of accounts that Tryton brings."""
    (template,) = Model.get("account.account.template").find([("parent", "=", None)], limit=1)
    wizard = Wizard("account.create_chart")
    wizard.execute("account")
    wizard.form.account_template, wizard.form.company = template, company
    wizard.execute("create_account")
    account = Model.get("account.account")
    closed = ("closed", "!=", True)
    wizard.form.account_receivable = account.find([("type.receivable", "=", True), closed], limit=1)[0]
    wizard.form.account_payable = account.find([("type.payable", "=", True), closed], limit=1)[0]
    wizard.execute("create_properties")


def fiscal_years(company):
    """Ten open years, with their sequences."""
    sequence_type = {one.name: one for one in Model.get("ir.sequence.type").find()}
    strict, loose = Model.get("ir.sequence.strict"), Model.get("ir.sequence")
    invoices = strict(name="Invoices", sequence_type=sequence_type["Invoice"], company=company)
    invoices.save()
    for year in range(2022, 2032):
        moves = loose(name=f"Moves {year}", sequence_type=sequence_type["Account Move"], company=company)
        posted = strict(name=f"Posts {year}", sequence_type=sequence_type["Account Move"], company=company)
        moves.save()
        made = Model.get("account.fiscalyear")(name=str(year), company=company)
        made.start_date, made.end_date = dt.date(year, 1, 1), dt.date(year, 12, 31)
        if "move_sequence" in made._fields:
            posted.save()
            made.move_sequence = posted
        else:
            made.post_move_sequence = moves
        (line,) = made.invoice_sequences or [made.invoice_sequences.new()]
        line.out_invoice_sequence = line.in_invoice_sequence = invoices
        line.out_credit_note_sequence = line.in_credit_note_sequence = invoices
        made.save()
        made.click("create_period")


def categories(company):
    """One accounting category whose revenue goes to the first open revenue account."""
    account = Model.get("account.account")
    revenue = account.find([("type.revenue", "=", True), ("closed", "!=", True), ("company", "=", company.id)], limit=1)
    category = Model.get("product.category")(name="Subscriptions", accounting=True)
    category.account_revenue = revenue[0]
    category.save()


def make_user(company):
    """The user that the hub comes as: it may keep parties, products and customer invoices."""
    group = Model.get("res.group")
    made = Model.get("res.user")(name="Concord", login=USER, password=PASSWORD)
    made.companies.append(company)
    made.company = company
    for one in group.find([("name", "in", GROUPS)]):
        made.groups.append(group(one.id))
    english = Model.get("ir.lang").find([("code", "=", "en")])
    made.language = english[0] if english else None
    made.save()


if __name__ == "__main__":
    main(*sys.argv[1:])
