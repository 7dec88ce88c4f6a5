"""The life of a contract: signed, invoiced, paid, recognised, amended, renewed, cancelled."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from seed.systems import iso, moment
from seed.world import Customer
from seed.writer import Writer

PLANS: tuple[tuple[str, str, str, int], ...] = (  # stock-keeping unit, name, unit, monthly price in whole units
    ("CORE-S", "Core Small", "seat", 19),
    ("CORE-L", "Core Large", "seat", 49),
    ("ANALYTICS", "Analytics", "seat", 29),
    ("SUPPORT-PLUS", "Support Plus", "contract", 250),
    ("API-CALLS", "API Calls", "call", 1),
    ("ONBOARDING", "Onboarding", "project", 1500),
)
COMPANIES: tuple[tuple[str, str, str, str], ...] = (  # our own companies: code, name, country, currency
    ("1000", "Concordia Inc", "US", "USD"),
    ("2000", "Concordia Europe GmbH", "DE", "EUR"),
    ("3000", "Concordia UK Ltd", "GB", "GBP"),
)
_PLACES = {"JPY": 0, "KWD": 3}
_EVENTS = (
    "none",
    "none",
    "none",
    "none",
    "renewal",
    "cancellation",
    "entity_change",
    "upgrade",
    "leap_day",
    "usage_overage",
)


@dataclass(frozen=True, slots=True)
class Contract:
    """What a customer has agreed to."""

    number: str
    customer: Customer
    seller: str
    start: date
    end: date
    sku: str
    quantity: int
    monthly: Decimal
    event: str

    @property
    def currency(self) -> str:
        """The currency of the contract."""
        return self.customer.country.currency

    @property
    def ended(self) -> bool:
        """Whether it was cancelled."""
        return self.event == "cancellation"


def minor(amount: Decimal, currency: str) -> int:
    """The amount in the currency's smallest unit."""
    return int(amount.scaleb(_PLACES.get(currency, 2)))


def agree(customer: Customer, rng: Random, event: str | None = None) -> Contract:
    """A contract of a customer."""
    event = event or rng.choice(_EVENTS)
    start = date(2024, 2, 29) if event == "leap_day" else date(rng.randint(2023, 2025), rng.randint(1, 12), 1)
    sku, _, _, price = rng.choice(PLANS[:4])
    quantity = rng.randint(1, 80) if sku != "SUPPORT-PLUS" else 1
    monthly = (Decimal(price * quantity) * (Decimal(rng.choice((100, 95, 90))) / 100)).quantize(Decimal(1))
    end = date(2025, 2, 28) if event == "leap_day" else date(start.year + 1, start.month, 1)
    seller = {"US": "1000", "GB": "3000"}.get(customer.country.code, "2000")
    return Contract(f"SUB-{customer.id:06d}", customer, seller, start, end, sku, quantity, monthly, event)


def crm_contract(out: Writer, contract: Contract, account: str, rng: Random, **changes: Any) -> str:
    """The contract as the CRM knows it, with its amendments; its key."""
    key = f"8003X{contract.customer.id:010d}"
    payload = {
        "attributes": {"type": "Contract"}, "Id": key, "ContractNumber": contract.number, "AccountId": account,
        "Seller__c": contract.seller, "Status": "Cancelled" if contract.ended else "Activated",
        "CurrencyIsoCode": contract.currency, "StartDate": contract.start.isoformat(), "EndDate": contract.end.isoformat(),
        "Renewal__c": "Auto", "TotalValue__c": str(contract.monthly * 12), "Amendments__r": _amendments(contract, rng),
        "IsDeleted": False, "SystemModstamp": iso(moment(rng)),
    }  # fmt: skip
    out.line("crm", "contracts", payload | changes)
    out.truth("crm", "subscription", key, f"contract {contract.number}")
    return key


