"""Tables of words that say the same thing: legal forms, titles, nicknames, abbreviations.

Legal forms follow the abbreviations of ISO 20275 (entity legal forms) in the languages that the shipped
rules know; street words those of USPS Publication 28, appendix C; nicknames are common English, German,
Spanish and Slavic diminutives; the business words are the usual abbreviations of registers and invoices.
"""

from __future__ import annotations

import re

LEGAL_FORMS = frozenset(
    """
    ab ag akg aktiengesellschaft ao aps as asa bv bvba co company companies corp corporation cv eg ek ev eood gbr gmbh mbh
    gesellschaft haftungsbeschraenkt haftungsbeschrankt hf hb inc incorporated kabushiki kaisha kft kg kgaa kk limited limitada
    ltda llc llp lp ltd ltee nv oao ao zao pao ooo jsc ojsc pjsc cjsc ohg oo ood oy oyj plc private pte pty public pvt sa sab
    sapi sarl sas sau se sl slu snc sp spa spolka spol sro srl sprl ug zoo zrt nyrt the and und et of de
    """.split()
) - {"of", "de", "public", "private"}
LEGAL_PHRASES = re.compile(
    r"\b(?:limited liability (?:company|partnership)|open joint stock company|closed joint stock company|public joint stock company"
    r"|joint stock company|public limited company|private limited|sociedad anonima|societe anonyme|naamloze vennootschap"
    r"|besloten vennootschap|societatea cu raspundere limitata|gesellschaft mit beschrankter haftung"
    r"|gesellschaft mit beschraenkter haftung|obshchestvo s ogranichenno[ijy] otvetstvennost[yi]u"
    r"|aktsionernoe obshchestvo|sp z o ?o|spolka z oo|sp zoo|s p a|s r l|b v b a|a s|n v|b v)\b"
)
TITLES = frozenset(
    """
    mr mrs ms miss dr doctor prof professor sir sr jr ii iii madam madame monsieur mme herr frau don dona lord lady rev hon
    shaikh sheikh shaykh sheik haji hajji mullah mawlawi maulavi president general col colonel capt captain esq phd md
    """.split()
)
BUSINESS_WORDS = {
    "accounting": "acctg", "associates": "assoc", "association": "assoc", "brothers": "bros", "center": "ctr", "centre": "ctr",
    "central": "ctrl", "chemical": "chem", "chemicals": "chem", "communications": "comm", "construction": "constr",
    "consult": "consulting", "consultants": "consulting", "development": "dev", "distribution": "distr", "division": "div",
    "electric": "elec", "electrical": "elec", "electronic": "electronics", "engineering": "eng", "enterprise": "ent",
    "enterprises": "ent", "foundation": "fdn", "government": "govt", "group": "grp", "gruppe": "grp", "groupe": "grp", "hospital": "hosp",
    "holding": "holdings", "industries": "ind", "industry": "ind", "institute": "inst", "insurance": "ins", "international": "intl",
    "internationale": "intl", "internatl": "intl", "laboratories": "labs", "laboratory": "labs", "management": "mgmt",
    "manufacturing": "mfg", "marketing": "mktg", "medical": "med", "national": "natl", "organisation": "org",
    "organization": "org", "partners": "ptnrs", "pharmaceutical": "pharma", "pharmaceuticals": "pharma", "products": "prod",
    "properties": "props", "property": "props", "research": "res", "saint": "st", "sciences": "sci", "service": "svcs", "services": "svcs",
    "solution": "soln", "solutions": "soln", "system": "sys", "systems": "sys", "technologies": "tech", "technology": "tech",
    "telecommunications": "telecom", "transport": "transp", "transportation": "transp", "university": "univ", "united": "utd",
    "first": "1", "1st": "1", "second": "2", "2nd": "2", "third": "3", "3rd": "3", "one": "1", "two": "2", "three": "3",
}  # fmt: skip
STREET_WORDS = {
    "street": "st", "str": "st", "strasse": "st", "road": "rd", "avenue": "ave", "av": "ave", "aven": "ave", "lane": "ln",
    "drive": "dr", "boulevard": "blvd", "blv": "blvd", "boul": "blvd", "place": "pl", "court": "ct", "square": "sq",
    "highway": "hwy", "parkway": "pkwy", "terrace": "ter", "trail": "trl", "circle": "cir", "plaza": "plz", "way": "wy",
    "crescent": "cres", "close": "cl", "gardens": "gdns", "heights": "hts", "mountain": "mtn", "mount": "mt", "fort": "ft",
    "north": "n", "south": "s", "east": "e", "west": "w", "northeast": "ne", "northwest": "nw", "southeast": "se",
    "southwest": "sw", "suite": "ste", "apartment": "apt", "building": "bldg", "floor": "fl", "room": "rm", "saint": "st",
    "first": "1st", "second": "2nd", "third": "3rd", "fourth": "4th", "fifth": "5th", "sixth": "6th", "seventh": "7th",
    "eighth": "8th", "ninth": "9th", "tenth": "10th",
}  # fmt: skip
NUMERALS = {
    "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9", "ten": "10",
}  # fmt: skip
_NICKNAMES = """
robert bob rob bobby robbie bert; william bill will billy willy liam; richard rick dick rich ricky; james jim jimmy jamie jem;
john jack johnny jon jonathan; michael mike mick mickey micky; thomas tom tommy; christopher chris kit; daniel dan danny;
matthew matt; anthony tony; joseph joe joey; charles charlie chuck chas; steven steve stephen stevie; edward ed eddie ted ned teddy;
kenneth ken kenny; timothy tim; jeffrey jeff geoff geoffrey; benjamin ben benny; samuel sam sammy; gregory greg; alexander alex alec sandy sasha;
nicholas nick nicky; andrew andy drew; patrick pat paddy; elizabeth liz beth betty eliza lizzie betsy bess libby; jennifer jen jenny;
katherine kate kathy catherine cathy katie kathryn kay; margaret maggie peggy meg peg peggie marge; patricia pat patty tricia trish;
jessica jess jessie; rebecca becky becca; deborah deb debbie; susan sue susie suzy susanne suzanne; barbara barb; christine christina chris tina chrissy;
kimberly kim; amanda mandy; stephanie steph; cynthia cindy; victoria vicky vicki tori; samantha sam; alexandra alex sandra sasha; nicole nicky; pamela pam;
lawrence larry laurence; frederick fred freddy; henry harry hank; francis frank frankie; philip phil phillip; ronald ron ronnie; donald don donny;
douglas doug; raymond ray; gerald gerry jerry; leonard len leo lenny; theodore theo ted; peter pete; walter walt wally; vincent vince vinny;
arthur art; albert al bert; alfred al alfie; david dave davey; dennis denny; eugene gene; harold hal harry; howard howie; louis lou louie luis;
martin marty; maurice morris morrie; nathaniel nathan nate; oliver ollie; stanley stan; zachary zach zack; dorothy dot dottie dolly; eleanor ellie nell nora ella;
florence flo; frances fran fanny; helen nell ellen; isabella bella izzy isabel; josephine jo josie; judith judy; julia julie; laura laurie;
martha marty patty; mary molly polly marie maria; nancy ann; rosemary rose rosie; sarah sally sadie; teresa theresa terry tess tessa; virginia ginny; abigail abby gail;
anastasia nastassia nastasia ana; johannes hans johann; joachim achim; friedrich fritz; wilhelm willi; heinrich heinz; francisco paco pancho; jose pepe; ignacio nacho;
guadalupe lupe; vladimir volodymyr vova; dmitri dima dmitry; mikhail misha; nikolai kolya nikolay; yevgeny evgeny eugene; mohammed mohamed muhammad mohammad muhammed mohamad mhd mohd muhammed;
ahmed ahmad; hussein husayn hussain husein; hasan hassan; yusuf youssef yousef; joan joanna jo; caroline carol carrie; charlotte lottie; gabriel gabe; gabrielle gabby;
jacob jake; joshua josh; lucas luke; madeline maddie; natalie nat; olivia liv livvy; penelope penny; phoebe fee; valerie val; wendy wen; yvonne eve
"""
NICKNAMES: dict[str, frozenset[int]] = {}  # name: the groups that it is in
CALLED: dict[str, str] = {}  # name: the first name of its first group
for _number, _group in enumerate(_NICKNAMES.replace("\n", " ").split(";")):
    for _name in _group.split():
        NICKNAMES[_name] = NICKNAMES.get(_name, frozenset()) | {_number}
        CALLED.setdefault(_name, _group.split()[0])
FREE_MAIL = frozenset(
    """
    gmail.com googlemail.com outlook.com hotmail.com live.com msn.com yahoo.com ymail.com icloud.com me.com mac.com aol.com
    gmx.de gmx.net gmx.com web.de t-online.de freenet.de proton.me protonmail.com mail.com mail.ru yandex.ru qq.com 163.com
    orange.fr free.fr laposte.net wanadoo.fr libero.it btinternet.com sky.com comcast.net verizon.net att.net
    """.split()
)
ROLES = frozenset(
    """
    info office mail email contact contacts hello sales support service help helpdesk billing invoice invoices accounts accounting
    accountspayable ap finance payments orders order purchasing procurement admin administrator webmaster postmaster hostmaster
    noreply no-reply donotreply marketing press media jobs hr careers legal reception team enquiries inquiries buchhaltung rechnung
    rechnungen kontakt einkauf vertrieb post zentrale compta contabilidad administracion facturacion
    """.split()
)  # the part before the @ that names a desk and not a person (RFC 2142 and usual practice)
