"""The types of values: each reads whatever a source sent into one normal form of JSON.

See `canonical/README.md` for the promise, and `reading` for how a reader objects or doubts.
"""

from canonical.values.contact import Domain, Email, Phone
from canonical.values.dates import Date, Period, Timestamp
from canonical.values.money import Currency, Money, currency_digits
from canonical.values.numbers import Integer, Number
from canonical.values.place import Address, Country, country_code
from canonical.values.reading import Group
from canonical.values.tax import Identifier, Identifiers, TaxId
from canonical.values.text import Boolean, Choice, Code, Name, Note, PersonName, Reference, Text

__all__ = [
    "Address",
    "Boolean",
    "Choice",
    "Code",
    "Country",
    "Currency",
    "Date",
    "Domain",
    "Email",
    "Group",
    "Identifier",
    "Identifiers",
    "Integer",
    "Money",
    "Name",
    "Note",
    "Number",
    "Period",
    "PersonName",
    "Phone",
    "Reference",
    "TaxId",
    "Text",
    "Timestamp",
    "country_code",
    "currency_digits",
]
