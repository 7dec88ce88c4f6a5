"""Where customers are: for each country its cities, streets, phone numbers, money and legal forms."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

_LETTERS = "ABDEFGHJLNPQRSTUWXYZ"


@dataclass(frozen=True, slots=True)
class City:
    """A city with what its addresses and phone numbers start with."""

    name: str
    region: str
    postcode: str
    area: str


@dataclass(frozen=True, slots=True)
class Country:
    """What a customer of the country looks like on paper."""

    code: str
    name: str
    own_name: str
    currency: str
    share: int
    forms: tuple[str, ...]
    people: str  # the list of people's names
    script: str  # of company names that are not in Latin letters
    dial: str
    trunk: str  # what stands before a number that is dialled from within
    postcode: str  # what follows the city's part: # a digit, @ a letter
    phone: str
    vat_rate: int
    seller: str  # our company that sells there
    number_first: bool
    cities: tuple[City, ...]
    streets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address as it truly is."""

    street: str
    city: City
    postcode: str


def filled(pattern: str, rng: Random) -> str:
    """The pattern with its places filled: # a digit, @ a letter."""
    count = pattern.count("#")
    digits = iter(f"{rng.randrange(10**count):0{count}d}" if count else "")
    return "".join(next(digits) if c == "#" else rng.choice(_LETTERS) if c == "@" else c for c in pattern)


def address(country: Country, rng: Random) -> Address:
    """Some address in the country."""
    city, street, number = rng.choice(country.cities), rng.choice(country.streets), rng.randrange(1, 240)
    line = f"{number} {street}" if country.number_first else f"{street} {number}"
    return Address(line, city, city.postcode + filled(country.postcode, rng))


def phone(country: Country, city: City, rng: Random) -> tuple[str, str]:
    """A phone number of the city: as dialled from abroad, and from within the country."""
    rest = filled(country.phone, rng)
    local = f"{city.area} {rest}".strip()
    return f"+{country.dial} {local}", f"{country.trunk}{local}"


def country_named(code: str) -> Country:
    """The country of that code."""
    return _BY_CODE[code]


def _country(head: str, forms: str, numbers: str, cities: str, streets: str) -> Country:
    code, name, own_name, currency, share, people, script = (part.strip() for part in head.split("|"))
    dial, trunk, postcode, digits, vat_rate, seller = (part.strip() for part in numbers.split("|"))
    return Country(
        code, name, own_name, currency, int(share), tuple(forms.split("|")), people, script, dial, trunk, postcode, digits,
        int(vat_rate), seller, number_first=code in ("US", "GB", "FR", "IE", "AU"),
        cities=tuple(City(*(part.strip() for part in one.split(":"))) for one in cities.split("|")),
        streets=tuple(streets.split("|")),
    )  # fmt: skip


