"""Values that people type to get past a required field. The one list; keep it short and certain.

Compiled by hand; a source stands beside an entry that has one.
An entry here makes a value doubtful, so it must be one that nobody is really called: Null, Na, No and
Test are real family names and are not in the table of persons.
"""

from __future__ import annotations

# Words for "nothing", in the languages of the shipped rules; compared in lower case, bare of punctuation.
NOTHING = frozenset(
    "n/a n.a n/k na nil none null nul nan undefined unknown unkown unbekannt inconnu desconocido "
    "sconosciuto onbekend "
    "tbd tba tbc todo blank empty missing unspecified k.a xx xxx xxxx #n/a #null #ref (null) (none) "
    "(blank) <null>".split()
) | {
    "not available", "not applicable", "not provided", "not known", "not set", "no data", "no value",
    "to be determined", "keine angabe", "non renseigne", "sin datos",
}  # fmt: skip

# Real family names that read like "nothing": never doubted where a person is named.
REAL_NAMES = frozenset({"na", "nil", "none", "null", "nul", "nan"})

# Names given to records made while trying something out. "fnu"/"lnu": first/last name unknown, as written
# by the US Department of State on visas of people with a single name.
DUMMY_NAMES = frozenset(
    {
        "test", "testing", "test test", "test account", "test company", "test customer", "test user",
        "dummy", "dummy account",
        "sample", "sample company", "example", "example company", "asdf", "asdfasdf", "qwerty", "foo",
        "foo bar", "abc",
        "do not use", "delete me", "company", "customer", "acme test", "unknown company",
        "unknown customer", "no name", "noname",
    }
)  # fmt: skip
DUMMY_PERSONS = frozenset(
    {
        "john doe", "jane doe", "john q public", "first last", "firstname lastname", "first name",
        "last name", "firstname",
        "lastname", "test test", "test user", "test person", "max mustermann", "erika mustermann",
        "jean dupont test",
        "fnu", "lnu", "fnu lnu", "no name", "noname", "asdf", "qwerty", "dummy", "anonymous", "name unknown",
    }
)  # fmt: skip

# Both sides of a mail address must be one of these: test@test.com, a@a.com, none@noemail.com.
DUMMY_MAIL = frozenset(
    "a aa aaa abc asd asdf dummy email example fake foo bar mail na no nobody noemail nomail none noone null "
    "test testing user x xx xxx xyz unknown invalid domain placeholder".split()
)

# Large mail providers, whose domain says nothing about the company. Compiled by hand.
SHARED_MAIL_DOMAINS = frozenset(
    "gmail.com googlemail.com outlook.com hotmail.com hotmail.co.uk hotmail.fr live.com msn.com yahoo.com "
    "yahoo.co.uk "
    "yahoo.co.jp yahoo.fr yahoo.de ymail.com aol.com icloud.com me.com mac.com gmx.de gmx.net gmx.com "
    "gmx.at gmx.ch web.de "
    "t-online.de freenet.de mail.ru yandex.ru bk.ru list.ru qq.com 163.com 126.com sina.com naver.com "
    "daum.net proton.me "
    "protonmail.com zoho.com fastmail.com orange.fr wanadoo.fr free.fr laposte.net libero.it virgilio.it "
    "comcast.net "
    "verizon.net btinternet.com uol.com.br bol.com.br rediffmail.com".split()
)

# The zero days of software: SQL Server's and .NET's, Excel's, SAP's and Unix's, and the "never" of many.
DUMMY_DATES = frozenset(
    {
        "0001-01-01",
        "1111-11-11",
        "1753-01-01",
        "1899-12-30",
        "1899-12-31",
        "1900-01-01",
        "1970-01-01",
        "2999-12-31",
        "9999-12-31",
    }
)

_RUNS = ("01234567890123456789", "98765432109876543210")


def says_nothing(text: str) -> bool:
    """Whether the text is a word for "nothing", or only punctuation."""
    if len(text) > 24:
        return False
    bare = text.strip(" .-_*?!/\\,;:").lower()
    return not bare or bare in NOTHING


def is_dummy_number(text: str) -> bool:
    """Whether the digits of a number (five or more) are all the same, or run up or down: 00000, 123456789."""
    digits = "".join(c for c in text if c.isdigit())
    if len(digits) < 5:
        return False
    return len(set(digits)) == 1 or any(digits in run for run in _RUNS)


def is_dummy_mail(local: str, domain: str) -> bool:
    """Whether both sides of a mail address are made up."""
    return local in DUMMY_MAIL and domain.split(".")[0] in DUMMY_MAIL