def _amendments(contract: Contract, rng: Random) -> list[dict[str, Any]]:
    if contract.event not in ("renewal", "cancellation", "entity_change", "upgrade"):
        return []
    effective = contract.start + timedelta(days=rng.randint(60, 300))
    return [
        {
            "Id": f"a0A{contract.customer.id:012d}", "Kind__c": contract.event, "EffectiveDate__c": effective.isoformat(),
            "ApprovedDate__c": (effective - timedelta(days=5)).isoformat(), "ApprovedBy__c": "deal desk",
            "NewSeller__c": "2000" if contract.event == "entity_change" else None, "Note__c": None,
        }
    ]  # fmt: skip


def billing_subscription(out: Writer, contract: Contract, customer: str, rng: Random) -> str:
    """The contract as billing charges it; its key."""
    key = f"sub_{contract.customer.id:010d}"
    ended = int(datetime(contract.end.year, contract.end.month, 1, tzinfo=UTC).timestamp()) if contract.ended else None
    payload = {
        "id": key, "object": "subscription", "customer": customer, "currency": contract.currency.lower(),
        "status": "canceled" if contract.ended else "active", "start_date": _epoch(contract.start), "cancel_at": None,
        "canceled_at": ended, "collection_method": "send_invoice", "livemode": False,
        "items": {"object": "list", "data": [{
            "id": f"si_{contract.customer.id:010d}", "quantity": contract.quantity,
            "price": {"lookup_key": f"{contract.sku}-{contract.currency}-M", "product": contract.sku},
        }]},
        "metadata": {"contract_number": contract.number, "seller": contract.seller, "mrr": minor(contract.monthly, contract.currency)},
        "created": _epoch(contract.start), "updated": int(moment(rng).timestamp()),
    }  # fmt: skip
    out.line("billing", "subscriptions", payload)
    out.truth("billing", "subscription", key, f"contract {contract.number}")
    return key


@dataclass(frozen=True, slots=True)
class Invoiced:
    """An invoice as all systems know it."""

    number: str
    contract: Contract
    issued: date
    net: Decimal
    tax: Decimal
    paid: bool

    @property
    def total(self) -> Decimal:
        """What is owed."""
        return self.net + self.tax


def invoice(contract: Contract, serial: int, rng: Random) -> Invoiced:
    """One monthly invoice of a contract; with usage overage it is higher."""
    issued = (contract.start + timedelta(days=31 * serial)).replace(day=1)
    extra = Decimal(rng.randint(5, 90)) if contract.event == "usage_overage" else Decimal(0)
    net = contract.monthly + extra
    rate = {"US": 0, "GB": 20, "DE": 19, "FR": 20, "CH": 8, "KW": 0, "JP": 10}.get(contract.customer.country.code, 21)
    places = Decimal(1).scaleb(-_PLACES.get(contract.currency, 2))
    tax = (net * rate / 100).quantize(places)
    return Invoiced(f"INV-{contract.customer.id:06d}-{serial:02d}", contract, issued, net, tax, rng.random() < 0.7)


def billing_invoice(out: Writer, made: Invoiced, customer: str, subscription: str, rng: Random) -> str:
    """The invoice as billing issued it; its key."""
    contract, currency = made.contract, made.contract.currency
    key = f"in_{made.number[4:].replace('-', '')}"
    base = {"id": f"il_{key[3:]}1", "description": f"{contract.quantity} x {contract.sku}", "quantity": contract.quantity,
            "amount": minor(contract.monthly, currency), "product": contract.sku,
            "period": {"start": _epoch(made.issued), "end": _epoch(made.issued + timedelta(days=30))}}  # fmt: skip
    lines = [base]
    if made.net > contract.monthly:
        over = base | {"id": f"il_{key[3:]}2", "description": "API calls above the plan", "product": "API-CALLS"}
        lines.append(over | {"quantity": 1, "amount": minor(made.net - contract.monthly, currency)})
    payload = {
        "id": key, "object": "invoice", "number": made.number, "customer": customer, "subscription": subscription,
        "status": "paid" if made.paid else "open", "currency": currency.lower(), "created": _epoch(made.issued),
        "due_date": _epoch(made.issued + timedelta(days=30)), "subtotal": minor(made.net, currency), "tax": minor(made.tax, currency),
        "total": minor(made.total, currency), "amount_paid": minor(made.total, currency) if made.paid else 0,
        "amount_due": 0 if made.paid else minor(made.total, currency), "lines": {"object": "list", "data": lines},
        "metadata": {"seller": contract.seller}, "livemode": False, "updated": int(moment(rng).timestamp()),
    }  # fmt: skip
    out.line("billing", "invoices", payload)
    out.truth("billing", "invoice", key, f"invoice {made.number}")
    return key


