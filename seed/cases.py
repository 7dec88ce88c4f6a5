"""The hard cases: small scenes that a master-data hub gets wrong, each with its name and its right end.

`expect` is `one` (all keys end in one golden record), `apart` (no two together), `task` (a steward is
asked about some of them) or `finding` (the records carry a finding). Customer ids start at 900,000.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from seed.systems import billing_customer, crm_account, crm_payload, erp_customer, renamed, support_organisation
from seed.world import COUNTRIES, Customer, draw
from seed.writer import Writer

FIRST = 900_000
LONG = "The Worshipful and Most Excellent Company of " + "Very " * 20 + "Long Names"


class Scene:
    """Where a case is played: it hands out customers and writes what the systems say of them."""

    def __init__(self, out: Writer, number: int) -> None:
        """The scene of case number so-and-so."""
        self.out, self.rng = out, Random(f"case {number}")
        self._next = FIRST + number * 20

    def customer(self, **fields: Any) -> Customer:
        """A new customer, with some fields set."""
        self._next += 1
        drawn = draw(self._next, Random(f"case customer {self._next}"))
        fixed: dict[str, Any] = {
            "born": "",
            "status": "active",
            "domain": f"case-{self._next}.example",
            "name": f"Case {self._next} {drawn.name}",
        }
        country = fields.pop("country", None)
        if country:
            chosen = next(c for c in COUNTRIES if c.code == country)
            fixed |= {"country": chosen, "tax_id": chosen.tax(self.rng), "form": chosen.forms[0]}
        return renamed(drawn, **(fixed | fields))

    def crm(self, customer: Customer, **changes: Any) -> str:
        """A CRM account, its name clean; its source key."""
        return "crm:account:" + crm_account(self.out, customer, self.rng, **({"Name": customer.legal_name} | changes))

    def billing(self, customer: Customer, **changes: Any) -> str:
        """A billing customer, its name clean; its source key."""
        return "billing:account:" + billing_customer(
            self.out, customer, self.rng, **({"name": customer.legal_name} | changes)
        )

    def support(self, customer: Customer, **changes: Any) -> str:
        """A support organisation, its name clean; its source key."""
        return "support:account:" + support_organisation(
            self.out, customer, self.rng, **({"name": customer.legal_name} | changes)
        )

    def erp(self, customer: Customer, **changes: str) -> str:
        """A ledger customer, its name clean; its source key."""
        return "erp:account:" + erp_customer(self.out, customer, self.rng, **({"FIRMA": customer.legal_name} | changes))


def _same_everywhere(s: Scene) -> tuple[str, list[str]]:
    """One customer in four systems under one name and tax number."""
    c = s.customer(country="DE")
    full = {"VAT__c": c.tax_id, "AccountNumber": c.number}
    return "one", [s.crm(c, **full), s.billing(c, tax_ids=_tax(c)), s.support(c, external_id=c.number), s.erp(c)]


def _conflicting_tax_ids(s: Scene) -> tuple[str, list[str]]:
    """Same name and address, two tax numbers of one country: two companies."""
    c = s.customer(country="GB")
    other = renamed(c, id=c.id + 5, tax_id=c.country.tax(s.rng))
    return "apart", [s.crm(c, VAT__c=c.tax_id), s.billing(other, tax_ids=_tax(other))]


def _chain(s: Scene) -> tuple[str, list[str]]:
    """A is like B and B is like C, but A and C have different tax numbers."""
    c = s.customer(country="FR")
    other = renamed(c, id=c.id + 5, tax_id=c.country.tax(s.rng))
    middle = {"VAT__c": None, "AccountNumber": None}
    return "not_all", [s.erp(c), s.crm(renamed(c, id=c.id + 6), **middle), s.billing(other, tax_ids=_tax(other))]


def _placeholders(s: Scene) -> tuple[str, list[str]]:
    """Records that share nothing but placeholders."""
    a, b = s.customer(), s.customer()
    nothing = {
        "Email__c": "test@test.com",
        "Phone": "000000000",
        "VAT__c": "N/A",
        "AccountNumber": "N/A",
        "Website": None,
    }
    return "apart", [s.crm(a, **nothing), s.crm(b, **nothing)]


def _shared_phone(s: Scene) -> tuple[str, list[str]]:
    """A reseller's switchboard on five customers of its own."""
    return "apart", [s.crm(s.customer(), Phone="+44 20 7946 0000", Website=None, Email__c=None) for _ in range(5)]


def _reseller_domain(s: Scene) -> tuple[str, list[str]]:
    """A reseller's mail address on its customers' accounts."""
    return "apart", [s.billing(s.customer(), email="billing@reseller.example", phone=None) for _ in range(4)]


