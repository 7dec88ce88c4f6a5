"""Why a field has its value: every candidate with its fate, the rule that decided, and what would flip it.

Nothing here decides. Each answer, "what if" included, comes from running the code of judgement again on
changed inputs: a later day, one statement newer or older, one value not said or said otherwise, one rule
or override absent. So the answer cannot differ from what the judge does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Any

from canonical.ids import SourceKey
from canonical.record import Provenance, SourceRecord
from rules.case import Case
from rules.draft import Context, facts_about, overridden
from rules.forms import fields_of
from rules.ruleset import RuleSet
from rules.strategies import text_of
from rules.survivorship import Decided, Outcome, Setting, decide_all

STEWARD = "steward"
SECOND = timedelta(seconds=1)
HORIZON = 4096  # days that are looked ahead
MOST_VOICES = 8  # records whose time is moved
MOST_CHANGES = 40  # values that are tried in the place of others


@dataclass(frozen=True)
class Ruling:
    """What one golden record was judged by: a case of its live members alone, the rules, the time."""

    case: Case
    ruleset: RuleSet
    now: datetime
    known: bool  # the golden record stood before
    published: bool

    @cached_property
    def applicable(self) -> frozenset[str]:
        """The rules that applied."""
        return self.applicable_to(self.case.records)

    def applicable_to(self, members: Sequence[SourceRecord]) -> frozenset[str]:
        """The rules that apply when these are the members."""
        facts = facts_about(self.ruleset, members, known=self.known, published=self.published)
        return self.ruleset.applicable(facts)

    @cached_property
    def fields_of_facts(self) -> frozenset[str]:
        """The fields that conditions look at."""
        return frozenset(name for path in self.ruleset.document.facts.values() for name in fields_of(path))


@dataclass(frozen=True, slots=True)
class Change:
    """How the inputs of a ruling may differ."""

    said: Mapping[SourceKey, SourceRecord] = field(default_factory=dict)  # in place of what they say
    now: datetime | None = None
    without: str | None = None  # a rule
    lifted: str | None = None  # an override


class FlipKind(StrEnum):
    """What would have to be different."""

    WAIT = "wait"  # nothing but the day
    AGE = "age"  # when one statement was made
    OVERRIDE = "override"  # a steward's word
    VALUE = "value"  # what one or more records say
    RULE = "rule"  # one rule or ownership absent


@dataclass(frozen=True, slots=True)
class Flip:
    """A change of the inputs under which another value would stand, and that value (None: none)."""

    kind: FlipKind
    words: str
    value: Any
    change: Change
    days: float = 0.0


@dataclass(frozen=True, slots=True)
class Voice:
    """One who spoke of the field. A steward's override is a voice with its decision as key."""

    system: str
    key: str
    value: Any
    asserted_at: datetime
    outcome: Outcome
    reason: str


@dataclass(frozen=True, slots=True)
class Why:
    """The answer for one field. Candidates: the winner first, those whom no rule looked at last."""

    field: str
    value: Any
    rule: str
    step: str
    owner: str | None
    passed: tuple[str, ...]  # rules asked before in vain
    candidates: tuple[Voice, ...]
    flips: tuple[Flip, ...]
    provenance: Provenance

    @property
    def flip(self) -> Flip | None:
        """The smallest change: the fewest days; else one word taken back or changed; else one rule absent."""
        return self.flips[0] if self.flips else None