def erp_invoice(out: Writer, made: Invoiced, customer: str, rng: Random) -> None:
    """The same invoice as the ledger posted it: day first, decimal comma."""
    row = {
        "BELEGNR": made.number, "KUNDENNR": customer, "BUCHUNGSKREIS": made.contract.seller,
        "DATUM": made.issued.strftime("%d.%m.%Y"), "WAEHRUNG": made.contract.currency, "NETTO": _comma(made.net, made.contract.currency),
        "STEUER": _comma(made.tax, made.contract.currency), "BRUTTO": _comma(made.total, made.contract.currency),
        "OFFEN": _comma(Decimal(0) if made.paid else made.total, made.contract.currency),
        "STATUS": "bezahlt" if made.paid else "offen", "GEAENDERT": moment(rng).strftime("%d.%m.%Y"),
    }  # fmt: skip
    out.row("erp", "invoices", row)
    out.truth("erp", "invoice", made.number, f"invoice {made.number}")


def billing_payment(out: Writer, made: Invoiced, customer: str, rng: Random) -> None:
    """The payment of an invoice, at the payment provider."""
    key, amount = f"pi_{made.number[4:].replace('-', '')}", minor(made.total, made.contract.currency)
    payload = {
        "id": key, "object": "payment_intent", "customer": customer, "amount_received": amount,
        "currency": made.contract.currency.lower(), "status": "succeeded", "payment_method_types": [rng.choice(("card", "sepa_debit"))],
        "created": _epoch(made.issued + timedelta(days=12)), "livemode": False,
        "metadata": {"reference": f"PAY-{made.number[4:]}", "invoice": made.number}, "updated": int(moment(rng).timestamp()),
    }  # fmt: skip
    out.line("billing", "payments", payload)
    out.truth("billing", "payment", key, f"payment {made.number}")


def erp_receipt(out: Writer, made: Invoiced, customer: str, rng: Random) -> None:
    """The same payment as the ledger booked it."""
    row = {
        "ZAHLNR": f"PAY-{made.number[4:]}", "KUNDENNR": customer, "DATUM": (made.issued + timedelta(days=13)).strftime("%d.%m.%Y"),
        "BETRAG": _comma(made.total, made.contract.currency), "WAEHRUNG": made.contract.currency, "BELEGNR": made.number,
        "GEAENDERT": moment(rng).strftime("%d.%m.%Y"),
    }  # fmt: skip
    out.row("erp", "receipts", row)
    out.truth("erp", "payment", f"PAY-{made.number[4:]}", f"payment {made.number}")


def erp_revenue(out: Writer, made: Invoiced, customer: str) -> None:
    """When the ledger recognises the revenue of an invoice: three months, the last takes the rest."""
    currency = made.contract.currency
    part = (made.net / 3).quantize(Decimal(1).scaleb(-_PLACES.get(currency, 2)))
    amounts = [part, part, made.net - 2 * part]
    first = made.issued
    months = [(first + timedelta(days=31 * i)).replace(day=1) for i in range(4)]
    payload = {
        "schedule": f"REV-{made.number[4:]}", "invoice": made.number, "customer": customer, "currency": currency,
        "total": str(made.net), "method": "linear", "state": "open", "changed": made.issued.isoformat(),
        "periods": [
            {"from": months[i].isoformat(), "to": months[i + 1].isoformat(), "amount": str(amount), "currency": currency, "booked": i == 0}
            for i, amount in enumerate(amounts)
        ],
    }  # fmt: skip
    out.line("erp", "revenue", payload)
    out.truth("erp", "revenue_schedule", f"REV-{made.number[4:]}", f"revenue {made.number}")


