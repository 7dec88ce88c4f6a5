"""Which promises of the checklist have a passing test, and on which stores: `python -m tests.promises`."""

from __future__ import annotations

import sys
from collections import defaultdict

import pytest


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
    print(f"{len(ledger.passed)} promises have a passing test")
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
