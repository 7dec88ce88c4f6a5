"""The strategies by which one value of a field wins: each a documented function and one line of a table.

A strategy looks at what may stand and says who takes part and how they are measured, the smallest
measure first; equal measures fall to the same total order everywhere: later asserted, then system and
key. It may also find nobody, and then the next rule is asked. `ORDERS` holds the comparators of
`first_by`, the one place where a way of our own to rank values is written. A null that a rule lets
speak counts as a statement: it may be the latest or the owner's, but it is never the longest or largest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

import orjson

from canonical.entity import Field
from canonical.ids import SourceKey
from rules.document import Survivorship

DAY = 86_400  # seconds


class Candidate(NamedTuple):
    """What one member says of one field."""

    source: SourceKey
    value: Any
    asserted_at: datetime
    doubtful: bool

    @property
    def text(self) -> str:
        """The value as text that equal values share."""
        return text_of(self.value)


class Asked(NamedTuple):
    """One rule asked about one field."""

    rule: Survivorship
    field: Field
    owner: str | None
    winners: Mapping[str, SourceKey]  # of the fields decided before
    now: datetime


class Ranking(NamedTuple):
    """Who takes part, the measure by which the smallest wins, and in words why the others lose."""

    pool: Sequence[Candidate]
    measure: Callable[[Candidate], Any]
    why: Callable[[Candidate], str]  # given the winner


Strategy = Callable[[Sequence[Candidate], Asked], Ranking]


def text_of(value: Any) -> str:
    """A value as text that equal values share."""
    return value if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def total(candidate: Candidate) -> tuple[float, SourceKey]:
    """The order in which every choice ends: later asserted first, then system and key."""
    return -candidate.asserted_at.timestamp(), candidate.source


@cache
def measured_as(field: Field) -> str | None:
    """What orders the field's values: "number", "money" or "time"; None when small and large mean nothing."""
    schema = field.schema
    for one in (schema, *schema.get("anyOf", ())):
        if one.get("type") == "integer" or one.get("format") == "decimal":
            return "number"
        if str(one.get("$ref", "")).endswith("/Money") or one.get("title") == "Money":
            return "money"
        if one.get("format") in ("date", "date-time"):
            return "time"
    return None


def _owner(candidates: Sequence[Candidate], asked: Asked) -> Ranking:
    """What the system of record says; nothing while it is silent."""
    own = [c for c in candidates if c.source.system == asked.owner]
    return Ranking(own, _equal, lambda _: f"{asked.owner} is the system of record")


def _source_rank(candidates: Sequence[Candidate], asked: Asked) -> Ranking:
    """The system that stands first in the rule's rank; systems not named come last."""
    rank = {system: place for place, system in enumerate(asked.rule.rank)}
    return Ranking(
        candidates, lambda c: rank.get(c.source.system, len(rank)), lambda best: f"{best.source.system} ranks higher"
    )


def _most_trusted(candidates: Sequence[Candidate], asked: Asked) -> Ranking:
    """The highest trust now: what the rule gives a system, halved with each half-life that the statement is old.

    The reason names no number: it would be another each day, and a value that stays would be a new version.
    """

    def trust(candidate: Candidate) -> float:
        given = asked.rule.trust.get(candidate.source.system)
        if given is None:
            return 0.0
        if given.half_life_days is None:
            return given.start
        days = max(0.0, (asked.now - candidate.asserted_at).total_seconds() / DAY)
        least = min(given.floor, given.start)
        decayed: float = least + (given.start - least) * 2.0 ** (-days / given.half_life_days)
        return round(decayed, 6)

    return Ranking(candidates, lambda c: -trust(c), lambda best: f"{best.source.system} is trusted more")


def _most_recent(candidates: Sequence[Candidate], _asked: Asked) -> Ranking:
    """What was asserted last, by the source's own time."""
    return Ranking(candidates, lambda c: -c.asserted_at.timestamp(), lambda _: "asserted earlier")


def _oldest(candidates: Sequence[Candidate], _asked: Asked) -> Ranking:
    """What was asserted first."""
    return Ranking(candidates, lambda c: c.asserted_at, lambda _: "asserted later")


def _longest(candidates: Sequence[Candidate], _asked: Asked) -> Ranking:
    """The longest text."""
    return Ranking(candidates, _by_value(lambda value: -len(text_of(value))), lambda _: "shorter")


def _most_complete(candidates: Sequence[Candidate], _asked: Asked) -> Ranking:
    """The group or list with the most parts filled."""
    parts = _by_value(lambda value: -len(value) if isinstance(value, list | dict) else 0)
    return Ranking(candidates, parts, lambda _: "less complete")


