"""From profiled columns to what is compared, in which families, and by which keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from rules.match import normal
from rules.match.columns import Column, Table, joined
from rules.match.evidence import MEASURES
from rules.match.profile import Profile
from rules.match.words import FREE_MAIL


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two records compared on one subject: the best agreement of any of its features counts."""

    name: str
    kind: str  # a measure of `evidence`, or "cosine"
    features: tuple[str, ...]
    subject: str = ""  # the kind of what a cosine compares


STREETS = 500  # distinct ones looked at for names of places in them
NUMBERED = 0.2  # share of rows that hold a model number, from which they are compared
WHOLE_ADDRESS, MODELS = "whole address", "model numbers"
SEARCHED = 60_000  # rows up to which similar texts are searched by words and letters
Group = tuple[str, ...]  # comparisons whose evidence is added
Alternative = tuple[Group, ...]  # groups that say the same thing twice: the strongest counts fully
Family = tuple[Alternative, ...]  # ways to look at one thing: the better one counts


@dataclass(slots=True)
class Plan:
    """Everything that is compared, and by which keys candidates are found."""

    features: dict[str, Column] = field(default_factory=dict)
    compare: list[Comparison] = field(default_factory=list)
    families: list[Family] = field(default_factory=list)
    strong: list[tuple[str, str]] = field(default_factory=list)  # feature, part
    weak: list[tuple[str, str]] = field(default_factory=list)
    text: Column | None = None  # everything in words, for the search of similar texts; the first name in large tables


@dataclass(frozen=True, slots=True)
class Settled:
    """What only a whole table tells, for those who see a part of it."""

    rows: int
    single: frozenset[str]  # columns in which all rows that speak say the same
    places: bool  # streets hold whole addresses
    models: bool  # many titles hold a model number
    day_first: Mapping[str, bool]  # of columns of dates


_ALONE = {  # kind: strong parts, weak parts
    "phone": (("last7",), ()), "identifier": (("whole",), ()), "date": ((), ("whole",)), "code": ((), ("whole",)),
    "year": ((), ("whole",)), "number": ((), ("whole",)), "coordinate": ((), ()), "label": ((), ("start4",)),
    "category": ((), ()),
}  # fmt: skip


def plan(table: Table, profiles: Mapping[str, Profile], *, alone: bool = False, settled: Settled | None = None) -> Plan:
    """What to compare in a table whose columns hold what the profiles say.

    With `alone` it depends on the profiles only, and nothing is compared that needs the whole table to be
    weighed: the same for two rows as for all. With `settled` the table is a part of one of which this is known.
    """
    made = Plan()
    kinds: dict[str, list[str]] = {}
    for name, one in profiles.items():
        kinds.setdefault(one.kind, []).append(name)
    for name, one in profiles.items():
        if one.kind in MEASURES:
            first = settled.day_first.get(name) if settled else None
            made.features[name] = formed(table.columns[name], MEASURES[one.kind].form, first)
    _people(made, kinds)
    _organisations(made, kinds)
    _places(made, kinds, None if alone else table, settled)
    if not alone:
        _texts(made, kinds, table, settled)
    for kind, (strong, weak) in _ALONE.items():
        for name in kinds.get(kind, ()):
            single = name in settled.single if settled else len(made.features[name].texts) < 2
            _alone(made, name, kind, strong, weak if alone or not single else ())
    made.text = None if alone else _whole_text(table, kinds, settled.rows if settled else len(table))
    return made


def formed(column: Column, form: str, day_first: bool | None = None) -> Column:
    """The column in the form in which it is compared."""
    if form == "date":
        return column.map(column.name, normal.dates(column.texts, day_first=day_first))
    return column.map(column.name, normal.FORMS[form](column.texts))


def _alone(made: Plan, name: str, kind: str, strong: Sequence[str], weak: Sequence[str]) -> None:
    made.compare.append(Comparison(name, kind, (name,)))
    made.families.append(((((name,)),),))
    made.strong += [(name, part) for part in strong]
    made.weak += [(name, part) for part in weak]


def _people(made: Plan, kinds: Mapping[str, list[str]]) -> None:
    parts: list[str] = []
    for kind in ("given_name", "family_name"):
        if kinds.get(kind):
            made.features[kind] = joined(kind, [made.features[n] for n in kinds[kind]])
            made.compare.append(Comparison(kind, kind, (kind,)))
            parts.append(kind)
            made.weak += [(kind, "sounds")] if kind == "family_name" else [(kind, "initial"), (kind, "whole")]
    wholes = list(kinds.get("person", ()))
    if len(parts) == 2:
        made.features["person"] = joined("person", [made.features[p] for p in parts])
        wholes.append("person")
    mails = _mails(made, kinds)
    alternatives: list[Alternative] = []
    if parts:
        alternatives.append((tuple(parts), *mails))
    if wholes:
        made.compare.append(Comparison("person's name", "person", tuple(wholes)))
        alternatives.append((("person's name",), *mails))
        made.strong += [(name, part) for name in wholes if name != "person" for part in ("tokens", "sounds")]
    if len(parts) == 2:
        made.strong.append(("person", "whole"))
    if alternatives or mails:
        made.families.append(tuple(alternatives) or (tuple(mails),))


