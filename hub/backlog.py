"""The queue of open questions: what is due when, what each holds up, and in which order to look at them.

The order has three reasons, which are said in words: what a target waits for first, then the money of the
customers or invoices concerned, then the time that is left. The open questions are read whole, without
what a page shows of each, so that the counts, the filters and the order are of all of them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from weakref import WeakKeyDictionary

from hub.hours import aged
from hub.store import queue
from hub.store.engine import Connection, Engine, reading

Row = Mapping[str, Any]
LEVELS = {  # how soon a question of each kind is to be answered
    "approval": timedelta(days=1),
    "value": timedelta(days=2),
    "match": timedelta(days=3),
    "finding": timedelta(days=5),
    "relation": timedelta(days=5),
    "lapsed": timedelta(days=5),
    "reconfirm": timedelta(days=7),
}
AGES = (("<1d", timedelta(days=1)), ("1-3d", timedelta(days=3)), ("3-7d", timedelta(days=7)), (">7d", timedelta.max))
_BUCKETS, _BOUNDS = [name for name, _ in AGES], [most for _, most in AGES[:-1]]
SORTS = ("priority", "oldest", "score")
WHOSE = ("mine", "nobody", "others")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which questions are wanted; empty means all."""

    entity: str = ""
    kind: str = ""
    age: str = ""
    who: str = ""
    blocks: str = ""
    asleep: bool = False
    text: str = ""
    sort: str = "priority"


@dataclass(slots=True)  # not frozen: thousands are made for each page, and that costs twice as much
class Question:
    """An open question with what decides its place in the queue."""

    id: str
    entity: str
    kind: str
    score: float | None
    opened_at: datetime
    due_at: datetime
    labels: tuple[str, ...]
    blocks: tuple[str, ...]  # targets that wait for it
    owed: tuple[str, ...]  # targets to which its records go with the next run
    money: Mapping[str, Decimal]
    holder: str | None
    snoozed_until: datetime | None

    def why(self, now: datetime) -> str:
        """Why it stands where it stands, in words."""
        said = [f"holds back {', '.join(self.blocks)}"] if self.blocks else []
        if self.owed and not self.blocks:
            said.append(f"goes with the next run to {', '.join(self.owed)}")
        said += [f"{amount:,.2f} {currency} open" for currency, amount in sorted(self.money.items())]
        late = self.due_at <= now
        said.append(f"overdue by {aged(now, self.due_at)}" if late else f"{aged(self.due_at, now)} left")
        return " · ".join(said)

    @property
    def rank(self) -> tuple[int, Decimal, datetime, str]:
        """What the order of the queue is made of."""
        waits = 0 if self.blocks else 1 if self.owed else 2
        return waits, -max(self.money.values(), default=Decimal()), self.due_at, self.id


@dataclass(frozen=True, slots=True)
class Backlog:
    """The wanted questions in order, and how many there are of each sort in all."""

    questions: Sequence[Question]
    open: int
    asleep: int
    blocking: int
    overdue: int
    mine: int
    kinds: Mapping[str, int]
    entities: Mapping[str, int]
    ages: Mapping[str, int]


def backlog(engine: Engine, wanted: Filter, me: str, now: datetime) -> Backlog:
    """The open questions as one person sees them now: four statements, however many there are."""
    with reading(engine) as connection:
        rows, (held, money) = queue.skeleton(connection), _standing(engine, connection)
    every = [_question(row, held, money, now) for row in rows]
    awake = [one for one in every if one.snoozed_until is None]
    shown = _wanted(every if wanted.asleep else awake, wanted, me, now)
    return Backlog(
        questions=_sorted(shown, wanted.sort),
        open=len(awake),
        asleep=len(every) - len(awake),
        blocking=sum(1 for one in awake if one.blocks),
        overdue=sum(1 for one in awake if one.due_at <= now),
        mine=sum(1 for one in awake if one.holder == me),
        kinds=Counter(one.kind for one in awake),
        entities=Counter(one.entity for one in awake),
        ages=Counter(age_of(one, now) for one in awake),
    )


def details(engine: Engine, ids: Sequence[str]) -> dict[str, Row]:
    """What a page shows of these questions: both sides, and what speaks for and against."""
    with reading(engine) as connection:
        return queue.details(connection, ids)


def age_of(one: Question, now: datetime) -> str:
    """The age of a question as a bucket."""
    return _BUCKETS[bisect_right(_BOUNDS, now - one.opened_at)]


def _standing(engine: Engine, connection: Connection) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """What is owed to targets and what customers owe, gathered again only where something has changed since."""
    mark = queue.mark(connection)
    kept = _KEPT.get(engine)
    if kept is None or kept[0] != mark:
        kept = _KEPT[engine] = (mark, (queue.owed(connection), queue.money(connection)))
    return kept[1]


_KEPT: WeakKeyDictionary[Engine, tuple[Any, tuple[Mapping[str, Any], Mapping[str, Any]]]] = WeakKeyDictionary()


def _question(row: Any, held: Mapping[str, Any], money: Mapping[str, Any], now: datetime) -> Question:
    id_, entity, kind, score, opened, left, left_label, right, right_label, holder, held_until, asleep = row
    sides = (left,) if right in (None, left) else (left, right)
    owed: dict[str, bool] = {}
    sums: dict[str, Decimal] = {}
    for side in sides:
        for target, waits in held.get(side, _NONE).items():
            owed[target] = owed.get(target, False) or waits
        for currency, amount in money.get(side, _NONE).items():
            sums[currency] = sums[currency] + amount if currency in sums else amount
    return Question(
        id_, entity, kind, score, opened, opened + LEVELS[kind],
        (left_label or "", right_label or ""), tuple(sorted(target for target in owed if owed[target])),
        tuple(sorted(owed)), sums, holder if held_until and held_until > now else None,
        asleep if asleep and asleep > now else None,
    )  # fmt: skip


_NONE: Mapping[str, Any] = {}


def _wanted(questions: Sequence[Question], wanted: Filter, me: str, now: datetime) -> Sequence[Question]:
    """Only what is asked for is looked at."""
    whose = {"mine": lambda one: one.holder == me, "nobody": lambda one: one.holder is None,
             "others": lambda one: one.holder not in (None, me)}  # fmt: skip
    text = wanted.text.casefold()
    tests: list[Callable[[Question], bool]] = []
    if wanted.entity:
        tests.append(lambda one: one.entity == wanted.entity)
    if wanted.kind:
        tests.append(lambda one: one.kind == wanted.kind)
    if wanted.age:
        tests.append(lambda one: age_of(one, now) == wanted.age)
    if wanted.blocks:
        tests.append(lambda one: bool(one.blocks))
    if wanted.who in whose:
        tests.append(whose[wanted.who])
    if text:
        tests.append(lambda one: any(text in label.casefold() for label in one.labels))
    for test in tests:
        questions = [one for one in questions if test(one)]
    return questions


def _sorted(questions: Sequence[Question], sort: str) -> list[Question]:
    if sort == "oldest":
        return sorted(questions, key=lambda one: (one.opened_at, one.id))
    if sort == "score":
        return sorted(questions, key=lambda one: (-(one.score or 0.0), one.id))
    return sorted(questions, key=lambda one: one.rank)
