"""The ledger's exports: tables in CSV with semicolons, days first, decimal comma; schedules in JSON lines.

The ledger of the Gulf runs in another locale: amounts with three decimals come in its own files, with a
decimal point, because "12,500" cannot be told from twelve thousand five hundred.
"""

from __future__ import annotations

from decimal import Decimal
from random import Random

from seed import dirt
from seed.catalogue import OWN_COMPANIES, PLACES, PRODUCTS
from seed.company import Company
from seed.life import Invoice, Payment
from seed.names import as_ledger
from seed.times import TODAY, german, moment
from seed.writer import Writer

_STATES = {"open": "offen", "paid": "bezahlt", "void": "storniert", "uncollectible": "ausgebucht"}
_TAX_KEYS = {"service": "V1", "usage": "V1", "one_time": "V2"}


def customer(out: Writer, company: Company, rng: Random, **changes: str) -> str:
    """A row of the ledger's customer list; its key."""
    row = customer_row(company, rng) | changes
    out.row("erp", "customers", row)
    out.truth("erp", "account", row["KUNDENNR"], company.thing)
    return row["KUNDENNR"]


def customer_row(company: Company, rng: Random) -> dict[str, str]:
    """What the ledger says of a customer."""
    street, address = dirt.place(company, 0.15, rng)
    return {
        "KUNDENNR": company.number, "FIRMA": as_ledger(dirt.name(company, rng))[:60], "STRASSE": as_ledger(street),
        "PLZ": address.postcode, "ORT": as_ledger(address.city.name), "LAND": company.country.code,
        "USTID": company.tax_id if rng.random() < 0.9 else "", "WAEHRUNG": company.country.currency,
        "TELEFON": dirt.maybe(dirt.phone(company, rng), 0.7, rng) or "", "EMAIL": dirt.maybe(company.email, 0.6, rng) or "",
        "ZAHLZIEL": rng.choice(("NET30", "NET30", "NET14", "NET60")), "BUCHUNGSKREIS": company.country.seller,
        "GESPERRT": "J" if company.status == "suspended" else "N", "GEAENDERT": german(moment(rng).date()),
    }  # fmt: skip


def registration(out: Writer, company: Company, customer_key: str, rng: Random, **changes: str) -> str:
    """A customer's tax registration as the ledger has it; its key."""
    row = {
        "REGNR": f"R-{company.id:07d}", "KUNDENNR": customer_key, "BUKR": "", "LAND": company.country.code, "USTID": company.tax_id,
        "GEPRUEFT": rng.choice("JJN"), "BEFREIT": "N", "GUELTIG_AB": "01.01.2023", "GUELTIG_BIS": "", "GEAENDERT": german(moment(rng).date()),
    } | changes  # fmt: skip
    out.row("erp", "tax_registrations", row)
    out.truth("erp", "tax_registration", row["REGNR"], f"registration-{company.id}")
    return row["REGNR"]


def invoice(out: Writer, made: Invoice, customer_key: str, **changes: str) -> str:
    """An invoice as it was posted; its key."""
    open_amount = made.total - made.paid if made.status == "open" else Decimal(0)
    row = {
        "BELEGNR": made.number, "KUNDENNR": customer_key, "BUCHUNGSKREIS": made.seller, "DATUM": german(made.issued),
        "FAELLIG": german(made.due), "WAEHRUNG": made.currency, "NETTO": _amount(made.net, made.currency),
        "STEUER": _amount(made.tax, made.currency), "BRUTTO": _amount(made.total, made.currency),
        "BEZAHLT": _amount(made.paid, made.currency), "OFFEN": _amount(open_amount, made.currency), "STATUS": _STATES[made.status],
        "GEAENDERT": german(min(TODAY, made.due)),
    } | changes  # fmt: skip
    out.row("erp", _file("invoices", made.currency), row)
    out.truth("erp", "invoice", made.number, f"invoice-{made.number}")
    return made.number


def receipt(out: Writer, made: Payment, customer_key: str, **changes: str) -> str:
    """A payment as it was booked; its key."""
    (first, one), (second, two) = (*made.allocations, ("", Decimal(0)))[:2]
    row = {
        "ZAHLNR": made.reference, "KUNDENNR": customer_key, "DATUM": german(made.paid), "BETRAG": _amount(made.amount, made.currency),
        "WAEHRUNG": made.currency, "BELEG1": first, "BETRAG1": _amount(one, made.currency), "BELEG2": second,
        "BETRAG2": _amount(two, made.currency) if second else "", "GEAENDERT": german(made.paid),
    } | changes  # fmt: skip
    out.row("erp", _file("receipts", made.currency), row)
    out.truth("erp", "payment", made.reference, f"payment-{made.reference}")
    return made.reference


def schedule(out: Writer, made: Invoice, customer_key: str) -> str:
    """When the revenue of an invoice is recognised; the key."""
    key, metered = f"REV-{made.number[4:]}", any(line.sku == "API-CALLS" for line in made.lines)
    periods = made.periods
    payload = {
        "schedule": key, "invoice": made.number, "contract": made.contract.number, "customer": customer_key, "currency": made.currency,
        "total": str(made.net), "method": "usage" if metered else "linear", "state": "done" if periods[-1][1] <= TODAY else "open",
        "periods": [
            {"from": start.isoformat(), "to": end.isoformat(), "amount": str(amount), "currency": made.currency, "booked": end <= TODAY}
            for start, end, amount in periods
        ],
        "changed": made.issued.isoformat(),
    }  # fmt: skip
    out.line("erp", "revenue", payload)
    out.truth("erp", "revenue_schedule", key, f"revenue-{made.number}")
    return key


def catalogue(out: Writer) -> None:
    """Our own companies and where they are registered, and the items with their accounts."""
    for own in OWN_COMPANIES:
        out.row("erp", "companies", {
            "BUKRS": own.code, "NAME": own.name, "STRASSE": own.street, "PLZ": own.postcode, "ORT": own.city, "LAND": own.country,
            "WAEHRUNG": own.currency, "HR_NR": own.register, "USTID": own.tax_id, "MUTTER": own.parent,
        })  # fmt: skip
        out.truth("erp", "legal_entity", own.code, f"own-company-{own.code}")
    for product in PRODUCTS.values():
        out.row("erp", "items", {
            "ARTIKEL": product.sku, "BEZEICHNUNG": product.name.upper(), "ERLOESKONTO": product.account, "STEUERKZ": _TAX_KEYS[product.kind],
            "EINHEIT": product.unit, "AKTIV": "J" if product.active else "N",
        })  # fmt: skip
        out.truth("erp", "product", product.sku, f"product-{product.sku}")
    for number, own in enumerate((own for own in OWN_COMPANIES if own.tax_id), 1):
        out.row("erp", "tax_registrations", {
            "REGNR": f"R-OWN-{number}", "KUNDENNR": "", "BUKR": own.code, "LAND": own.country, "USTID": own.tax_id, "GEPRUEFT": "J",
            "BEFREIT": "N", "GUELTIG_AB": "01.01.2020", "GUELTIG_BIS": "", "GEAENDERT": "01.01.2023",
        })  # fmt: skip
        out.truth("erp", "tax_registration", f"R-OWN-{number}", f"registration-own-{own.code}")


def _file(kind: str, currency: str) -> str:
    return f"{kind}_gulf" if PLACES[currency] == 3 else kind


def _amount(amount: Decimal, currency: str) -> str:
    text = f"{amount:.{PLACES[currency]}f}"
    return text if PLACES[currency] == 3 else text.replace(".", ",")
