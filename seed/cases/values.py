"""What a value says: empty, unsaid, wrong, unknown, enormous, or in letters that run the other way."""

from __future__ import annotations

from seed import taxes
from seed.cases.scene import Scene

LONG = "The Worshipful and Most Excellent Company of " + "Very " * 30 + "Long Names"


def null_says_empty(s: Scene) -> None:
    """The CRM owns the segment and says nothing of it, explicitly."""
    s.expect("value", [s.crm(s.company(), Segment__c=None)], field="segment", value=None)


def absent_says_nothing(s: Scene) -> None:
    """The support desk does not speak of the industry at all: it must not empty it."""
    c = s.company()
    keys = [s.crm(c, Industry="Kept", AccountNumber=c.number), s.support(c, external_id=c.number)]
    s.expect("value", keys, field="industry", value="Kept")


def null_absent_cleared(s: Scene) -> None:
    """The CRM had a trading name and cleared it later: a real clearing reaches the agreed record."""
    c = s.company()
    key = s.crm(c, Trading_Name__c="Old Brand", SystemModstamp="2026-03-01T08:00:00.000+0000")
    s.crm_version(c, "accounts_late", Trading_Name__c=None, SystemModstamp="2026-03-02T08:00:00.000+0000")
    s.expect("value", [key], field="trading_name", value=None)


def address_survives_whole(s: Scene) -> None:
    """The street stands in one system and the postcode in another: no address may be patched together of both."""
    c = s.company("GB")
    moved = {
        "line1": "9 Quay Street",
        "line2": None,
        "city": "Hull",
        "state": None,
        "postal_code": None,
        "country": "GB",
    }
    keys = [s.crm(c, AccountNumber=c.number, BillingStreet=None), s.billing(c, address=moved)]
    s.expect("one", keys)
    s.expect("value", keys, field="billing_address", value={"line1": "9 Quay Street", "city": "Hull", "country": "GB"})


def wrong_check_digit(s: Scene) -> None:
    """A tax number with a slip vetoes nothing and loses against the valid one."""
    c = s.company("DE")
    wrong = s.crm(c, VAT__c=taxes.with_wrong_check_digit(c.tax_id), AccountNumber=c.number)
    keys = [wrong, s.erp(c)]
    s.expect("finding", [wrong], code="HUB-3303")
    s.expect("one", keys)
    s.expect("value", keys, field="tax_id.number", value=c.tax_id)


def wrong_tax_id_only(s: Scene) -> None:
    """The only tax number that anybody has is wrong: it is kept, and doubted."""
    c = s.company("PL")
    s.expect("finding", [s.crm(c, VAT__c=taxes.with_wrong_check_digit(c.tax_id))], code="HUB-3303")


def unmapped_code(s: Scene) -> None:
    """A status that nobody has mapped: said aloud, and not guessed."""
    key = s.crm(s.company(), Type="Strategic Friend")
    s.expect("finding", [key], code="HUB-3205")
    s.expect("value", [key], field="status", value=None)


def unreadable_country(s: Scene) -> None:
    """A country that is none: the rest of the address stands."""
    s.expect("finding", [s.crm(s.company(), BillingCountry="Atlantis", VAT__c=None, Phone=None)], code="HUB-3301")


def impossible_date(s: Scene) -> None:
    """A birthday on the 30th of February."""
    s.expect("finding", [s.crm(s.person("Febe", "Impossible", "1990-02-30"))], code="HUB-3301")


def formula_text(s: Scene) -> None:
    """A name that a spreadsheet would run: kept as text, and said aloud."""
    formula = '=HYPERLINK("http://x.example";"click")'
    s.expect("finding", [s.erp(s.company(), FIRMA=formula)], code="HUB-3106")


def quoted_line_break(s: Scene) -> None:
    """A cell of the ledger's table with a line break, a quote and the delimiter in it."""
    key = s.erp(s.company(), STRASSE='HAUS "AM SEE";\nHINTERHAUS')
    s.expect("value", [key], field="billing_address.line1", value='HAUS "AM SEE";')


def long_name(s: Scene) -> None:
    """A name of two hundred characters."""
    s.expect("value", [s.crm(s.company(), Name=LONG)], field="legal_name", value=LONG)


def right_to_left(s: Scene) -> None:
    """A name that is written from right to left, with a digit and a Latin word in it."""
    name = "شركة النور 24 Express للتجارة ذ.م.م"
    s.expect("value", [s.crm(s.company("KW"), Name=name)], field="legal_name", value=name)


def invisible_characters(s: Scene) -> None:
    """A name pasted with a zero-width space, a non-breaking space and a decomposed accent: the same name."""
    c = s.company("FR", called="Café Solennel Édition")
    pasted = "Cafe\u0301\u00a0Solennel\u200b E\u0301dition SAS"
    keys = [s.crm(c, Name=pasted), s.billing(c)]
    s.expect("one", keys)
    s.expect("value", keys, field="legal_name", value="Café Solennel Édition SAS")


CASES = (
    null_says_empty, absent_says_nothing, null_absent_cleared, address_survives_whole, wrong_check_digit, wrong_tax_id_only, unmapped_code,
    unreadable_country, impossible_date, formula_text, quoted_line_break, long_name, right_to_left, invisible_characters,
)  # fmt: skip
