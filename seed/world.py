"""What companies and people are called, and where they are: tables, and how a customer is drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from random import Random

from stdnum.ch import uid
from stdnum.gr import vat as gr_vat
from stdnum.iso7064 import mod_11_10
from stdnum.jp import cn
from stdnum.luhn import calc_check_digit
from stdnum.no import orgnr


@dataclass(frozen=True, slots=True)
class Country:
    """What addresses, numbers and company names look like in a country."""

    code: str
    name: str
    currency: str
    forms: tuple[str, ...]
    cities: tuple[tuple[str, str], ...]  # name and the start of its postcodes
    streets: tuple[str, ...]
    postcode: str  # # is a digit, @ a letter
    phone: str
    tax: Callable[[Random], str]


def _words(name: str) -> list[str]:
    return (files("seed") / "data" / f"{name}.txt").read_text("utf-8").split()


def _digits(rng: Random, count: int) -> str:
    return str(rng.randint(1, 9)) + "".join(str(rng.randint(0, 9)) for _ in range(count - 1))


def _de(rng: Random) -> str:
    number = _digits(rng, 8)
    return f"DE{number}{mod_11_10.calc_check_digit(number)}"


def _gb(rng: Random) -> str:
    number = _digits(rng, 7)
    total = sum(int(n) * w for n, w in zip(number, range(8, 1, -1), strict=True))
    return f"GB{number}{97 - total % 97:02d}"


def _fr(rng: Random) -> str:
    siren = _digits(rng, 8)
    siren += calc_check_digit(siren)
    return f"FR{(12 + 3 * (int(siren) % 97)) % 97:02d}{siren}"


def _us(rng: Random) -> str:
    return f"{rng.choice(('12', '20', '26', '33', '45', '47', '56', '61', '75', '81'))}-{_digits(rng, 7)}"


def _ch(rng: Random) -> str:
    while True:
        number = _digits(rng, 8)
        check = uid.calc_check_digit(number)
        if len(check) == 1:
            return f"CHE{number}{check}"


def _no(rng: Random) -> str:
    while True:
        number = "9" + _digits(rng, 8)
        if orgnr.is_valid(number):
            return f"NO{number}MVA"


def _se(rng: Random) -> str:
    number = "55" + _digits(rng, 7)
    return f"SE{number}{calc_check_digit(number)}01"


def _it(rng: Random) -> str:
    number = f"{_digits(rng, 7)}{rng.randint(1, 95):03d}"
    return f"IT{number}{calc_check_digit(number)}"


def _be(rng: Random) -> str:
    number = "04" + _digits(rng, 6)
    return f"BE{number}{97 - int(number) % 97:02d}"


def _jp(rng: Random) -> str:
    number = _digits(rng, 12)
    return cn.calc_check_digit(number) + number


def _gr(rng: Random) -> str:
    number = _digits(rng, 8)
    return f"EL{number}{gr_vat.calc_check_digit(number)}"


def _none(_rng: Random) -> str:
    return ""


COUNTRIES: tuple[Country, ...] = (
    Country("US", "United States", "USD", ("Inc", "LLC", "Corp"), (("Austin", "787"), ("Denver", "802"), ("Boston", "021")),
            ("Main Street", "Oak Avenue", "Market Street", "Lake Drive"), "##", "+1 ### 555 0###", _us),
    Country("GB", "United Kingdom", "GBP", ("Ltd", "Limited", "PLC"), (("Leeds", "LS"), ("Bristol", "BS"), ("Hull", "HU")),
            ("Mill Lane", "High Street", "Quay Street", "Station Road"), "# #@@", "+44 113 496 0###", _gb),
    Country("DE", "Germany", "EUR", ("GmbH", "AG", "UG"), (("Berlin", "10"), ("München", "80"), ("Köln", "50")),
            ("Hauptstraße", "Lindenweg", "Am Markt", "Schillerstraße"), "###", "+49 30 2345 ####", _de),
    Country("FR", "France", "EUR", ("SAS", "SARL", "SA"), (("Lyon", "69"), ("Paris", "75"), ("Nantes", "44")),
            ("rue de la Paix", "avenue Victor Hugo", "rue du Moulin"), "###", "+33 4 72 00 ## ##", _fr),
    Country("CH", "Switzerland", "CHF", ("AG", "GmbH", "SA"), (("Zürich", "80"), ("Basel", "40"), ("Genève", "12")),
            ("Bahnhofstrasse", "Seestrasse", "Rue du Lac"), "##", "+41 44 668 ## ##", _ch),
    Country("NO", "Norway", "NOK", ("AS", "ASA"), (("Oslo", "01"), ("Bergen", "50"), ("Tromsø", "90")),
            ("Storgata", "Kirkeveien", "Havnegata"), "##", "+47 22 00 ## ##", _no),
    Country("SE", "Sweden", "SEK", ("AB",), (("Malmö", "21"), ("Uppsala", "75")), ("Storgatan", "Kungsgatan"), "# ##",
            "+46 40 12 ## ##", _se),
    Country("IT", "Italy", "EUR", ("S.p.A.", "S.r.l."), (("Milano", "20"), ("Torino", "10")), ("Via Roma", "Corso Italia"),
            "###", "+39 02 1234 ####", _it),
    Country("BE", "Belgium", "EUR", ("NV", "BV"), (("Gent", "90"), ("Antwerpen", "20")), ("Kerkstraat", "Stationsstraat"),
            "##", "+32 9 123 ## ##", _be),
    Country("JP", "Japan", "JPY", ("KK",), (("Tokyo", "10"), ("Osaka", "53")), ("Chuo-dori", "Sakura-dori"), "#-####",
            "+81 3 1234 ####", _jp),
    Country("GR", "Greece", "EUR", ("AE", "EPE"), (("Athina", "10"), ("Patra", "26")), ("Ermou", "Stadiou"), "###",
            "+30 21 0123 ####", _gr),
    Country("KW", "Kuwait", "KWD", ("WLL", "KSC"), (("Kuwait City", "13"), ("Hawalli", "32")), ("Gulf Street", "Salem Street"),
            "###", "+965 2222 ####", _none),
)  # fmt: skip
_SHARES = (24, 16, 14, 9, 6, 6, 5, 5, 4, 4, 4, 3)

_FIRST = _words("company_first")
_SECOND = _words("company_second")
GIVEN = _words("given")
FAMILY = _words("family")


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer as it truly is."""

    id: int
    name: str
    form: str
    country: Country
    street: str
    city: str
    postcode: str
    phone: str
    domain: str
    tax_id: str
    status: str
    segment: str
    industry: str
    given: str
    family: str
    born: str  # only of customers who are people

    @property
    def is_person(self) -> bool:
        """Whether the customer is a person."""
        return bool(self.born)

    @property
    def legal_name(self) -> str:
        """The name with its legal form."""
        return f"{self.given} {self.family}" if self.is_person else f"{self.name} {self.form}".strip()

    @property
    def number(self) -> str:
        """The customer number of the ledger."""
        return f"C-{self.id:07d}"

    @property
    def email(self) -> str:
        """The address that invoices go to."""
        return f"{self.given}.{self.family}@{self.domain}".lower() if self.is_person else f"accounts@{self.domain}"


