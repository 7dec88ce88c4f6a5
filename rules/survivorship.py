"""Which value of a field wins, and why the others lose: first rule that applies and finds a value.

A field's value is taken whole (an address, an amount with its currency). Doubtful values lose
against clean ones before any rule looks; what the hub itself published there does not count as
evidence at all (an echo). Every choice ends in the same total order: later asserted first, then
system and key. Nothing depends on the order in which records came.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from canonical.ids import SourceKey
from canonical.record import Lost, Provenance, SourceRecord
from rules.document import Survivorship
from rules.ruleset import RuleSet


@dataclass(frozen=True, slots=True)
class Candidate:
    """What one member says of one field."""

    source: SourceKey
    value: Any
    asserted_at: datetime
    doubtful: bool

    @property
    def text(self) -> str:
        """The value as text that equal values share."""
        return (
            self.value
            if isinstance(self.value, str)
            else orjson.dumps(self.value, option=orjson.OPT_SORT_KEYS).decode()
        )


@dataclass(frozen=True, slots=True)
class Setting:
    """What is the same for every field of a cluster."""

    ruleset: RuleSet
    applicable: frozenset[str]
    now: datetime
    published: Mapping[SourceKey, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class _Choice:
    """One rule asked about one field."""

    rule: Survivorship
    owner: str | None
    winners: Mapping[str, Provenance]  # of the fields decided before


Ranked = tuple[list[Candidate], str]  # best first (ties not yet broken by the total order), why the rest lose
Strategy = Callable[[Sequence[Candidate], _Choice], Ranked]


def survive(members: Sequence[SourceRecord], setting: Setting) -> tuple[dict[str, Any], dict[str, Provenance]]:
    """The agreed values and where each comes from; only fields that some member speaks of."""
    values: dict[str, Any] = {}
    provenance: dict[str, Provenance] = {}
    for name in setting.ruleset.entity.fields:
        candidates = _candidates(members, name, setting)
        if candidates:
            decided = _decide(candidates, name, setting, provenance)
            if decided is not None:
                values[name], provenance[name] = decided
    return values, provenance


def _candidates(members: Sequence[SourceRecord], name: str, setting: Setting) -> list[Candidate]:
    field = setting.ruleset.entity.fields[name]
    return [
        Candidate(m.key, m.values[name], m.asserted_at, field.doubtful(m.values[name]))
        for m in members
        if name in m.values
    ]


def _decide(
    candidates: list[Candidate], name: str, setting: Setting, winners: Mapping[str, Provenance]
) -> tuple[Any, Provenance] | None:
    """The winner of the first rule that finds one. None when nobody may win (all echoes or nulls that lose)."""
    lost: list[Lost] = []
    own = [c for c in candidates if not _echo(c, name, setting)]
    if own:
        lost += [Lost(c.source, "echo of what the hub published") for c in candidates if c not in own]
    own = own or candidates
    clean = [c for c in own if not c.doubtful]
    if clean:
        lost += [Lost(c.source, "doubtful value") for c in own if c.doubtful]
    owner = setting.ruleset.owner_of(name, setting.applicable, setting.now)
    for rule in setting.ruleset.rules_for(name, setting.applicable):
        field = [c for c in (clean or own) if c.value is not None or rule.null == "wins"]
        ranked, why = STRATEGIES[rule.take](field, _Choice(rule, owner, winners)) if field else ([], "")
        if ranked:
            beaten = [Lost(c.source, _loss(c, ranked, why)) for c in (clean or own) if c is not ranked[0]]
            return _value(rule, ranked), Provenance(
                ranked[0].source, rule.id, ranked[0].asserted_at, tuple(sorted((*beaten, *lost), key=_by_source))
            )
    return None


def _value(rule: Survivorship, ranked: list[Candidate]) -> Any:
    if rule.take != "union":
        return ranked[0].value
    merged: dict[str, Any] = {}
    for candidate in ranked:
        for entry in candidate.value if isinstance(candidate.value, list) else [candidate.value]:
            merged.setdefault(orjson.dumps(entry, option=orjson.OPT_SORT_KEYS).decode(), entry)
    return [merged[text] for text in sorted(merged)]


def _loss(candidate: Candidate, ranked: list[Candidate], why: str) -> str:
    if candidate.value is None:
        return "says that it is empty"
    return "says the same" if candidate.text == ranked[0].text else why


def _echo(candidate: Candidate, name: str, setting: Setting) -> bool:
    sent = setting.published.get(candidate.source)
    return sent is not None and name in sent and sent[name] == candidate.value


def _by_source(lost: Lost) -> SourceKey:
    return lost.source


def _total(candidate: Candidate) -> tuple[float, SourceKey]:
    return -candidate.asserted_at.timestamp(), candidate.source


def _owner(candidates: Sequence[Candidate], choice: _Choice) -> Ranked:
    """What the system of record says; nothing while it is silent."""
    own = sorted((c for c in candidates if c.source.system == choice.owner), key=_total)
    return own, f"{choice.owner} is the system of record"


def _source_rank(candidates: Sequence[Candidate], choice: _Choice) -> Ranked:
    """The system that stands first in the rule's rank; systems not named come last."""
    rank = {system: place for place, system in enumerate(choice.rule.rank)}
    best = sorted(candidates, key=lambda c: (rank.get(c.source.system, len(rank)), *_total(c)))
    return best, f"{best[0].source.system} ranks higher"


def _most_recent(candidates: Sequence[Candidate], _choice: _Choice) -> Ranked:
    """What was asserted last, by the source's own time."""
    return sorted(candidates, key=_total), "asserted earlier"


def _oldest(candidates: Sequence[Candidate], _choice: _Choice) -> Ranked:
    """What was asserted first."""
    return sorted(candidates, key=lambda c: (c.asserted_at, c.source)), "asserted later"


def _longest(candidates: Sequence[Candidate], _choice: _Choice) -> Ranked:
    """The longest text."""
    return sorted(candidates, key=lambda c: (-len(c.text), *_total(c))), "shorter"


def _most_complete(candidates: Sequence[Candidate], _choice: _Choice) -> Ranked:
    """The group or list with the most parts filled."""
    return sorted(
        candidates, key=lambda c: (-len(c.value) if isinstance(c.value, list | dict) else 0, *_total(c))
    ), "less complete"


def _most_frequent(candidates: Sequence[Candidate], _choice: _Choice) -> Ranked:
    """What most members say."""
    counts = Counter(c.text for c in candidates)
    return sorted(candidates, key=lambda c: (-counts[c.text], *_total(c))), "said by fewer"


def _same_source_as(candidates: Sequence[Candidate], choice: _Choice) -> Ranked:
    """From the record that won another field, so that the two stay together."""
    winner = choice.winners.get(choice.rule.of or "")
    own = [c for c in candidates if winner is not None and c.source == winner.source]
    return own, f"{choice.rule.of} came from elsewhere"


def _union(candidates: Sequence[Candidate], _choice: _Choice) -> Ranked:
    """All entries of all lists, each once."""
    return sorted(candidates, key=_total), "joined into the list"


STRATEGIES: dict[str, Strategy] = {
    "owner": _owner,
    "source_rank": _source_rank,
    "most_recent": _most_recent,
    "oldest": _oldest,
    "longest": _longest,
    "most_complete": _most_complete,
    "most_frequent": _most_frequent,
    "same_source_as": _same_source_as,
    "union": _union,
}
