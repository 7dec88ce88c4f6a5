"""Which promises of the checklist have a passing test, on which stores, and which have none: `python -m tests.promises`.

A test carries the promise that it proves as `@pytest.mark.promise("A-16")`.
"""

from __future__ import annotations

import sys
from collections import defaultdict

import pytest

ALL = tuple(f"A-{number:02d}" for number in range(1, 101))


class Ledger:
    """What became of the tests that prove a promise."""

    def __init__(self) -> None:
        self.passed: dict[str, set[str]] = defaultdict(set)
        self.failed: dict[str, set[str]] = defaultdict(set)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "call":
            return
        store = next((name for name in ("sqlite", "postgresql") if name in report.nodeid), "no store")
        for name, promise in report.user_properties:
            if name == "promise":
                (self.passed if report.passed else self.failed)[str(promise)].add(store)


def main() -> int:
    """Run the tests and print a line per promise."""
    ledger = Ledger()
    code = pytest.main(["-q", *sys.argv[1:]], plugins=[ledger])
    for promise in sorted(ledger.passed.keys() | ledger.failed.keys()):
        proven = ", ".join(sorted(ledger.passed[promise])) or "nowhere"
        print(f"{promise}  proven on {proven}" + ("  FAILS" if ledger.failed[promise] else ""))
    unmarked = [promise for promise in ALL if promise not in ledger.passed and promise not in ledger.failed]
    print("no test in this run: " + (", ".join(unmarked) or "none"))
    print(f"{len(ledger.passed)} of {len(ALL)} promises have a passing test")
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
