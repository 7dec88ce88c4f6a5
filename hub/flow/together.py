"""Small deliveries that arrive at the same moment share a transaction.

One payload costs nearly as much to judge and to commit as twenty do. Whoever has the turn takes in what has gathered
while the one before was at it; nobody waits for company.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from hub.flow.ingest import Parcel, Report

MOST = 100  # deliveries of one transaction
Take = Callable[[list[Parcel]], list[Report]]


@dataclass(slots=True, eq=False)
class _Waiting:
    parcel: Parcel
    report: Report | None = None
    error: Exception | None = None


class Together:
    """Takes deliveries in, from any number of threads."""

    def __init__(self, take: Take) -> None:
        """`take` takes all of some deliveries in, or raises and has taken in none."""
        self._take, self._gathered = take, list[_Waiting]()
        self._turn, self._mutex = Lock(), Lock()

    def __call__(self, parcel: Parcel) -> Report:
        """What became of the delivery. Raises what it would raise alone: nobody fails for another's sake."""
        mine = _Waiting(parcel)
        with self._mutex:
            self._gathered.append(mine)
        while mine.report is None and mine.error is None:
            with self._turn:
                if mine.report is None and mine.error is None:
                    self._serve()
        if mine.error is not None:
            raise mine.error
        assert mine.report is not None  # noqa: S101 (the loop ends with one of the two)
        return mine.report

    def _serve(self) -> None:
        """Take in the first of those that wait."""
        with self._mutex:
            some, self._gathered = self._gathered[:MOST], self._gathered[MOST:]
        if not self._try(some):
            for one in some:
                self._try([one])

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
