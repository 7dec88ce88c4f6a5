"""A served hub in which every page has something to show, and people who look at it in Chromium.

The world is filled once per run and copied for each test, so a test may change it as it likes.

Chromium is looked for as `chromium`, `chromium-browser` or `google-chrome` (Debian: `apt-get install chromium`), or where
CONCORD_BROWSER says. Without one these tests are skipped, and the summary of the run says so.
"""

from __future__ import annotations

import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import make_server

from adapters.targets.memory import MemoryTarget
from canonical.ids import SourceKey
from hub import queries
from hub.flow import publish, reconcile, simulate
from hub.settings import Settings
from hub.store import access
from hub.store.access import Principal
from hub.store.engine import writing
from hub.web.app import create_app
from hub.wiring import Hub
from rules.ruleset import load, shipped
from tests.conftest import FixedClock
from tests.worlds import account, deliver, golden_of, invoice

playwright = pytest.importorskip("playwright.sync_api")
BROWSER = os.environ.get("CONCORD_BROWSER") or next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
needs_browser = pytest.mark.skipif(
    BROWSER is None, reason="no Chromium here: apt-get install chromium, or CONCORD_BROWSER"
)
ON = [pytest.param("sqlite"), pytest.param("postgresql", marks=pytest.mark.slow)]  # other tests ask both stores
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync")  # fmt: skip
TREES = ("Walnut", "Hazel", "Rowan", "Alder", "Maple", "Cedar", "Aspen", "Linden", "Poplar", "Willow")
Made = tuple[Path, MemoryTarget]


def pages(hub: Hub, books: MemoryTarget) -> None:
    """Something for every page."""
    deliver(hub, [
        account("crm", "1", name="Acorn Foods Ltd", tax="GB980780684", country="GB", city="Leeds", industry="Food"),
        account("billing", "c1", name="ACORN FOODS LIMITED", tax="GB980780684", country="GB", email="x@acorn.example"),
        account("crm", "2", name="Birch Brewing Limited"), account("crm", "3", name="Birch Brewing Ltd"),
        account("crm", "4", name="مؤسسة النور للتجارة", status="prospect", industry="x" * 300),
        {"system": "crm", "kind": "account"},
        invoice("billing", "i1", number="INV-1", status="open", account="c1", currency="EUR", net="12.5", gross="12.5"),
    ])  # fmt: skip
    plan = publish.make_plan(hub.engine, books, "ana", hub.clock())
    publish.approve(hub.engine, plan, None, "ben", hub.clock())
    publish.apply(hub.engine, books, plan, hub.clock)
    acorn = golden_of(hub, "crm:account:1")["id"]
    kept = books._kept[acorn]
    books._kept[acorn] = type(kept)(kept.entity, kept.version, b"", {**(kept.body or {}), "name": "Edited there"})
    reconcile.reconcile(hub.engine, books, hub.clock)
    text = shipped()["account"].text.replace("industry, segment], system: crm", "industry, segment], system: billing")
    simulate.simulate(hub.engine, load(text, "draft.yaml"), "ana", hub.clock())
    key = SourceKey.parse("crm:account:1")
    hub.desk(Principal("mia", "steward")).override(key, "segment", "small", reason="they said")


def questions(hub: Hub, books: MemoryTarget) -> None:
    """The same, and ten more questions."""
    pages(hub, books)
    deliver(hub, [
        account("crm", f"{tree}{n}", name=f"{tree} Trading {form}")
        for tree in TREES for n, form in enumerate(("Ltd", "Limited"))
    ])  # fmt: skip


def everything(hub: Hub, books: MemoryTarget) -> None:
    """The same as `pages`, a cluster of three, systems that disagree about a field, a plan that waits, and what is odd."""
    pages(hub, books)
    odd(hub)
    tax = {"tax": "GB123456782", "country": "GB", "name": "Cobalt Works Ltd"}
    deliver(hub, [account("erp", "e1", terms="NET30", **tax), account("crm", "5", industry="Metal", **tax)])
    later = "2026-09-01T00:00:00Z"
    deliver(hub, [account("crm", "5", terms="NET60", at=later, **tax), account("billing", "c5", city="York", **tax)])
    publish.make_plan(hub.engine, books, "ana", hub.clock())