def draw(number: int, rng: Random) -> Customer:
    """Customer number so-and-so, from its own random stream."""
    country = rng.choices(COUNTRIES, _SHARES)[0]
    city, start = rng.choice(country.cities)
    first, second = rng.choice(_FIRST), rng.choice(_SECOND)
    third = f" {rng.choice(_FIRST)}" if rng.random() < 0.35 else ""
    person = rng.random() < 0.06
    given, family = rng.choice(GIVEN), rng.choice(FAMILY)
    name = f"{first}{third} {second}"
    slug = name.lower().replace(" ", "-" if rng.random() < 0.4 else "")
    return Customer(
        id=number,
        name=name,
        form=rng.choice(country.forms),
        country=country,
        street=_street(country, rng),
        city=city,
        postcode=start + filled(country.postcode, rng),
        phone=filled(country.phone, rng),
        domain="mail.example" if person else f"{slug}{number % 97 or ''}.example",
        tax_id="" if person else country.tax(rng),
        status=rng.choices(("active", "prospect", "churned", "suspended"), (78, 12, 8, 2))[0],
        segment=rng.choices(("small", "mid_market", "enterprise"), (60, 30, 10))[0],
        industry=second,
        given=given,
        family=family,
        born=f"{rng.randint(1950, 2004)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}" if person else "",
    )


def filled(pattern: str, rng: Random) -> str:
    """The pattern with its places filled: # a digit, @ a letter."""
    letters = "ABDEFGHJLNPQRSTUWXYZ"
    return "".join(str(rng.randint(0, 9)) if c == "#" else rng.choice(letters) if c == "@" else c for c in pattern)


def _street(country: Country, rng: Random) -> str:
    name, number = rng.choice(country.streets), rng.randint(1, 240)
    return f"{number} {name}" if country.code in ("US", "GB", "FR") else f"{name} {number}"