def _same_name(s: Scene) -> tuple[str, list[str]]:
    """Five companies called Phoenix Trading in five cities."""
    places = (("GB", "Leeds"), ("GB", "Hull"), ("US", "Austin"), ("DE", "Berlin"), ("FR", "Lyon"))
    return "apart", [
        s.crm(s.customer(country=land, name="Phoenix Trading", city=city), Email__c=None, Phone=None)
        for land, city in places
    ]


def _family(s: Scene) -> tuple[str, list[str]]:
    """Two people of one household: one address, one mailbox, two birthdays."""
    a = s.customer(given="Edith", family="Quarrington", born="1961-04-02", tax_id="", domain="mail.example")
    b = renamed(a, id=a.id + 5, given="Edward", born="1988-11-20")
    shared = {"Email__c": "quarringtons@mail.example", "Website": None, "VAT__c": None, "AccountNumber": None}
    people = [
        {"FirstName": p.given, "LastName": p.family, "PersonBirthdate": p.born, "IsPersonAccount": True} for p in (a, b)
    ]
    return "apart", [s.crm(p, **shared, **who) for p, who in zip((a, b), people, strict=True)]


def _franchise(s: Scene) -> tuple[str, list[str]]:
    """One brand, two owners, two addresses."""
    a = s.customer(country="US", name="Burger Barn")
    b = s.customer(country="US", name="Burger Barn")
    return "apart", [s.crm(a, VAT__c=a.tax_id, Website="burgerbarn.example"), s.billing(b, tax_ids=_tax(b))]


def _late_update(s: Scene) -> tuple[str, list[str]]:
    """The newer version arrives first; the older one must not win."""
    c = s.customer()
    new = s.crm(c, Industry="Newer", SystemModstamp="2026-09-02T10:00:00.000+0000")
    s.out.line("crm", "accounts_late", _again(c, "Older", "2026-09-01T10:00:00.000+0000"))
    return "value:industry=Newer", [new]


def _duplicate_delivery(s: Scene) -> tuple[str, list[str]]:
    """The same event twice."""
    c = s.customer()
    payload = _again(c, "Twice", "2026-08-01T10:00:00.000+0000")
    s.out.line("crm", "accounts", payload)
    s.out.line("crm", "accounts_late", payload)
    s.out.truth("crm", "account", payload["Id"], f"customer {c.id}")
    return "one", [f"crm:account:{payload['Id']}"]


def _source_merge(s: Scene) -> tuple[str, list[str]]:
    """The CRM merged two accounts: one id is gone and names its successor."""
    c = s.customer()
    kept = s.crm(c)
    gone = s.crm(renamed(c, id=c.id + 5), IsDeleted=True, MasterRecordId=kept.split(":")[2])
    return "replaced", [kept, gone]


def _tombstone(s: Scene) -> tuple[str, list[str]]:
    """Deleted in the CRM, still there in billing."""
    c = s.customer(country="DE")
    return "alive", [s.billing(c, tax_ids=_tax(c)), s.crm(c, VAT__c=c.tax_id, IsDeleted=True)]


def _bad_check_digit(s: Scene) -> tuple[str, list[str]]:
    """A tax number with a slip: it loses against the valid one and vetoes nothing."""
    c = s.customer(country="DE")
    wrong = c.tax_id[:-1] + str((int(c.tax_id[-1]) + 1) % 10)
    numbers = {"AccountNumber": c.number, "Website": c.domain}
    return "finding", [s.crm(c, VAT__c=wrong, **numbers), s.erp(c)]


def _cleared(s: Scene) -> tuple[str, list[str]]:
    """The CRM says that the trading name is empty; the support desk does not speak of it."""
    c = s.customer()
    return "one", [s.crm(c, Trading_Name__c=None, AccountNumber=c.number), s.support(c, external_id=c.number)]


def _whole_address(s: Scene) -> tuple[str, list[str]]:
    """The street in one system, the postcode in another: the address must not be patched together."""
    c = s.customer(country="GB")
    moved = {
        "line1": "9 Quay Street",
        "line2": None,
        "city": "Hull",
        "state": None,
        "postal_code": None,
        "country": "GB",
    }
    return "one", [s.crm(c, VAT__c=c.tax_id, AccountNumber=c.number), s.billing(c, address=moved, tax_ids=_tax(c))]


def _tie(s: Scene) -> tuple[str, list[str]]:
    """Two systems assert different things in the same second."""
    c = s.customer()
    when = "2026-07-01T00:00:00"
    return "one", [
        s.crm(c, SystemModstamp=f"{when}.000+0000", AccountNumber=c.number, Industry="Tie A"),
        s.support(c, updated_at=f"{when}Z", external_id=c.number),
    ]


def _unmapped_code(s: Scene) -> tuple[str, list[str]]:
    """A status that nobody has mapped."""
    return "finding", [s.crm(s.customer(), Type="Strategic Friend")]


def _acquisition(s: Scene) -> tuple[str, list[str]]:
    """One customer bought another: a parent, not a merge."""
    a, b = s.customer(), s.customer()
    parent = s.crm(a)
    return "apart", [parent, s.crm(b, ParentId=parent.split(":")[2])]


