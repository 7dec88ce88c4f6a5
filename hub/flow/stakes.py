"""What a change of rules would do to money and closed books: sums by field and currency, who touches what is closed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from hub.store import books, plans
from hub.store.engine import Connection
from hub.store.verdicts import Verdict
from rules.judgement import Draft

Row = Mapping[str, Any]


@dataclass(slots=True)
class Stakes:
    """Money before and after, of the golden records whose amount changes, and records in closed books."""

    amounts: dict[tuple[str, str], list[Any]] = field(default_factory=dict)  # field, currency: records, before, after
    closed: list[dict[str, Any]] = field(default_factory=list)
    _through: dict[str, date] | None = None

    def add(self, connection: Connection, verdict: Verdict, stood: Mapping[str, Row]) -> None:
        """The changed golden records of one case."""
        moved = [(draft, stood[draft.id]) for draft in verdict.changed if draft.id in stood]
        for draft, row in moved:
            self._money(draft, row)
        if self._through is None:
            self._through = books.through(connection)
        if verdict.ruleset.document.period is not None and self._through:
            self.closed.extend(_closed(connection, verdict, moved, self._through))

    def _money(self, draft: Draft, row: Row) -> None:
        for name in row["values"].keys() | draft.values.keys():
            before, after = row["values"].get(name), draft.values.get(name)
            if before == after:
                continue
            for place, one in ((1, before), (2, after)):
                if isinstance(one, Mapping) and one.keys() == {"amount", "currency"}:
                    sums = self.amounts.setdefault((name, one["currency"]), [set(), Decimal(0), Decimal(0)])
                    sums[0].add(draft.id)
                    sums[place] += Decimal(one["amount"])

    def money(self) -> list[dict[str, Any]]:
        """One line a field and currency."""
        return [
            {"field": name, "currency": currency, "records": len(ids), "before": str(before), "after": str(after)}
            for (name, currency), (ids, before, after) in sorted(self.amounts.items())
        ]


def _closed(
    connection: Connection, verdict: Verdict, moved: Sequence[tuple[Draft, Row]], through: Mapping[str, date]
) -> Iterator[dict[str, Any]]:
    period = verdict.ruleset.document.period
    if period is None:
        return
    keepers = plans.parents(connection, [draft.id for draft, _ in moved]) if period.books else {}
    for draft, row in moved:
        days = sorted({str(day) for values in (row["values"], draft.values) if (day := values.get(period.date))})
        if books.touches(through, days, keepers.get(draft.id, {}).get(period.books or "")):
            yield {"golden": draft.id, "label": row["label"], "days": days, "wait_for": period.wait_for}
