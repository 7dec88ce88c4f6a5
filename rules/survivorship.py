"""Which value of a field wins, and why the others lose: first rule that applies and finds a value.

A field's value is taken whole (an address, an amount with its currency). Doubtful values lose
against clean ones before any rule looks; what the hub itself published there does not count as
evidence at all (an echo). How a rule ranks is in `rules.strategies`. Nothing depends on the order in
which records came, and `rules.why` asks the same `decide` with other inputs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

import orjson

from canonical.ids import SourceKey
from canonical.record import Lost, Provenance, SourceRecord
from rules.document import Survivorship
from rules.ruleset import RuleSet
from rules.strategies import STRATEGIES, Asked, Candidate, Ranking, total


@dataclass(frozen=True, slots=True)
class Setting:
    """What is the same for every field of a cluster."""

    ruleset: RuleSet
    applicable: frozenset[str]
    now: datetime
    published: Mapping[SourceKey, Mapping[str, Any]]


class Outcome(StrEnum):
    """What became of a candidate."""

    WON = "won"
    AGREED = "agreed"  # says the same as the winner
    JOINED = "joined"  # its entries are in the list
    LOST = "lost"
    SET_ASIDE = "set aside"  # no rule looked at it: an echo, or doubtful


class Considered(NamedTuple):
    """A candidate, what became of it, and why."""

    candidate: Candidate
    outcome: Outcome
    reason: str


@dataclass(frozen=True, slots=True)
class Decided:
    """How one field was decided: the rule, its value, every candidate (the winner first), who was asked in vain."""

    value: Any
    rule: Survivorship
    owner: str | None
    candidates: tuple[Considered, ...]
    passed: tuple[str, ...]

    @property
    def step(self) -> str:
        """What the rule takes, in words."""
        return (STRATEGIES[self.rule.take].__doc__ or "").strip()

    @property
    def source(self) -> SourceKey:
        """The record that won."""
        return self.candidates[0].candidate.source

    @property
    def provenance(self) -> Provenance:
        """The decision as it is kept with the golden record."""
        winner = self.candidates[0].candidate
        lost = [Lost(one.candidate.source, one.reason) for one in self.candidates[1:]]
        if len(lost) > 1:
            lost.sort(key=_by_source)
        return Provenance(winner.source, self.rule.id, winner.asserted_at, tuple(lost))


def survive(members: Sequence[SourceRecord], setting: Setting) -> tuple[dict[str, Any], dict[str, Provenance]]:
    """The agreed values and where each comes from; only fields that some member speaks of."""
    found = decide_all(members, setting, setting.ruleset.order)
    values: dict[str, Any] = {}
    provenance: dict[str, Provenance] = {}
    for name in setting.ruleset.entity.fields:
        if name in found:
            values[name], provenance[name] = found[name].value, found[name].provenance
    return values, provenance


def decide_all(members: Sequence[SourceRecord], setting: Setting, names: Sequence[str]) -> dict[str, Decided]:
    """These fields, decided in this order; each must come after those that its rules look at."""
    found: dict[str, Decided] = {}
    winners: dict[str, SourceKey] = {}
    spoken = {name for member in members for name in member.values}
    for name in names:
        if name not in spoken:
            continue
        decided = _decide(members, name, setting, winners)
        if decided is not None:
            found[name], winners[name] = decided, decided.source
    return found


def _decide(
    members: Sequence[SourceRecord], name: str, setting: Setting, winners: Mapping[str, SourceKey]
) -> Decided | None:
    """The winner of the first rule that finds one. None when nobody speaks or nobody may win."""
    field = setting.ruleset.entity.fields[name]
    heard, aside = _heard(_spoken(members, name, setting), name, setting)
    owner = setting.ruleset.owner_of(name, setting.applicable, setting.now)
    passed: list[str] = []
    for rule in setting.ruleset.rules_for(name, setting.applicable):
        asked = Asked(rule, field, owner, winners, setting.now)
        plain = rule.null == "loses" and not rule.verified_only
        admitted = [c for c in heard if (c.value is not None if plain else _admitted(c, asked))]
        ranking = STRATEGIES[rule.take](admitted, asked) if admitted else None
        if ranking is not None and ranking.pool:
            ranked = _ranked(ranking)
            considered = _considered(heard, ranked, ranking, asked)
            return Decided(_value(rule, ranked), rule, owner, (*considered, *aside), tuple(passed))
        passed.append(rule.id)
    return None


def spoken_of(members: Sequence[SourceRecord], name: str, setting: Setting) -> list[Candidate]:
    """Who speaks of the field and is no echo of what the hub published."""
    spoken = _spoken(members, name, setting)
    return [c for c in spoken if not _echo(c, name, setting)] if setting.published else spoken


def _spoken(members: Sequence[SourceRecord], name: str, setting: Setting) -> list[Candidate]:
    """Who speaks of the field. A doubt sets a value behind others; where all say the same nobody need ask for it."""
    field = setting.ruleset.entity.fields[name]
    said = [(m, m.values[name]) for m in members if name in m.values]
    differ = any(value != said[0][1] for _, value in said)
    return [Candidate(m.key, value, m.asserted_at, differ and field.doubtful(value)) for m, value in said]


def _heard(spoken: list[Candidate], name: str, setting: Setting) -> tuple[list[Candidate], list[Considered]]:
    """Those whom the rules look at, and those whom they do not: echoes and doubtful values beside better ones."""
    echoes = [c for c in spoken if _echo(c, name, setting)] if setting.published else []
    own = spoken
    aside: list[Considered] = []
    if echoes and len(echoes) < len(spoken):
        own = [c for c in spoken if c not in echoes]
        aside = [Considered(c, Outcome.SET_ASIDE, "echo of what the hub published") for c in echoes]
    clean = [c for c in own if not c.doubtful]
    if not clean or len(clean) == len(own):
        return own, aside  # nobody is better
    aside += [Considered(c, Outcome.SET_ASIDE, "doubtful value") for c in own if c.doubtful]
    return clean, aside


def _admitted(candidate: Candidate, asked: Asked) -> bool:
    """Whether the rule lets the candidate take part: its word on nulls, and on what has findings."""
    rule = asked.rule
    if candidate.value is None:
        owners = rule.null == "clears_from_owner" and candidate.source.system == asked.owner
        return owners or rule.null == "wins"
    return not rule.verified_only or asked.field.read(candidate.value)[1] is None


def _ranked(ranking: Ranking) -> list[Candidate]:
    """The pool, best first."""
    if len(ranking.pool) == 1:
        return list(ranking.pool)
    measure = ranking.measure
    return sorted(ranking.pool, key=lambda c: (measure(c), *total(c)))


def _considered(heard: list[Candidate], ranked: list[Candidate], ranking: Ranking, asked: Asked) -> list[Considered]:
    """All candidates that the rule saw, the winner first, each with the reason of its place."""
    best = ranked[0]
    won = Considered(best, Outcome.WON, f"rule {asked.rule.id} takes {asked.rule.take}")
    if len(heard) == 1:
        return [won]
    found = [won, *(_beaten(c, best, ranking, asked) for c in ranked[1:])]
    if len(ranked) < len(heard):
        taking_part = {c.source for c in ranked}
        rest = sorted((c for c in heard if c.source not in taking_part), key=total)
        found += [_left_out(c, best, ranking, asked) for c in rest]
    return found


def _beaten(candidate: Candidate, best: Candidate, ranking: Ranking, asked: Asked) -> Considered:
    """One that took part and came after the winner."""
    if candidate.value is None:
        return Considered(candidate, Outcome.LOST, "says that it is empty")
    if candidate.value == best.value:
        return Considered(candidate, Outcome.AGREED, "says the same")
    if asked.rule.take == "union":
        return Considered(candidate, Outcome.JOINED, ranking.why(best))
    if ranking.measure(candidate) != ranking.measure(best):
        return Considered(candidate, Outcome.LOST, ranking.why(best))
    earlier = candidate.asserted_at < best.asserted_at
    return Considered(candidate, Outcome.LOST, "asserted earlier" if earlier else "asserted then too, later by key")


def _left_out(candidate: Candidate, best: Candidate, ranking: Ranking, asked: Asked) -> Considered:
    """One that the rule did not let take part, or did not look for."""
    if candidate.value is None:
        return Considered(candidate, Outcome.LOST, "says that it is empty")
    if candidate.value == best.value:
        return Considered(candidate, Outcome.AGREED, "says the same")
    return Considered(candidate, Outcome.LOST, ranking.why(best) if _admitted(candidate, asked) else "not verified")


def _value(rule: Survivorship, ranked: list[Candidate]) -> Any:
    if rule.take != "union":
        return ranked[0].value
    merged: dict[str, Any] = {}
    for candidate in ranked:
        for entry in candidate.value if isinstance(candidate.value, list) else [candidate.value]:
            if entry is not None:
                merged.setdefault(orjson.dumps(entry, option=orjson.OPT_SORT_KEYS).decode(), entry)
    return [merged[text] for text in sorted(merged)] or None


def _echo(candidate: Candidate, name: str, setting: Setting) -> bool:
    sent = setting.published.get(candidate.source)
    return sent is not None and name in sent and sent[name] == candidate.value


def _by_source(lost: Lost) -> SourceKey:
    return lost.source
