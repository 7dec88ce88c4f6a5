"""The queue: what stands first and why, what is filtered, what is counted."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner

from hub import queries
from hub.backlog import Backlog, Filter, backlog
from hub.cli import looking
from hub.comparing import comparison
from hub.store.access import Principal
from hub.wiring import Hub
from tests.worlds import account, deliver, enforce, golden_of, invoice

MIA = Principal("mia", "steward")
APPROVAL = [
    {"id": "eyes", "wait_for": "approver", "when": {"target": "erp"}, "why": "Somebody looks before it leaves."}
]


@pytest.fixture
def full(hub: Hub) -> Hub:
    """Three questions about accounts, one of which has an open invoice."""
    deliver(hub, [
        account("crm", f"{tree}{n}", name=f"{tree} Trading {form}")
        for tree in ("Walnut", "Hazel", "Rowan") for n, form in enumerate(("Ltd", "Limited"))
    ])  # fmt: skip
    owed = {"currency": "GBP", "net": "84120", "gross": "84120"}
    deliver(hub, [
        invoice("crm", "w1", number="W-1", status="open", account="Hazel0", **owed),
        invoice("crm", "w2", number="W-2", status="paid", account="Rowan0", **owed),
    ])  # fmt: skip
    return hub


def seen(hub: Hub, **wanted: Any) -> Backlog:
    return backlog(hub.engine, Filter(**wanted), "mia", hub.clock())


def names(found: Backlog) -> list[str]:
    return [one.labels[0].split()[0] for one in found.questions]


def test_question_with_open_money_stands_first_and_says_so(full: Hub) -> None:
    found = seen(full)
    assert names(found)[0] == "Hazel"
    assert found.questions[0].why(full.clock()).endswith("84,120.00 GBP open · 3 d left")
    assert (found.open, found.overdue, found.mine) == (3, 0, 0)


def test_money_moves_with_what_has_changed_since(full: Hub) -> None:
    seen(full)
    paid = {"currency": "GBP", "net": "84120", "gross": "84120", "status": "paid"}
    late = {"currency": "GBP", "net": "90", "gross": "90", "status": "open"}
    deliver(full, [
        invoice("crm", "w1", number="W-1", account="Hazel0", **paid) | {"at": "2026-02-01T00:00:00Z"},
        invoice("crm", "w3", number="W-3", account="Walnut0", **late),
    ])  # fmt: skip
    assert names(seen(full))[0] == "Walnut"


def test_question_that_holds_something_back_stands_before_money(hub: Hub) -> None:
    enforce(hub, "account", {"approval": APPROVAL})
    deliver(hub, [account("crm", f"b{n}", name=f"Birch Brewing {form}") for n, form in enumerate(("Ltd", "Limited"))])
    (one,) = seen(hub).questions
    assert one.blocks == ("erp",)
    assert one.why(hub.clock()).startswith("holds back erp")
    assert seen(hub, blocks="1").blocking == 1
    approver = hub.desk(Principal("ada", "approver"))
    for number in (0, 1):
        approver.approve(golden_of(hub, f"crm:account:b{number}")["id"], "erp", 1, "looked at it")
    (one,) = seen(hub).questions
    assert (one.blocks, one.owed) == ((), ("erp",))
    assert one.why(hub.clock()).startswith("goes with the next run to erp")


def test_queue_is_filtered_by_age_holder_sleep_and_text(full: Hub, clock: Any) -> None:
    first = str(seen(full, text="walnut").questions[0].id)
    full.attending(MIA).claim(first)
    assert names(seen(full, who="mine")) == ["Walnut"]
    assert len(seen(full, who="nobody").questions) == 2
    assert seen(full, who="others").questions == []
    clock.move(days=4)
    assert (seen(full).overdue, len(seen(full, age="3-7d").questions), seen(full, age="<1d").questions) == (3, 3, [])
    full.attending(MIA).snooze(first, full.clock() + timedelta(days=1))
    assert (seen(full).open, seen(full).asleep, len(seen(full, asleep=True).questions)) == (2, 1, 3)
    assert seen(full, entity="invoice").questions == []
    assert len(seen(full, kind="match", sort="oldest").questions) == 2


def test_comparison_says_what_would_become_and_writes_nothing(full: Hub) -> None:
    one = seen(full, text="hazel").questions[0]
    before = queries.overview(full.engine)
    found = comparison(full.engine, full.rulesets, one.id, full.clock())
    line = next(line for line in found.lines if line.name == "legal_name")
    assert {line.left, line.right} == {"Hazel Trading Ltd", "Hazel Trading Limited"}
    assert line.after in (line.left, line.right)
    assert (line.kind, bool(line.rule), len(line.losers)) == ("differ", True, 1)
    assert found.money == {"GBP": 84120}
    assert queries.overview(full.engine) == before
    full.desk(MIA).answer(one.id, "same", "sure", seen=found.mark)
    again = comparison(full.engine, full.rulesets, one.id, full.clock())
    assert (again.joined, again.impact) == (True, [])
    after = {line.name: line.after for line in found.lines}
    assert {name: again.sides[0]["values"].get(name) for name in after} == after


COMMANDS = {"next": looking.following, "stats": looking.stats}


def said(hub: Hub, *words: str) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(looking, "open_hub", lambda _directory: hub)
        found = CliRunner().invoke(COMMANDS[words[0]], words[1:], catch_exceptions=False)
    assert found.exit_code == 0, found.output
    return found


def test_review_next_shows_the_first_question_and_passes_over_what_others_hold(full: Hub) -> None:
    first, second = (one.id for one in seen(full).questions[:2])
    told = said(full, "next", "--as", "mia")
    assert "Hazel Trading Ltd" in told.stdout
    assert "Hazel Trading Limited" in told.stdout
    assert f"hub review decide {first} same|different|related" in told.stderr
    assert "84,120.00 GBP open" in told.stderr
    full.attending(Principal("kim", "steward")).claim(first)
    assert json.loads(said(full, "next", "--as", "mia", "--format", "json").stdout)["task"] == second
    shown = json.loads(said(full, "next", "--as", "kim", "--format", "json").stdout)
    assert (shown["task"], shown["kind"]) == (first, "match")
    assert {"field": "legal_name", "a": "Hazel Trading Ltd", "b": "Hazel Trading Limited"}.items() <= next(
        one for one in shown["lines"] if one["field"] == "legal_name"
    ).items()
    assert {part[0] for part in shown["evidence"]["parts"]}


def test_review_next_says_when_nothing_waits(hub: Hub) -> None:
    assert said(hub, "next").stderr == "no question waits.\n"


def test_review_stats_counts_what_is_open_asked_and_answered(full: Hub) -> None:
    full.desk(MIA).answer(seen(full).questions[0].id, "same", "one company")
    full.attending(MIA).snooze(seen(full).questions[0].id, full.clock() + timedelta(days=2), "they are away")
    full.clock.move(hours=30)  # type: ignore[attr-defined]
    counts = json.loads(said(full, "stats", "--format", "json").stdout)
    wanted = {"open": 1, "put off": 1, "overdue": 0, "open, match": 1, "open, 1-3d": 1, "open, <1d": 0,
              "opened in 14 days": 3, "answered in 14 days": 1}  # fmt: skip
    assert {name: counts[name] for name in wanted} == wanted
    assert "answered in 14 days" in said(full, "stats").stdout
