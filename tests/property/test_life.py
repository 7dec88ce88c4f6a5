"""A hub's whole life at random: deliveries, decisions, values, rules, publications, time; and after each step the laws.

Whatever happened, in whatever order: every golden record can be rebuilt from the log (law 1), a "different" holds across whole
clusters (law 2), what a promotion does is what its simulation said (or it refuses), the target has what it was sent, nothing
vanishes, the feed tells of every record, and the audit chain holds.
"""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from adapters.targets.memory import MemoryTarget
from canonical.ids import SourceKey
from hub import queries
from hub.errors import Conflict, Contradiction
from hub.flow import dates, publish
from hub.flow.promote import Will, promote
from hub.flow.reconcile import reconcile
from hub.flow.replay import verify as rebuild
from hub.flow.simulate import get, simulate
from hub.settings import Settings
from hub.store import audit, changes
from hub.store.access import Principal
from hub.store.engine import reading
from hub.wiring import Hub
from rules.ruleset import load
from tests.conftest import FixedClock
from tests.worlds import account, deliver, outcome

MIA = Principal("mia", "steward")
SYSTEMS, KEYS = ("crm", "billing", "erp"), ("1", "2", "3")
COMPANIES = ("Acorn Foods Ltd", "Acorn Foods Limited", "Birch Brewing AG", "Cedar Clinics SpA")
TAXES = (None, "GB980780684", "GB727255821")
FIELDS = {"industry": ("Rail", "Ships", None), "payment_terms": ("net30", "net60")}
records = st.tuples(st.sampled_from(SYSTEMS), st.sampled_from(KEYS))