def _mails(made: Plan, kinds: Mapping[str, list[str]]) -> list[Group]:
    found: list[Group] = []
    for name in kinds.get("email", ()):
        made.compare.append(Comparison(name, "email", (name,)))
        made.strong += [(name, "whole"), (name, "local")]
        found.append((name,))
    return found


def _organisations(made: Plan, kinds: Mapping[str, list[str]]) -> None:
    groups: list[Group] = []
    named = [("organisation", tuple(kinds.get("organisation", ())))] + [(n, (n,)) for n in kinds.get("name", ())]
    for name, features in named:
        if features:
            made.compare.append(Comparison(name, "organisation", features))
            made.strong += [(f, part) for f in features for part in ("tokens", "compact")]
            groups.append((name,))
    hosts = [*kinds.get("domain", ())]
    for mail in kinds.get("email", ()):
        column = made.features[mail]
        own = [t.rpartition("@")[2] if t.rpartition("@")[2] not in FREE_MAIL else "" for t in column.texts]
        made.features[f"host of {mail}"] = column.map(f"host of {mail}", own)
        hosts.append(f"host of {mail}")
    if hosts and (kinds.get("organisation") or kinds.get("domain")):
        made.compare.append(Comparison("domain", "domain", tuple(hosts)))
        made.strong += [(h, "whole") for h in hosts]
        groups.append(("domain",))
    if groups:
        made.families.append((tuple(groups),))


def _places(made: Plan, kinds: Mapping[str, list[str]], table: Table | None, settled: Settled | None) -> None:
    groups: list[Group] = []
    for kind in ("street", "city", "postcode", "region"):
        for name in kinds.get(kind, ()):
            made.compare.append(Comparison(name, kind, (name,)))
            groups.append((name,))
            if kind == "street":
                made.strong += [(name, "two-words"), (name, "numbered")]
            elif kind in ("postcode", "city"):
                made.weak.append((name, "whole"))
    every = [n for k in ("street", "address", "city", "postcode", "region") for n in kinds.get(k, ())]
    if table is not None and (kinds.get("address") or (settled.places if settled else _holds_places(made, kinds))):
        whole = joined(WHOLE_ADDRESS, [table.columns[n] for n in every])
        made.features[WHOLE_ADDRESS] = whole.map(WHOLE_ADDRESS, normal.street(whole.texts))
        made.compare.append(Comparison(WHOLE_ADDRESS, "cosine", (WHOLE_ADDRESS,), "address"))
        made.strong.append((WHOLE_ADDRESS, "numbered"))
        made.families.append((tuple(groups) or ((WHOLE_ADDRESS,),), ((WHOLE_ADDRESS,),)))
    elif groups:
        made.families.append((tuple(groups),))


def _holds_places(made: Plan, kinds: Mapping[str, list[str]]) -> bool:
    places = {t for n in kinds.get("city", ()) for t in made.features[n].texts}
    return holds_places([t for n in kinds.get("street", ()) for t in made.features[n].texts[:STREETS]], places)


def holds_places(streets: Sequence[str], places: AbstractSet[str]) -> bool:
    """Whether a tenth of the streets hold the name of a place too: whole addresses in the wrong field."""
    holding = sum(not places.isdisjoint(ends(t)) for t in streets)
    return holding > 0.1 * max(len(streets), 1)


def ends(text: str) -> list[str]:
    """What may be the name of a place in a street: words from the third on, up to three of them."""
    words = text.split()[2:]
    found = [" ".join(words[i:j]) for i in range(len(words)) for j in range(i + 1, min(i + 4, len(words) + 1))]
    return [end for end in found if len(end) > 3]


def _texts(made: Plan, kinds: Mapping[str, list[str]], table: Table, settled: Settled | None) -> None:
    names = [*kinds.get("title", ()), *kinds.get("text", ())]
    for name in names:
        made.features[name] = formed(table.columns[name], "words")
        made.compare.append(Comparison(name, "cosine", (name,), "title" if name in kinds.get("title", ()) else "text"))
        made.strong.append((name, "tokens"))
    if names:
        made.families.append((tuple((n,) for n in names),))
    if kinds.get("title"):
        column = models_of(table, names)
        if settled.models if settled else column.filled > NUMBERED:
            made.features[MODELS] = column
            made.compare.append(Comparison(MODELS, "models", (MODELS,)))
            made.families.append((((MODELS,),),))
            made.strong.append((MODELS, "tokens"))


def models_of(table: Table, names: Sequence[str]) -> Column:
    """The model numbers in the rows' titles and texts."""
    texts = joined(MODELS, [table.columns[n] for n in names])
    return texts.map(MODELS, normal.models(texts.texts))


def _whole_text(table: Table, kinds: Mapping[str, list[str]], rows: int) -> Column | None:
    order = ("organisation", "name", "person", "given_name", "family_name", "title", "street", "address", "city",
             "postcode", "email", "phone", "identifier", "date", "code", "label", "text")  # fmt: skip
    names = [n for kind in order for n in kinds.get(kind, ())]
    if not names:
        return None
    if rows > SEARCHED:
        return table.columns[names[0]].map("text", normal.folded(table.columns[names[0]].texts))
    whole = joined("text", [table.columns[n] for n in names])
    return whole.map("text", normal.folded(whole.texts))