def _orphan(s: Scene) -> tuple[str, list[str]]:
    """A child whose parent never comes."""
    return "finding_later", [s.crm(s.customer(), ParentId="0013XNEVERCOMES")]


def _non_latin(s: Scene) -> tuple[str, list[str]]:
    """The same company in Greek letters and in Latin ones."""
    c = s.customer(country="GR", name="Alfa Thalassa")
    return "one", [s.crm(c, Name="Άλφα Θάλασσα ΑΕ", VAT__c=c.tax_id, AccountNumber=c.number), s.erp(c)]


def _right_to_left(s: Scene) -> tuple[str, list[str]]:
    """A name that is written from right to left."""
    return "one", [s.crm(s.customer(country="KW"), Name="شركة النور للتجارة ذ.م.م", Trading_Name__c="Al Noor Trading")]


def _formula(s: Scene) -> tuple[str, list[str]]:
    """A name that a spreadsheet would run."""
    return "finding", [s.erp(s.customer(), FIRMA='=HYPERLINK("http://x.example")')]


def _long_name(s: Scene) -> tuple[str, list[str]]:
    """A name of two hundred characters."""
    return "one", [s.crm(s.customer(), Name=LONG)]


def _email_changed(s: Scene) -> tuple[str, list[str]]:
    """Another mail address is not another customer."""
    c = s.customer(country="NO")
    return "one", [
        s.crm(c, Email__c="old@case.example", VAT__c=c.tax_id),
        s.billing(c, email="new@case.example", tax_ids=_tax(c)),
    ]


def _bridge(s: Scene) -> tuple[str, list[str]]:
    """Two customers with different tax numbers, and a third record that is like both."""
    a = s.customer(country="SE", name="Nordlys Bridge")
    b = renamed(a, id=a.id + 5, tax_id=a.country.tax(s.rng), street="Kungsgatan 1", domain="nordlys-b.example")
    both = s.support(renamed(a, id=a.id + 6), domain_names=["nordlys-b.example"], external_id=None)
    return "not_all", [s.crm(a, VAT__c=a.tax_id, Website=a.domain), s.billing(b, tax_ids=_tax(b), phone=None), both]


def _stale_touch(s: Scene) -> tuple[str, list[str]]:
    """A technical touch makes an old value look new; the owner's word still stands."""
    c = s.customer(country="BE")
    erp = s.erp(c, GEAENDERT="01.01.2024", ZAHLZIEL="NET60")
    return "value:payment_terms=NET60", [erp, s.billing(c, tax_ids=_tax(c), updated=1_790_000_000)]


def _echo(s: Scene) -> tuple[str, list[str]]:
    """The ledger sends back what the hub published to it: no second witness."""
    c = s.customer(country="IT")
    return "one", [s.crm(c, VAT__c=c.tax_id, AccountNumber=c.number), s.erp(c)]


CASES: dict[str, Callable[[Scene], tuple[str, list[str]]]] = {
    "same_everywhere": _same_everywhere, "conflicting_tax_ids": _conflicting_tax_ids, "transitive_chain": _chain,
    "placeholder_values": _placeholders, "shared_phone_reseller": _shared_phone, "reseller_domain": _reseller_domain,
    "same_name_different_company": _same_name, "family_members": _family, "franchise": _franchise, "late_update": _late_update,
    "duplicate_delivery": _duplicate_delivery, "source_side_merge": _source_merge, "tombstone": _tombstone,
    "wrong_check_digit": _bad_check_digit, "null_absent_cleared": _cleared, "address_survives_whole": _whole_address,
    "tie_same_asserted_at": _tie, "unmapped_code": _unmapped_code, "acquisition_parent": _acquisition, "orphan_child": _orphan,
    "non_latin_twin": _non_latin, "right_to_left": _right_to_left, "formula_text": _formula, "long_name": _long_name,
    "email_change": _email_changed, "bridge_record": _bridge, "stale_recency": _stale_touch, "echo": _echo,
}  # fmt: skip


def play(out: Writer) -> None:
    """Write every case once."""
    for number, (name, scene) in enumerate(CASES.items()):
        expect, keys = scene(Scene(out, number))
        out.case(name, expect, keys, (scene.__doc__ or "").strip())


def _tax(customer: Customer) -> dict[str, Any]:
    entry = {"id": f"txi_{customer.id}", "object": "tax_id", "type": "eu_vat", "value": customer.tax_id,
             "country": customer.country.code, "verification": {"status": "verified"}}  # fmt: skip
    return {"object": "list", "data": [entry]}


def _again(customer: Customer, industry: str, stamp: str) -> dict[str, Any]:
    """The CRM account once more, at another time."""
    changes = {"Name": customer.legal_name, "Industry": industry, "SystemModstamp": stamp}
    return crm_payload(customer, Random(customer.id)) | changes
