"""What is made once in a run of browser tests: the browser, and filled worlds to copy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from adapters.targets.memory import MemoryTarget
from hub.settings import Settings
from hub.wiring import Hub
from tests.conftest import FixedClock
from tests.e2e.browsing import BROWSER, QUIET, Made


@pytest.fixture(scope="session")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Callable[..., None]], Made]:
    """Worlds on SQLite by what fills them, each made once."""
    made: dict[str, Made] = {}

    def of(fill: Callable[[Hub, MemoryTarget], None]) -> Made:
        if fill.__name__ not in made:
            at, books = tmp_path_factory.mktemp(fill.__name__), MemoryTarget("erp")
            hub = Hub(Settings(dir=at), FixedClock())
            hub.prepare()
            fill(hub, books)
            hub.engine.dispose()
            made[fill.__name__] = at, books
        return made[fill.__name__]

    return of


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        running = started.chromium.launch(executable_path=BROWSER, args=list(QUIET))
        yield running
        running.close()