def entitlements(out: Writer, contract: Contract, customer: str, subscription: str, rng: Random) -> None:
    """What billing grants, and what the support desk believes was granted."""
    key = f"{contract.number}:{contract.sku}"
    granted = {
        "id": f"ent_{contract.customer.id:010d}", "object": "entitlement", "lookup_key": key, "customer": customer,
        "subscription": subscription, "feature": contract.sku.lower(), "tier": contract.customer.segment, "quantity": contract.quantity,
        "active": not contract.ended, "from": contract.start.isoformat(), "to": contract.end.isoformat(),
        "updated": int(moment(rng).timestamp()),
    }  # fmt: skip
    out.line("billing", "entitlements", granted)
    out.truth("billing", "entitlement", f"ent_{contract.customer.id:010d}", f"entitlement {key}")
    if rng.random() < 0.5:
        believed = {
            "id": 380_000_000 + contract.customer.id, "key": key, "organization_id": 360_000_000 + contract.customer.id,
            "feature": contract.sku.lower(), "tier": rng.choice(("small", contract.customer.segment)), "seats": contract.quantity,
            "state": "open", "updated_at": moment(rng).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }  # fmt: skip
        out.line("support", "entitlements", believed)
        out.truth("support", "entitlement", str(believed["id"]), f"entitlement {key}")


def usage(out: Writer, contract: Contract, customer: str, subscription: str, rng: Random) -> None:
    """Metered events of a contract; one of fifty is delivered twice."""
    for serial in range(rng.randint(1, 3)):
        event = {
            "event_id": f"u-{contract.customer.id:06d}-{serial}", "customer": customer, "subscription": subscription,
            "product": "API-CALLS", "metric": "api_calls", "quantity": rng.randint(1, 9000), "unit": "call",
            "ts": moment(rng).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }  # fmt: skip
        for _ in range(2 if rng.random() < 0.02 else 1):
            out.line("usage", "events", event)
        out.truth("usage", "usage_record", str(event["event_id"]), f"usage {event['event_id']}")


def catalogue(out: Writer, rng: Random) -> None:
    """Products, prices and our own companies, in every system that speaks of them."""
    for sku, name, unit, price in PLANS:
        crm = {"attributes": {"type": "Product2"}, "Id": f"01t{sku}", "ProductCode": sku, "Name": name, "Description": None,
               "Family": "Platform", "QuantityUnitOfMeasure": unit, "IsActive": True, "IsDeleted": False,
               "SystemModstamp": iso(moment(rng))}  # fmt: skip
        out.line("crm", "products", crm)
        out.truth("crm", "product", f"01t{sku}", f"product {sku}")
        out.line("billing", "products", {"id": sku, "object": "product", "name": name, "active": True, "unit_label": unit,
                 "tax_code": "txcd_10103001", "metadata": {}, "livemode": False, "updated": int(moment(rng).timestamp())})  # fmt: skip
        out.truth("billing", "product", sku, f"product {sku}")
        out.row(
            "erp",
            "items",
            {"ARTIKEL": sku, "BEZEICHNUNG": name.upper(), "ERLOESKONTO": "4400", "STEUER": "V1", "AKTIV": "J"},
        )
        out.truth("erp", "product", sku, f"product {sku}")
        for currency in ("USD", "EUR", "GBP", "CHF", "NOK", "SEK", "JPY", "KWD"):
            key = f"{sku}-{currency}-M"
            out.line("billing", "prices", {"id": f"price_{key}", "object": "price", "product": sku, "lookup_key": key, "nickname": None,
                     "unit_amount": minor(Decimal(price), currency), "currency": currency.lower(), "active": True, "livemode": False,
                     "recurring": {"interval": "month", "interval_count": 1}, "updated": int(moment(rng).timestamp())})  # fmt: skip
            out.truth("billing", "price", f"price_{key}", f"price {key}")
    for code, name, country, currency in COMPANIES:
        out.row(
            "erp",
            "companies",
            {"BUKRS": code, "NAME": name, "LAND": country, "WAEHRUNG": currency, "HRB": f"HRB {code}99"},
        )
        out.truth("erp", "legal_entity", code, f"company {code}")


def _epoch(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def _comma(amount: Decimal, currency: str) -> str:
    places = _PLACES.get(currency, 2)
    return f"{amount:.{places}f}".replace(".", ",")