def explain(ruling: Ruling, name: str, *, flips: bool = True) -> Why | None:
    """Why the field has its value; None when nothing stands there. What would flip it takes the longest."""
    now = stands(ruling, name)
    if now is None:
        return None
    decided = now.decided
    override = now.provenance.source is None
    return Why(
        field=name,
        value=now.value,
        rule=now.provenance.rule,
        step="What a steward said, with a reason." if override or decided is None else decided.step,
        owner=decided.owner if decided else None,
        passed=decided.passed if decided and not override else (),
        candidates=_voices(ruling, name, now),
        flips=tuple(sorted(_flips(ruling, name, now), key=_smallest)) if flips else (),
        provenance=now.provenance,
    )


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands in a field, how the rules came to theirs, and where it is from after overrides."""

    value: Any
    decided: Decided | None
    provenance: Provenance

    @property
    def text(self) -> str:
        """The value as text that equal values share."""
        return text_of(self.value)


def stands(ruling: Ruling, name: str, change: Change | None = None) -> Standing | None:
    """What stands in the field, under a change of the inputs if one is given."""
    given = change or Change()
    now = given.now or ruling.now
    members = tuple(given.said.get(one.key, one) for one in ruling.case.records)
    looked_at = given.said and name in ruling.fields_of_facts
    applicable = ruling.applicable_to(members) if looked_at else ruling.applicable
    setting = Setting(ruling.ruleset, applicable - {given.without}, now, ruling.case.published)
    decided = decide_all(members, setting, ruling.ruleset.order_for(name)).get(name)
    if not ruling.case.overrides:
        return Standing(decided.value, decided, decided.provenance) if decided else None
    kept = tuple(one for one in ruling.case.overrides if one.id != given.lifted and one.field == name)
    context = Context(replace(ruling.case, records=members, overrides=kept), ruling.ruleset, now)
    values, provenance = overridden(
        context,
        sorted(one.key for one in members),
        {name: decided.value} if decided else {},
        {name: decided.provenance} if decided else {},
    )
    return Standing(values[name], decided, provenance[name]) if name in values else None


def _voices(ruling: Ruling, name: str, now: Standing) -> tuple[Voice, ...]:
    """Everybody who spoke, the winner first; a steward's word before all."""
    voices = [
        Voice(c.source.system, str(c.source), c.value, c.asserted_at, one.outcome, one.reason)
        for one in (now.decided.candidates if now.decided else ())
        for c in (one.candidate,)
    ]
    if now.provenance.source is not None:
        return tuple(voices)
    if voices:
        voices[0] = replace(voices[0], outcome=Outcome.LOST, reason="overridden by a steward")
    else:
        voices = [_unheard(one, one.values[name]) for one in ruling.case.records if name in one.values]
    decided_at = now.provenance.asserted_at or ruling.now
    reason = "a steward's word stands above the rules"
    return (Voice(STEWARD, now.provenance.rule, now.value, decided_at, Outcome.WON, reason), *voices)


def _unheard(record: SourceRecord, value: Any) -> Voice:
    """One whom no rule took, where only a steward's word stands."""
    reason = "says that it is empty" if value is None else "no rule took it"
    return Voice(record.key.system, str(record.key), value, record.asserted_at, Outcome.LOST, reason)


def _smallest(flip: Flip) -> tuple[int, float]:
    order = {FlipKind.WAIT: 0, FlipKind.AGE: 0, FlipKind.OVERRIDE: 1, FlipKind.VALUE: 1, FlipKind.RULE: 2}
    return order[flip.kind], flip.days


def _flips(ruling: Ruling, name: str, now: Standing) -> Iterator[Flip]:
    """At most one flip of each kind, the smallest of its kind."""
    for found in (
        _by_waiting(ruling, name, now),
        _by_age(ruling, name, now),
        _by_lifting(ruling, name, now),
        _by_value(ruling, name, now),
        _by_rule(ruling, name, now),
    ):
        if found is not None:
            yield found


def _flipped(ruling: Ruling, name: str, now: Standing, change: Change) -> bool:
    then = stands(ruling, name, change)
    return (then.text if then else None) != now.text


def _flip(ruling: Ruling, name: str, kind: FlipKind, words: str, change: Change) -> Flip:
    then = stands(ruling, name, change)
    return Flip(kind, words, then.value if then else None, change)


def _by_waiting(ruling: Ruling, name: str, now: Standing) -> Flip | None:
    """The first moment looked at, dates of ownership and ends of overrides among them, when another value stands."""
    dates = {datetime.combine(owner.since, time(), UTC) for owner in ruling.ruleset.document.ownership}
    ends = {override.until for override in ruling.case.overrides if override.until}
    powers = {ruling.now + timedelta(days=2**power) for power in range(HORIZON.bit_length())}
    last = ruling.now
    for moment in sorted(one for one in dates | ends | powers if one > ruling.now):
        if _flipped(ruling, name, now, Change(now=moment)):
            first = _first(last, moment, lambda at: _flipped(ruling, name, now, Change(now=at)))
            flip = _flip(ruling, name, FlipKind.WAIT, f"from {_when(first)} on, by itself", Change(now=first))
            return replace(flip, days=(first - ruling.now) / timedelta(days=1))
        last = moment
    return None


