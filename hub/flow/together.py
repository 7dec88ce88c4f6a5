"""Small deliveries that arrive at the same moment share a transaction.

One payload costs nearly as much to judge and to commit as twenty do. Whoever has the turn takes in what has gathered
while the one before was at it; nobody waits for company.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Condition

from hub.flow.ingest import Parcel, Report

MOST = 100  # deliveries of one transaction
Take = Callable[[list[Parcel]], list[Report]]


@dataclass(slots=True, eq=False)
class _Waiting:
    parcel: Parcel
    report: Report | None = None
    error: Exception | None = None

    @property
    def done(self) -> bool:
        """Whether it is known what became of it."""
        return self.report is not None or self.error is not None


class Together:
    """Takes deliveries in, from any number of threads."""

    def __init__(self, take: Take) -> None:
        """`take` takes all of some deliveries in, or raises and has taken in none."""
        self._take, self._gathered = take, list[_Waiting]()
        self._news, self._busy = Condition(), False

    def __call__(self, parcel: Parcel) -> Report:
        """What became of the delivery. Raises what it would raise alone: nobody fails for another's sake."""
        mine = _Waiting(parcel)
        with self._news:
            self._gathered.append(mine)
        while some := self._turn(mine):
            try:
                if not self._try(some):
                    for one in some:
                        self._try([one])
            finally:
                with self._news:
                    self._busy = False
                    self._news.notify_all()
        if mine.error is not None:
            raise mine.error
        assert mine.report is not None  # noqa: S101 (a turn is given until there is one of the two)
        return mine.report

    def _turn(self, mine: _Waiting) -> list[_Waiting]:
        """Those whom to take in now; nobody, once this one has been."""
        with self._news:
            self._news.wait_for(lambda: mine.done or not self._busy)
            if mine.done:
                return []
            self._busy = True
            some, self._gathered = self._gathered[:MOST], self._gathered[MOST:]
            return some

    def _try(self, some: list[_Waiting]) -> bool:
        """Whether they could be taken in together; one that cannot alone keeps the reason."""
        try:
            reports = self._take([one.parcel for one in some])
        except Exception as error:  # told to whom it belongs
            if len(some) == 1:
                some[0].error = error
            return len(some) == 1
        for one, report in zip(some, reports, strict=True):
            one.report = report
        return True
