"""Who read what is kept for so long and no longer, on both stores; the chain holds, and shows what was emptied unseen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from hub.settings import Settings
from hub.store import audit, schedules, shown
from hub.store.audit import EMPTIED, Act
from hub.store.engine import reading, writing
from hub.store.tables import audit as entries
from hub.wiring import Hub
from hub.worker import run_now
from tests.conftest import FixedClock

DAYS = 30


@pytest.fixture
def kept(hub: Hub, clock: FixedClock) -> Iterator[Hub]:
    """A hub that keeps reads for thirty days, with reads and acts of three months."""
    made = Hub(Settings(dir=hub.settings.dir, database_url=hub.settings.database_url, read_audit_days=DAYS), clock)
    made.prepare()
    for month in range(3):
        for n in range(2):
            shown.note(made.beside, Act("ada", "read", f"Mine {month}.{n}", {"ids": ["acc_1"]}), clock())
        shown.seal(made.engine, made.beside)
        with writing(made.engine) as connection:
            audit.append(connection, Act("ben", "approve", f"plan {month}", {}), clock())
        clock.move(days=31)
    yield made
    made.engine.dispose()


def log(hub: Hub) -> list[Any]:
    with reading(hub.engine) as connection:
        return list(connection.execute(sa.select(entries).order_by(entries.c.id)))


def broken(hub: Hub) -> int | None:
    with reading(hub.engine) as connection:
        return audit.verify(connection)


def test_reads_are_forgotten_after_their_time_and_the_chain_holds(kept: Hub, clock: FixedClock) -> None:
    clock.move(days=-20)  # the last two are younger than thirty days
    before = {row.id: row.hash for row in log(kept)}
    assert run_now(kept, "retention") == "done: 4 entries forgotten"
    assert broken(kept) is None
    emptied = [row for row in log(kept) if row.action == EMPTIED]
    assert len(emptied) == 4
    assert not any("ada" in str(tuple(row)) or "acc_1" in str(tuple(row)) for row in emptied)
    assert all(row.hash == before[row.id] for row in emptied)
    assert [row.subject for row in log(kept) if row.action == "read"] == ["Mine 2.0", "Mine 2.1"]
    assert sum(row.action == "approve" for row in log(kept)) == 3, "what somebody did is kept"
    clock.move(days=31)
    assert run_now(kept, "retention") == "done: 2 entries forgotten"
    assert broken(kept) is None


@pytest.mark.parametrize(
    ("which", "change"),
    [
        ("approve", {"actor": "", "action": EMPTIED, "subject": "", "detail": {"anchor": 99}}),  # emptied unseen
        ("approve", {"actor": "", "action": EMPTIED, "subject": "", "detail": {"anchor": 10}}),  # put under the anchor
        (EMPTIED, {"action": "read"}),
        (EMPTIED, {"detail": {"anchor": 99}}),
        (EMPTIED, {"subject": "something else"}),
        (EMPTIED, {"hash": b"x" * 32}),
        ("forget reads", {"detail": {"count": 0, "digest": ""}}),
    ],
)  # fmt: skip
def test_what_was_emptied_or_changed_by_hand_shows(kept: Hub, which: str, change: dict[str, Any]) -> None:
    run_now(kept, "retention")
    assert broken(kept) is None
    first = next(row.id for row in log(kept) if row.action == which)
    with writing(kept.engine) as connection:
        connection.execute(sa.update(entries).where(entries.c.id == first).values(**change))
    assert broken(kept) is not None


def test_hub_without_an_age_keeps_everything(hub: Hub) -> None:
    with reading(hub.engine) as connection:
        assert "retention" not in {row["id"] for row in schedules.every(connection)}