def _most_frequent(candidates: Sequence[Candidate], _asked: Asked) -> Ranking:
    """What most members say."""
    counts = Counter(c.text for c in candidates)
    return Ranking(candidates, lambda c: -counts[c.text], lambda _: "said by fewer")


def _min(candidates: Sequence[Candidate], asked: Asked) -> Ranking:
    """The smallest number or amount, the earliest time; nothing while amounts are in several currencies."""
    return Ranking(_comparable(candidates), _by_value(_size(asked.field)), lambda _: "larger")


def _max(candidates: Sequence[Candidate], asked: Asked) -> Ranking:
    """The largest number or amount, the latest time; nothing while amounts are in several currencies."""
    return Ranking(_comparable(candidates), _by_value(_size(asked.field), largest=True), lambda _: "smaller")


def _first_by(candidates: Sequence[Candidate], asked: Asked) -> Ranking:
    """What stands first in an order of `ORDERS`, named by the rule's `by`."""
    by = asked.rule.by or ""
    return Ranking(candidates, _by_value(lambda value: ORDERS[by](value, asked.rule)), lambda _: f"later by {by}")


def _same_source_as(candidates: Sequence[Candidate], asked: Asked) -> Ranking:
    """From the record that won another field, so that the two stay together."""
    winner = asked.winners.get(asked.rule.of or "")
    own = [c for c in candidates if c.source == winner]
    return Ranking(own, _equal, lambda _: f"{asked.rule.of} came from elsewhere")


def _union(candidates: Sequence[Candidate], _asked: Asked) -> Ranking:
    """All entries of all lists, each once."""
    return Ranking(candidates, _by_value(lambda _: 0), lambda _: "joined into the list")


def _written_naturally(value: Any, _rule: Survivorship) -> int:
    """Text in capital and small letters before text in one of them: Acorn Foods before ACORN FOODS."""
    text = text_of(value)
    return int(text.isupper() or text.islower())


def _most_words(value: Any, _rule: Survivorship) -> int:
    """The text with the most words: Jane Mary Doe before J Doe."""
    return -len(text_of(value).split())


def _most_accents(value: Any, _rule: Survivorship) -> int:
    """The text with the most letters beyond ASCII: Müller before Muller, which a system that has no ü wrote."""
    return -sum(character.isalpha() and not character.isascii() for character in text_of(value))


def _listed(value: Any, rule: Survivorship) -> int:
    """The value that stands first in the rule's `rank`; values not named come last."""
    text = text_of(value)
    return rule.rank.index(text) if text in rule.rank else len(rule.rank)


ORDERS: dict[str, Callable[[Any, Survivorship], int]] = {
    "listed": _listed,
    "most_accents": _most_accents,
    "most_words": _most_words,
    "written_naturally": _written_naturally,
}
STRATEGIES: dict[str, Strategy] = {
    "owner": _owner,
    "source_rank": _source_rank,
    "most_trusted": _most_trusted,
    "most_recent": _most_recent,
    "oldest": _oldest,
    "longest": _longest,
    "most_complete": _most_complete,
    "most_frequent": _most_frequent,
    "min": _min,
    "max": _max,
    "first_by": _first_by,
    "same_source_as": _same_source_as,
    "union": _union,
}
MAY_PASS = frozenset({"owner", "same_source_as", "min", "max"})  # find nobody at times; the others never do


def _equal(_candidate: Candidate) -> int:
    return 0


def _by_value(size: Callable[[Any], Any], *, largest: bool = False) -> Callable[[Candidate], Any]:
    """The measure of the value; a null comes last."""

    def measure(candidate: Candidate) -> Any:
        if candidate.value is None:
            return True, 0
        found = size(candidate.value)
        return False, _Reversed(found) if largest else found

    return measure


@dataclass(frozen=True, slots=True)
class _Reversed:
    """What sorts the other way round."""

    value: Any

    def __lt__(self, other: _Reversed) -> bool:
        return bool(other.value < self.value)


def _size(field: Field) -> Callable[[Any], Any]:
    kind = measured_as(field)
    if kind == "money":
        return lambda value: Decimal(value["amount"])
    return (lambda value: Decimal(str(value))) if kind == "number" else text_of


def _comparable(candidates: Sequence[Candidate]) -> Sequence[Candidate]:
    """Everybody, or nobody when amounts are in several currencies: there is no arithmetic across them."""
    currencies = {c.value.get("currency") for c in candidates if isinstance(c.value, dict)}
    return candidates if len(currencies) <= 1 else ()
