"""Who is who: records that belong together and look apart, and records that look together and belong apart."""

from __future__ import annotations

from typing import Any

from seed import taxes
from seed.cases.scene import Scene
from seed.names import CompanyName
from seed.systems import billing

NOBODY: dict[str, Any] = {"Website": None, "Email__c": None, "Phone": None, "VAT__c": None, "AccountNumber": None}


def same_everywhere(s: Scene) -> None:
    """One customer in four systems under one name and tax number: what must always work."""
    c = s.company("DE")
    keys = [s.crm(c, AccountNumber=c.number), s.billing(c), s.support(c, external_id=c.number), s.erp(c)]
    s.expect("one", keys)


def legal_form_variants(s: Scene) -> None:
    """Ltd, Limited and no form at all, in three systems."""
    c = s.company("GB")
    s.expect("one", [s.crm(c, Name=f"{c.name.latin} Limited"), s.billing(c, name=c.name.latin.upper()), s.erp(c)])


def duplicate_in_one_system(s: Scene) -> None:
    """Two sales people opened the same customer in the CRM."""
    c = s.company("FR")
    s.expect("one", [s.crm(c), s.crm(s.again(c), thing=c, Name=c.name.latin, VAT__c=None)])


def order_dependence(s: Scene) -> None:
    """A and C share nothing; B shares the tax number with A and the customer number with C. Whichever comes first, they are one."""
    c = s.company("NL")
    a = s.billing(c, phone=None, email=f"hello@{c.domain}")
    b = s.crm(c, **(NOBODY | {"VAT__c": c.tax_id, "AccountNumber": c.number}))
    bare = s.support(
        c,
        name=c.legal_name,
        domain_names=[],
        external_id=c.number,
        organization_fields={"phone": None, "country": "NL"},
    )
    s.expect("one", [a, b, bare])


def order_dependence_reversed(s: Scene) -> None:
    """The same triangle, delivered so that the record that joins the two comes before them."""
    c = s.company("PL")
    b = s.crm(c, **(NOBODY | {"VAT__c": c.tax_id, "AccountNumber": c.number}))
    bare = s.support(c, domain_names=[], external_id=c.number, organization_fields={"phone": None, "country": "PL"})
    s.expect("one", [b, bare, s.billing(c, phone=None)])


def transitive_chain(s: Scene) -> None:
    """A is like B and B is like C, but A and C have different tax numbers of one country."""
    c = s.company("FR")
    other = s.again(c, tax_id=s.other_tax_id(c))
    a, b, d = s.erp(c), s.crm(s.again(c), thing=c, VAT__c=None), s.billing(other)
    s.expect("apart", [a, d])
    s.expect("not_all", [a, b, d])


def bridge_record(s: Scene) -> None:
    """Two customers with different tax numbers are there; a third record is like both. No silent merge: a steward is asked."""
    a = s.company("SE", called="Nordlys Bridge")
    b = s.again(a, tax_id=s.other_tax_id(a), domain="nordlys-b.example", email="office@nordlys-b.example")
    first, second = s.crm(a), s.billing(b)
    both = s.support(s.again(a), domain_names=["nordlys-b.example"])
    s.expect("apart", [first, second])
    s.expect("task", [first, second, both])


def conflicting_tax_ids(s: Scene) -> None:
    """Same name, street, phone and domain, but two valid tax numbers of one country: two companies."""
    c = s.company("GB")
    s.expect("apart", [s.crm(c), s.billing(s.again(c, tax_id=s.other_tax_id(c)))])


def tax_ids_of_two_countries(s: Scene) -> None:
    """One company registered in two countries: two numbers that do not contradict each other."""
    c = s.company("DE")
    foreign = taxes.tax_number("AT", s.rng)
    entry = billing.tax_ids("cus_two_countries", c)["data"][0] | {
        "id": f"txi_at{c.id}",
        "value": foreign,
        "country": "AT",
    }
    keys = [s.crm(c, AccountNumber=c.number), s.billing(c, tax_ids={"object": "list", "data": [entry]})]
    s.expect("one", keys)


def placeholder_values(s: Scene) -> None:
    """Two companies that share nothing but N/A, test@test.com and 000000000."""
    nothing: dict[str, Any] = {
        "Email__c": "test@test.com",
        "Phone": "000000000",
        "VAT__c": "N/A",
        "AccountNumber": "N/A",
        "Website": "n/a",
    }
    keys = [s.crm(s.company("GB"), **nothing), s.crm(s.company("GB"), **nothing)]
    s.expect("apart", keys)
    s.expect("finding", keys, code="HUB-3302")


def placeholder_names(s: Scene) -> None:
    """Two people whom somebody typed in as John Doe; nothing else says that they are one."""
    a, b = s.person("John", "Doe", "1980-03-04"), s.person("John", "Doe", "1991-08-17")
    keys = [s.crm(p, **(NOBODY | {"PersonBirthdate": None})) for p in (a, b)]
    s.expect("apart", keys)


def shared_phone_reseller(s: Scene) -> None:
    """A reseller's number on five customers of its own."""
    s.expect("apart", [s.crm(s.company("GB"), Phone="+44 20 7946 0000", Website=None, Email__c=None) for _ in range(5)])


def shared_phone_switchboard(s: Scene) -> None:
    """Six tenants of one business park behind one switchboard and one address."""
    c = s.company("DE")
    shared: dict[str, Any] = {
        "Phone": c.phone,
        "BillingStreet": c.address.street,
        "BillingCity": c.address.city.name,
        "BillingPostalCode": c.address.postcode,
    }
    s.expect("apart", [s.crm(s.company("DE"), Website=None, Email__c=None, **shared) for _ in range(6)])