def odd(hub: Hub) -> None:
    """A customer of forty records, a name that never ends, names from right to left, a field of 3,000 characters."""
    long = (
        "Königlich Privilegierte Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft mbH"
    )
    many = {"tax": "GB727255821", "country": "GB", "name": long, "phone": "+442071234567"}
    deliver(hub, [account(system, f"m{n}", **many) for n in range(20) for system in ("crm", "shop")])
    told = {"industry": "Wholesale of " + "دقيق and salt, " * 200, "domain": "noor.example"}
    deliver(hub, [
        account("crm", "n1", name="مؤسسة النور للتجارة العامة", **told),
        account("billing", "n2", name="مؤسسة النور للتجارة العامة", email="pay@noor.example"),
    ])  # fmt: skip


@pytest.fixture
def world(request: pytest.FixtureRequest) -> Callable[[Hub, MemoryTarget], None]:
    """What fills the hub; a test or a module that wants more says so."""
    return getattr(request, "param", pages)


@pytest.fixture
def filled(
    database_url: str, tmp_path: Path, clock: FixedClock, stock: Callable[..., Made], world: Callable[..., None]
) -> Iterator[tuple[Hub, MemoryTarget]]:
    """A hub of the test's own with what its target has: a copy, or on PostgreSQL filled anew."""
    made, books = Hub(Settings(dir=tmp_path, database_url=database_url), clock), MemoryTarget("erp")
    if database_url.startswith("sqlite"):
        at, kept = stock(world)
        books._sent, books._kept = dict(kept._sent), dict(kept._kept)
        shutil.copytree(at, tmp_path, dirs_exist_ok=True)
    else:
        made.prepare()
        world(made, books)
    yield made, books
    made.engine.dispose()


@pytest.fixture
def hub(filled: tuple[Hub, MemoryTarget]) -> Hub:
    return filled[0]


@pytest.fixture
def books(filled: tuple[Hub, MemoryTarget]) -> MemoryTarget:
    return filled[1]


@pytest.fixture
def site(hub: Hub, books: MemoryTarget, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of the served hub."""
    monkeypatch.setattr(type(hub), "target", lambda _hub, _name: books)
    server = make_server("127.0.0.1", 0, create_app(hub), threaded=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def key_of(hub: Hub, role: str) -> str:
    with writing(hub.engine) as connection:
        return access.issue(connection, Principal(f"test-{role}", role), hub.clock())


def signed_in(browser: Any, hub: Hub, site: str, role: str = "admin", **options: Any) -> Any:
    """A page of somebody in a role, still empty; whatever goes wrong on it is in its `errors`."""
    context = browser.new_context(**options)
    token = re.findall(r'name="token" value="([^"]+)"', context.request.get(f"{site}/login").text())[0]
    form = {"token": token, "key": key_of(hub, role)}
    assert context.request.post(f"{site}/login", form=form, max_redirects=0).status == 302
    page = context.new_page()
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.on("console", lambda said: page.errors.append(said.text) if said.type == "error" else None)
    return page


def address(hub: Hub, path: str) -> str:
    """A path, or what a word of capitals stands for."""
    return {
        "RECORD": f"/records/account/{golden_of(hub, 'crm:account:1')['id']}",
        "TASK": f"/review/{queries.tasks(hub.engine)[0]['id']}" if path == "TASK" else "",
        "VALUE": f"/review/{next(row['id'] for row in queries.tasks(hub.engine) if row['kind'] == 'value')}"
        if path == "VALUE"
        else "",
        "SPLIT": f"/records/account/{golden_of(hub, 'crm:account:5')['id']}/split?shown=1&stays=erp%3Aaccount%3Ae1"
        if path == "SPLIT"
        else "",
        "SOURCE": "/sources/crm:account:1",
        "MANY": f"/records/account/{golden_of(hub, 'crm:account:m1')['id']}" if path == "MANY" else "",
        "LONG": f"/records/account/{golden_of(hub, 'crm:account:n1')['id']}" if path == "LONG" else "",
        "RTL": f"/review/{next(row['id'] for row in queries.tasks(hub.engine) if 'النور' in (row['left_label'] or ''))}"
        if path == "RTL"
        else "",
    }.get(path, path)
