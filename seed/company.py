"""A customer as it truly is. What the systems say of it is another matter."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from seed import names, places, taxes
from seed.names import CompanyName, Person
from seed.places import COUNTRIES, SHARES, Address, Country

_OWN_FORMS = {"el": " ΑΕ", "bg": " ООД", "ar": " ذ.م.م"}
_INDUSTRIES = (
    "Manufacturing", "Retail", "Logistics", "Software", "Healthcare", "Finance", "Education", "Energy", "Media", "Hospitality",
    "Construction", "Food", "Professional Services",
)  # fmt: skip
_PEOPLE_SHARE = 0.05
_MOVED_SHARE = 0.07


@dataclass(frozen=True, slots=True)
class Company:
    """A customer: a company, or a person when `born` says on which day."""

    id: int
    name: CompanyName
    form: str
    country: Country
    address: Address
    old_address: Address | None  # where some systems still believe it to be
    phone: str  # as dialled from abroad
    local_phone: str
    domain: str  # nothing for people, who have their mail at a provider
    email: str
    tax_id: str
    status: str
    segment: str
    industry: str
    person: Person
    born: str

    @property
    def is_person(self) -> bool:
        """Whether the customer is a person."""
        return bool(self.born)

    @property
    def legal_name(self) -> str:
        """The name with its legal form, in Latin letters."""
        return self.person.full if self.is_person else f"{self.name.latin} {self.form}".strip()

    @property
    def own_name(self) -> str:
        """The name with its legal form, in the script of its country."""
        if not self.name.own:
            return self.legal_name
        script = self.country.script
        return f"株式会社{self.name.own}" if script == "ja" else self.name.own + _OWN_FORMS[script]

    @property
    def number(self) -> str:
        """The customer number that the ledger gives and other systems may carry."""
        return f"C-{self.id:07d}"

    @property
    def thing(self) -> str:
        """What the truth calls it."""
        return f"customer-{self.id}"


def draw(number: int, rng: Random, *, offset: int = 0) -> Company:
    """Customer number so-and-so, from its own random stream. `offset` gives other names to the same numbers."""
    country = rng.choices(COUNTRIES, SHARES)[0]
    someone = names.person(country, rng)
    is_person = rng.random() < _PEOPLE_SHARE
    name = CompanyName(someone.full) if is_person else names.company_name(number + offset, country, rng)
    return assemble(number, name, country, rng, someone=someone, is_person=is_person)


def assemble(
    number: int,
    name: CompanyName,
    country: Country,
    rng: Random,
    *,
    someone: Person | None = None,
    is_person: bool = False,
) -> Company:
    """A customer of that name and country, the rest drawn."""
    someone = someone or names.person(country, rng)
    address = places.address(country, rng)
    phone, local_phone = places.phone(country, address.city, rng)
    domain = "" if is_person else _domain(number, name, rng)
    return Company(
        id=number,
        name=name,
        form="" if is_person else rng.choice(country.forms),
        country=country,
        address=address,
        old_address=places.address(country, rng) if rng.random() < _MOVED_SHARE else None,
        phone=phone,
        local_phone=local_phone,
        domain=domain,
        email=f"{someone.mailbox}{number % 9973}@webmail.example"
        if is_person
        else f"{rng.choice(_MAILBOXES)}@{domain}",
        tax_id="" if is_person else taxes.tax_number(country.code, rng),
        status=rng.choices(_STATUSES, (78, 12, 8, 2))[0],
        segment=rng.choices(("small", "mid_market", "enterprise"), (60, 30, 10))[0],
        industry=rng.choice(_INDUSTRIES),
        person=someone,
        born=f"{rng.randrange(1950, 2005)}-{rng.randrange(1, 13):02d}-{rng.randrange(1, 29):02d}" if is_person else "",
    )


_MAILBOXES = ("accounts", "billing", "finance", "ap", "invoices", "office")
_STATUSES = ("active", "prospect", "churned", "suspended")


def _domain(number: int, name: CompanyName, rng: Random) -> str:
    words = names.slug(name.latin)
    host = words if rng.random() < 0.4 else words.replace("-", "")
    return f"{host}{number % 997 if name.own else ''}.example"