def _by_age(ruling: Ruling, name: str, now: Standing) -> Flip | None:
    """The one record that would have to have spoken the least later, or earlier, than it did."""
    times = [one.asserted_at for one in ruling.case.records]
    records = {one.key: one for one in ruling.case.records}
    least: tuple[timedelta, SourceRecord, datetime] | None = None
    for voice in now.decided.candidates[:MOST_VOICES] if now.decided else ():
        record = records[voice.candidate.source]
        for limit in (max(*times, ruling.now) + SECOND, min(times) - SECOND):
            found = _shifted(ruling, name, now, (record, limit if least is None else _nearer(record, limit, least[0])))
            if found is not None and (least is None or abs(found - record.asserted_at) < least[0]):
                least = abs(found - record.asserted_at), record, found
    if least is None:
        return None
    shift, record, at = least
    side = "at or after" if at >= record.asserted_at else "at or before"
    flip = _flip(ruling, name, FlipKind.AGE, f"had {record.key} asserted it {side} {_when(at)}", _at(record, at))
    return replace(flip, days=shift / timedelta(days=1))


def _shifted(ruling: Ruling, name: str, now: Standing, until: tuple[SourceRecord, datetime]) -> datetime | None:
    """The time nearest to its own at which the record, moved towards a limit, flips the field."""
    record, limit = until
    if not _flipped(ruling, name, now, _at(record, limit)):
        return None
    return _first(record.asserted_at, limit, lambda at: _flipped(ruling, name, now, _at(record, at)))


def _nearer(record: SourceRecord, limit: datetime, most: timedelta) -> datetime:
    """The limit, or what lies at most so far in its direction."""
    if abs(limit - record.asserted_at) <= most:
        return limit
    return record.asserted_at + (most if limit > record.asserted_at else -most)


def _by_lifting(ruling: Ruling, name: str, now: Standing) -> Flip | None:
    """Without the steward's override."""
    for override in ruling.case.overrides:
        change = Change(lifted=override.id)
        if override.field == name and _flipped(ruling, name, now, change):
            return _flip(ruling, name, FlipKind.OVERRIDE, f"without override {override.id}", change)
    return None


def _by_value(ruling: Ruling, name: str, now: Standing) -> Flip | None:
    """One record silent, or saying what another says; else all silent that say what stands."""
    voices = [one.candidate for one in now.decided.candidates] if now.decided else []
    spoken = {one.source: one.value for one in voices}
    others = {text_of(one.value): one for one in voices if one.value is not None}
    others.pop(now.text, None)
    records = {one.key: one for one in sorted(ruling.case.records, key=lambda one: (one.key not in spoken, one.key))}
    tried = 0
    for key in (*spoken, *(key for key in records if key not in spoken)):
        record = records[key]
        changes = [(f"were {key} silent", _without(record, name))] if key in spoken else []
        changes += [(f"had {key} said what {o.source} says", _saying(record, name, o.value)) for o in others.values()]
        for words, changed in changes:
            tried += 1
            if tried > MOST_CHANGES:
                break
            if _flipped(ruling, name, now, Change(said={key: changed})):
                return _flip(ruling, name, FlipKind.VALUE, words, Change(said={key: changed}))
    agreeing = [key for key, value in spoken.items() if text_of(value) == now.text]
    silent = Change(said={key: _without(records[key], name) for key in agreeing})
    if agreeing and _flipped(ruling, name, now, silent):
        return _flip(ruling, name, FlipKind.VALUE, f"were {', '.join(map(str, agreeing))} silent", silent)
    return None


def _by_rule(ruling: Ruling, name: str, now: Standing) -> Flip | None:
    """Without the rule that decided, or without one row of ownership, if a value stands then."""
    rows = [f"owner-{number + 1}" for number in range(len(ruling.ruleset.document.ownership))]
    for rule in (now.provenance.rule, *rows):
        then = stands(ruling, name, Change(without=rule))
        if then is not None and then.text != now.text:
            return _flip(ruling, name, FlipKind.RULE, f"without rule {rule}", Change(without=rule))
    return None


def _at(record: SourceRecord, at: datetime) -> Change:
    return Change(said={record.key: replace(record, asserted_at=at)})


def _without(record: SourceRecord, name: str) -> SourceRecord:
    return replace(record, values={other: value for other, value in record.values.items() if other != name})


def _saying(record: SourceRecord, name: str, value: Any) -> SourceRecord:
    return replace(record, values={**record.values, name: value})


def _first(start: datetime, end: datetime, flipped: Callable[[datetime], bool]) -> datetime:
    """The moment nearest to `start`, to the second, at which it flips; it does so at `end`."""
    near, far = 0, round(abs(end - start).total_seconds())
    sign = 1 if end >= start else -1
    while far - near > 1:
        middle = (near + far) // 2
        near, far = (near, middle) if flipped(start + sign * timedelta(seconds=middle)) else (middle, far)
    found = start + sign * timedelta(seconds=far)
    return found if flipped(found) else end


def _when(moment: datetime) -> str:
    return moment.isoformat(sep=" ", timespec="seconds")