class Life(RuleBasedStateMachine):
    """One hub; the model beside it is the log of what was done, which a second hub is made from."""

    decisions = Bundle("decisions")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = FixedClock(datetime(2026, 10, 1, tzinfo=UTC))
        self.hub = Hub(Settings(dir=Path(self.folder.name)), self.clock)
        self.erp = MemoryTarget("erp")
        self.step, self.delivered = 0, 0
        self.known: set[str] = set()
        self.apart: dict[str, tuple[str, str]] = {}

    @initialize()
    def prepare(self) -> None:
        self.hub.prepare()

    @rule(
        one=records,
        name=st.sampled_from(COMPANIES),
        tax=st.sampled_from(TAXES),
        industry=st.sampled_from(FIELDS["industry"]),
        days=st.integers(-5, 5),
        gone=st.integers(0, 9),
    )
    def deliver(
        self, one: tuple[str, str], name: str, tax: str | None, industry: str | None, days: int, gone: int
    ) -> None:
        self.step += 1
        at = datetime(2026, 6, 1, tzinfo=UTC) + timedelta(days=days, seconds=self.step)
        said: dict[str, Any] = {"name": name, "country": "GB", "at": at.isoformat(), "status": "active"}
        said |= {"tax": tax} if tax else {}
        said |= {"industry": industry} if industry else {}
        said |= {"gone": True} if gone == 0 else {}
        deliver(self.hub, [account(*one, **said)])
        self.delivered += 1
        self.known.add(f"{one[0]}:account:{one[1]}")

    @rule(target=decisions, pair=st.tuples(records, records), answer=st.sampled_from(("same", "different")))
    def decide(self, pair: tuple[tuple[str, str], tuple[str, str]], answer: str) -> str:
        left, right = (f"{system}:account:{key}" for system, key in pair)
        if left == right or not {left, right} <= self.known:
            return ""
        try:
            made = self.hub.desk(MIA).decide(answer, SourceKey.parse(left), SourceKey.parse(right), "they told us")
        except Contradiction:
            return ""
        if answer == "different":
            self.apart[made] = (left, right)
        return made

    @rule(
        target=decisions,
        one=records,
        field=st.sampled_from(sorted(FIELDS)),
        data=st.data(),
        end=st.sampled_from(("never", "said", "date")),
    )
    def put(self, one: tuple[str, str], field: str, data: Any, end: str) -> str:
        key = f"{one[0]}:account:{one[1]}"
        if key not in self.known:
            return ""
        until = self.clock() + timedelta(days=3) if end == "date" else None
        value = data.draw(st.sampled_from(FIELDS[field]))
        desk = self.hub.desk(MIA)
        return desk.override(SourceKey.parse(key), field, value, reason="x", until=until, while_said=end == "said")

    @rule(decision=consumes(decisions))
    def undo(self, decision: str) -> None:
        if decision:
            self.apart.pop(decision, None)
            try:
                self.hub.desk(MIA).undo(decision)
            except (Conflict, Contradiction):
                pytest.fail("a decision in force can always be taken back")

    @rule(days=st.integers(1, 4))
    def time_passes(self, days: int) -> None:
        self.clock.move(days=days)
        dates.follow(self.hub.engine, self.clock())

    @rule()
    def publish(self) -> None:
        plan = publish.make_plan(self.hub.engine, self.erp, "ana", self.clock())
        publish.approve(self.hub.engine, plan, None, "ben", self.clock())
        counts = publish.apply(self.hub.engine, self.erp, plan, self.clock)
        assert counts.keys() <= {"acknowledged", "held", "rejected"}
        assert reconcile(self.hub.engine, self.erp, self.clock).counts["different"] == 0

    @rule(bands=st.sampled_from(((9, 4.5), (4, 2), (40, 4.5))), owner=st.sampled_from(("crm", "billing")))
    def change_rules(self, bands: tuple[float, float], owner: str) -> None:
        live = self.hub.rulesets["account"]
        text = live.text
        matching = live.document.matching
        text = text.replace(
            f"  match: {matching.match:g}\n  review: {matching.review:g}", f"  match: {bands[0]}\n  review: {bands[1]}"
        )
        before = next(o.system for o in live.document.ownership if "legal_name" in o.fields)
        text = text.replace(f"industry, segment], system: {before}", f"industry, segment], system: {owner}")
        draft = load(text, "draft.yaml")
        if draft.version == live.version:
            return
        made = simulate(self.hub.engine, draft, "ana", self.clock())
        promote(
            self.hub.engine, "account", made, Will("ben", "as simulated"), self.clock()
        )  # raises unless it is what S said
        with reading(self.hub.engine) as connection:
            assert get(connection, made).version == self.hub.rulesets["account"].version

    @invariant()
    def rebuilt_from_the_log_it_is_the_same(self) -> None:
        if self.known:
            proof = rebuild(self.hub.engine, ["account"])
            assert not proof.differences, proof.first

    @invariant()
    def a_different_holds_across_whole_clusters(self) -> None:
        if self.apart:
            clusters = outcome(self.hub).clusters
            for left, right in self.apart.values():
                assert not any({left, right} <= one for one in clusters)

    @invariant()
    def nothing_vanishes(self) -> None:
        if self.known:
            assert queries.unbalanced(queries.overview(self.hub.engine)["sources"]) == []
            with reading(self.hub.engine) as connection:
                assert audit.verify(connection) is None
                told = [row["golden_id"] for row in changes.after(connection, changes.START, 10_000).rows]
            assert len(told) >= len(outcome(self.hub).clusters)

    def teardown(self) -> None:
        self.hub.engine.dispose()
        self.folder.cleanup()


QUIET = {"deadline": None, "suppress_health_check": list(HealthCheck)}


@pytest.mark.promise("A-08")
@pytest.mark.parametrize(("examples", "steps"), [(12, 15), pytest.param(150, 40, marks=pytest.mark.slow)])
def test_a_life_at_random_keeps_the_laws(examples: int, steps: int) -> None:
    run_state_machine_as_test(Life, settings=settings(max_examples=examples, stateful_step_count=steps, **QUIET))  # type: ignore[arg-type]