# head: code, name, own name, currency, share, people, script; numbers: dial, trunk, postcode, phone, VAT, seller;
# cities: name, region, start of the postcode, area code.
COUNTRIES: tuple[Country, ...] = (
    _country("US|United States|USA|USD|24|en|", "Inc|LLC|Corp|Co", "1||##|555 ####|0|1000",
             "Austin:TX:787:512|Denver:CO:802:303|Boston:MA:021:617|Seattle:WA:981:206|Chicago:IL:606:312|Atlanta:GA:303:404|Portland:OR:972:503|Columbus:OH:432:614",
             "Main Street|Oak Avenue|Market Street|Lake Drive|Washington Boulevard|Maple Road|2nd Avenue|Commerce Parkway"),
    _country("GB|United Kingdom|UK|GBP|14|en|", "Ltd|Limited|PLC|LLP", "44|0| #@@|### ####|20|3000",
             "Leeds::LS1:113|Bristol::BS8:117|Sheffield::S11:114|London::EC2:20 7|Manchester::M3:161|Glasgow::G2:141",
             "Mill Lane|High Street|Quay Street|Station Road|Church Road|Kings Avenue|Victoria Road"),
    _country("DE|Germany|Deutschland|EUR|12|de|", "GmbH|AG|GmbH & Co. KG|UG", "49|0|###|######|19|2000",
             "Berlin::10:30|München::80:89|Köln::50:221|Hamburg::20:40|Leipzig::04:341|Stuttgart::70:711",
             "Hauptstraße|Lindenweg|Am Markt|Schillerstraße|Bahnhofstraße|Goethestraße|Industriestraße"),
    _country("FR|France|France|EUR|8|fr|", "SAS|SARL|SA", "33|0|###|## ## ##|20|2000",
             "Lyon::69:4 72|Paris::75:1 42|Nantes::44:2 40|Lille::59:3 20|Toulouse::31:5 61",
             "rue de la Paix|avenue Victor Hugo|rue du Moulin|boulevard Gambetta|place de la République|rue Pasteur"),
    _country("CH|Switzerland|Schweiz|CHF|5|de|", "AG|GmbH|SA|Sàrl", "41|0|##|### ## ##|8|2000",
             "Zürich:ZH:80:44|Basel:BS:40:61|Genève:GE:12:22|Bern:BE:30:31",
             "Bahnhofstrasse|Seestrasse|Rue du Lac|Kirchgasse|Industriestrasse"),
    _country("AT|Austria|Österreich|EUR|3|de|", "GmbH|AG|KG", "43|0|##|######|20|2000",
             "Wien::10:1|Graz::80:316|Linz::40:732", "Landstraße|Ringstraße|Mariahilfer Straße|Wiener Straße"),
    _country("NL|Netherlands|Nederland|EUR|4|benelux|", "B.V.|N.V.", "31|0|## @@|### ####|21|2000",
             "Amsterdam::10:20|Rotterdam::30:10|Utrecht::35:30", "Kerkstraat|Dorpsstraat|Prinsengracht|Stationsweg"),
    _country("BE|Belgium|België|EUR|3|benelux|", "NV|BV", "32|0|##|### ## ##|21|2000",
             "Gent::90:9|Antwerpen::20:3|Leuven::30:16", "Kerkstraat|Stationsstraat|Molenstraat|Nieuwstraat"),
    _country("IT|Italy|Italia|EUR|4|south|", "S.p.A.|S.r.l.", "39||###|### ####|22|2000",
             "Milano:MI:20:02|Torino:TO:10:011|Bologna:BO:40:051|Roma:RM:00:06",
             "Via Roma|Corso Italia|Via Garibaldi|Via Dante|Piazza Mazzini"),
    _country("ES|Spain|España|EUR|4|south|", "S.L.|S.A.", "34||###|### ###|21|2000",
             "Madrid:M:28:913|Barcelona:B:08:932|Valencia:V:46:963|Sevilla:SE:41:954",
             "Calle Mayor|Gran Vía|Calle Real|Avenida de la Constitución|Paseo del Prado"),
    _country("PL|Poland|Polska|PLN|3|slavic|", "Sp. z o.o.|S.A.", "48||###|### ## ##|23|2000",
             "Warszawa::00-:22|Kraków::30-:12|Gdańsk::80-:58", "ul. Długa|ul. Polna|ul. Kościuszki|al. Jana Pawła II"),
    _country("NO|Norway|Norge|NOK|3|north|", "AS|ASA", "47||##|## ## ##|25|2000",
             "Oslo::01:22|Bergen::50:55|Tromsø::90:77", "Storgata|Kirkeveien|Havnegata|Skolegata"),
    _country("SE|Sweden|Sverige|SEK|3|north|", "AB", "46|0|# ##|### ## ##|25|2000",
             "Malmö::21:40|Uppsala::75:18|Göteborg::41:31", "Storgatan|Kungsgatan|Drottninggatan|Skolgatan"),
    _country("DK|Denmark|Danmark|DKK|2|north|", "A/S|ApS", "45||##|## ## ##|25|2000",
             "København::21:33|Aarhus::80:86|Odense::50:66", "Hovedgaden|Strandvejen|Vestergade|Nørregade"),
    _country("IE|Ireland|Éire|EUR|2|en|", "Ltd|DAC", "353|0| @#@#|### ####|23|3000",
             "Dublin::D02:1|Cork::T12:21|Galway::H91:91", "Main Street|Patrick Street|Bridge Street|Quay Road"),
    _country("GR|Greece|Ελλάδα|EUR|2|greek|el", "AE|EPE|IKE", "30||###|### ####|24|2000",
             "Athina::10:210|Thessaloniki::54:231|Patra::26:261", "Ermou|Stadiou|Tsimiski|Panepistimiou"),
    _country("BG|Bulgaria|Bulgaria|EUR|2|slavic|bg", "OOD|EOOD|AD", "359|0|##|### ####|20|2000",
             "Sofia::10:2|Plovdiv::40:32|Varna::90:52", "Vitosha Boulevard|Shipka Street|Tsar Ivan Asen II"),
    _country("JP|Japan|日本|JPY|3|asia|ja", "KK|GK", "81|0|-####|#### ####|10|4000",
             "Tokyo::100:3|Osaka::530:6|Kobe::650:78", "Chuo-dori|Sakura-dori|Meiji-dori|Honmachi"),
    _country("KW|Kuwait|Kuwait|KWD|2|gulf|ar", "WLL|KSC", "965||###|### ####|0|5000",
             "Kuwait City::13:2|Hawalli::32:2|Salmiya::22:2", "Gulf Street|Salem Street|Fahad Al-Salem Street"),
    _country("BH|Bahrain|Bahrain|BHD|1|gulf|ar", "WLL|BSC", "973||#|## ####|10|5000",
             "Manama::31:17|Muharraq::20:17", "Government Avenue|Exhibition Avenue|Palace Avenue"),
    _country("AU|Australia|Australia|AUD|2|en|", "Pty Ltd|Ltd", "61|0|##|#### ####|10|1000",
             "Sydney:NSW:20:2|Melbourne:VIC:30:3|Perth:WA:60:8", "George Street|Collins Street|Harbour Road|Railway Parade"),
)  # fmt: skip
SHARES: tuple[int, ...] = tuple(country.share for country in COUNTRIES)
_BY_CODE = {country.code: country for country in COUNTRIES}