def reseller_domain(s: Scene) -> None:
    """A reseller's mail address on its customers' billing accounts."""
    s.expect(
        "apart", [s.billing(s.company("US"), email="billing@resale-partner.example", phone=None) for _ in range(5)]
    )


def reseller_domain_as_website(s: Scene) -> None:
    """A reseller's web site entered as the customers' own."""
    s.expect("apart", [s.crm(s.company("IT"), Website="www.resale-partner.example", Phone=None) for _ in range(4)])


def same_name_different_company(s: Scene) -> None:
    """Five companies called Phoenix Trading in five cities."""
    lands = ("GB", "IE", "US", "DE", "FR")
    s.expect("apart", [s.crm(s.company(land, called="Phoenix Trading"), Phone=None) for land in lands])


def franchise(s: Scene) -> None:
    """One brand and web site, four owners, four addresses."""

    def one() -> str:
        c = s.company("US", called="Burger Barn", domain="burger-barn.example")
        return s.crm(c, Email__c=None)

    s.expect("apart", [one() for _ in range(4)])


def family_members(s: Scene) -> None:
    """Three people of one household: one address, one mailbox, one phone, three birthdays."""
    a = s.person("Edith", "Quarrington", "1961-04-02", email="quarringtons@webmail.example")
    others = [s.again(a, person=type(a.person)(given, "Quarrington"), born=born, name=CompanyName(f"{given} Quarrington"))
              for given, born in (("Edward", "1988-11-20"), ("Edwina", "1990-01-31"))]  # fmt: skip
    s.expect("apart", [s.crm(p) for p in (a, *others)])


def person_account(s: Scene) -> None:
    """A person as a customer, with birthday and passport, in CRM and billing: personal data everywhere, one customer."""
    c = s.person("Rosalind", "Featherstonehaugh", "1984-02-29")
    s.expect("one", [s.crm(c, Passport__c="533401372"), s.billing(c, name="Featherstonehaugh, Rosalind")])


def email_change(s: Scene) -> None:
    """Another mail address is not another customer."""
    c = s.company("NO")
    s.expect("one", [s.crm(c, Email__c=f"old.office@{c.domain}"), s.billing(c, email="finance@new-mail.example")])


def dissolved_domain(s: Scene) -> None:
    """A company gave its domain up; another one registered it years later."""
    gone = s.company("ES", status="churned")
    new = s.company("ES", domain=gone.domain)
    s.expect(
        "apart",
        [s.crm(gone, SystemModstamp="2024-01-10T09:00:00.000+0000"), s.billing(new, email=f"admin@{gone.domain}")],
    )


def acquisition_parent(s: Scene) -> None:
    """One customer bought another: a parent, not a merge."""
    a, b = s.company("US"), s.company("US")
    parent = s.crm(a)
    child = s.crm(b, ParentId=parent.split(":")[2])
    s.expect("apart", [parent, child])
    s.expect("value", [child], field="parent", value=parent)


def multi_entity_customer(s: Scene) -> None:
    """One customer buys from two of our companies, so two ledgers number it: one customer, two debtor numbers."""
    c = s.company("DE")
    second = s.erp(s.again(c), thing=c, BUCHUNGSKREIS="3000", WAEHRUNG="GBP")
    s.expect("one", [s.crm(c, AccountNumber=c.number), s.billing(c), s.erp(c), second])


def non_latin_twin(s: Scene) -> None:
    """The same company in Greek letters in the CRM and in Latin ones in the ledger."""
    c = s.company("GR", called="Alfa Thalassa Emporiki")
    s.expect("one", [s.crm(c, Name="Άλφα Θάλασσα Εμπορική ΑΕ", AccountNumber=c.number), s.erp(c)])


def non_latin_cyrillic(s: Scene) -> None:
    """The same company in Cyrillic and in Latin letters."""
    c = s.company("BG", called="Vitosha Logistika")
    s.expect("one", [s.crm(c, Name="Витоша Логистика ООД", AccountNumber=c.number), s.erp(c)])


def non_latin_japanese(s: Scene) -> None:
    """The same company in Japanese, with the legal form in front, and in Latin letters."""
    c = s.company("JP", called="Fuji Denki Butsuryu")
    s.expect("one", [s.crm(c, Name="株式会社富士電機物流", AccountNumber=c.number), s.erp(c)])


def non_latin_arabic(s: Scene) -> None:
    """The same company in Arabic and in Latin letters; there is no tax number, only the customer number."""
    c = s.company("KW", called="Al-Noor Trading")
    s.expect(
        "one",
        [s.crm(c, Name="النور للتجارة ذ.م.م", Trading_Name__c="Al-Noor Trading", AccountNumber=c.number), s.erp(c)],
    )


CASES = (
    same_everywhere, legal_form_variants, duplicate_in_one_system, order_dependence, order_dependence_reversed, transitive_chain,
    bridge_record, conflicting_tax_ids, tax_ids_of_two_countries, placeholder_values, placeholder_names, shared_phone_reseller,
    shared_phone_switchboard, reseller_domain, reseller_domain_as_website, same_name_different_company, franchise, family_members,
    person_account, email_change, dissolved_domain, acquisition_parent, multi_entity_customer, non_latin_twin, non_latin_cyrillic,
    non_latin_japanese, non_latin_arabic,
)  # fmt: skip
