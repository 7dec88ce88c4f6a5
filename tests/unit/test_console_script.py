"""What the pages of the queue load is small."""

from __future__ import annotations

from tests.benchmarks.console import SCRIPT, script_size


def test_script_of_the_queue_is_less_than_its_budget() -> None:
    assert 0 < script_size() < SCRIPT
