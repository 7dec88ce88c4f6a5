"""The console in a real browser: every page, three widths, two themes, and what people do there.

Chromium is looked for as `chromium`, `chromium-browser` or `google-chrome` (Debian: `apt-get install chromium`), or where
CONCORD_BROWSER says. Without one these tests are skipped, and the summary of the run says so.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.serving import make_server

from adapters.targets.memory import MemoryTarget
from hub import queries
from hub.flow import publish, reconcile, simulate
from hub.store import access
from hub.store.access import Principal
from hub.store.engine import writing
from hub.web.app import create_app
from hub.wiring import Hub
from rules.ruleset import load, shipped
from tests.worlds import account, deliver, golden_of, invoice

playwright = pytest.importorskip("playwright.sync_api")
BROWSER = os.environ.get("CONCORD_BROWSER") or next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
ON = [
    pytest.param("sqlite"),
    pytest.param("postgresql", marks=pytest.mark.slow),
]  # pages ask what other tests ask of both
pytestmark = [
    pytest.mark.skipif(BROWSER is None, reason="no Chromium here: apt-get install chromium, or CONCORD_BROWSER"),
    pytest.mark.parametrize("database_url", ON, indirect=True),
]
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync")  # fmt: skip
PAGES = ("/", "/review", "/records/account", "/decisions", "/publish", "/publish/1", "/drift", "/rules", "/rules/account",
         "/simulations/1", "/codes", "/values", "/sources", "/schedules", "/audit?verify", "/api", "/api/errors/HUB-3205",
         "/review?sort=oldest&age=%3C1d", "/review?q=nobody", "/review/numbers", "/me", "/help", "/status", "/decisions?mine",
         "RECORD", "TASK", "SOURCE")  # fmt: skip


@pytest.fixture
def books() -> MemoryTarget:
    return MemoryTarget("erp")


@pytest.fixture
def site(hub: Hub, books: MemoryTarget, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A served hub in which every page has something to show; its address."""
    monkeypatch.setattr(type(hub), "target", lambda _hub, _name: books)
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
    kept = books._kept[golden_of(hub, "crm:account:1")["id"]]
    edited = type(kept)(kept.entity, kept.version, b"", {**(kept.body or {}), "name": "Edited there"})
    books._kept[golden_of(hub, "crm:account:1")["id"]] = edited
    reconcile.reconcile(hub.engine, books, hub.clock)
    text = shipped()["account"].text.replace("industry, segment], system: crm", "industry, segment], system: billing")
    simulate.simulate(hub.engine, load(text, "draft.yaml"), "ana", hub.clock())
    hub.desk(Principal("mia", "steward")).override(_key("crm:account:1"), "segment", "small", reason="they said")
    server = make_server("127.0.0.1", 0, create_app(hub), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def _key(text: str) -> Any:
    from canonical.ids import SourceKey

    return SourceKey.parse(text)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        running = started.chromium.launch(executable_path=BROWSER, args=list(QUIET))
        yield running
        running.close()


def signed_in(browser: Any, hub: Hub, site: str, role: str = "admin", **options: Any) -> Any:
    """A page of somebody in a role; whatever goes wrong on it fails the test."""
    with writing(hub.engine) as connection:
        key = access.issue(connection, Principal(f"test-{role}", role), hub.clock())
    page = browser.new_context(**options).new_page()
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.on("console", lambda said: page.errors.append(said.text) if said.type == "error" else None)
    page.goto(f"{site}/login")
    page.fill("input[name=key]", key)
    page.press("input[name=key]", "Enter")
    page.wait_for_url(f"{site}/")
    return page


def address(hub: Hub, path: str) -> str:
    return {
        "RECORD": f"/records/account/{golden_of(hub, 'crm:account:1')['id']}",
        "TASK": f"/review/{queries.tasks(hub.engine)[0]['id']}" if path == "TASK" else "",
        "SOURCE": "/sources/crm:account:1",
    }.get(path, path)


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 768), ("light", 320), ("dark", 1440)])
def test_every_page_is_whole_accessible_and_fits(browser: Any, hub: Hub, site: str, theme: str, width: int) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = signed_in(browser, hub, site, viewport={"width": width, "height": 900}, color_scheme=theme)
    for path in PAGES:
        assert page.goto(site + address(hub, path)).status == 200, path
        page.wait_for_load_state("networkidle")
        assert page.locator("h1").count() == 1, path
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{path} is {wide} pixels wider than the window"
        found = (
            Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]}).response["violations"]
        )
        assert not [(path, one["id"], [node["html"][:160] for node in one["nodes"][:3]]) for one in found]
    assert page.errors == []
    page.context.close()


def test_steward_answers_a_question_and_takes_it_back(browser: Any, hub: Hub, site: str) -> None:
    page = signed_in(browser, hub, site, "steward")
    page.click("nav >> text=Review")
    page.click("tbody a >> nth=0")
    page.fill("#reason", "I asked them")
    page.click("button[value=same]")
    assert "Merged. 0 left." in page.inner_text(".notice")
    assert queries.tasks(hub.engine) == []
    page.click("text=Undo the last answer")
    assert len(queries.tasks(hub.engine)) == 1


def test_steward_works_through_the_queue_by_keys_alone(browser: Any, hub: Hub, site: str) -> None:
    deliver(
        hub,
        [
            account("crm", f"x{n}", name=f"Walnut {'abc'[n // 2] * 5} {form}")
            for n, form in enumerate(("Ltd", "Limited") * 3)
        ],
    )
    page = signed_in(browser, hub, site, "steward")
    waiting = len(queries.tasks(hub.engine))
    assert waiting >= 3
    page.keyboard.press("g")
    page.keyboard.press("r")
    page.wait_for_url("**/review")
    page.keyboard.press("Enter")
    page.wait_for_url("**/review/*")
    for key, word in (("y", "Merged."), ("n", "Kept apart.")):
        page.keyboard.press(key)
        page.wait_for_selector(f".notice:has-text('{word}')")
    assert len(queries.tasks(hub.engine)) == waiting - 2
    page.keyboard.press("z")
    page.wait_for_selector(".notice:has-text('Undone')")
    assert len(queries.tasks(hub.engine)) == waiting - 1
    page.keyboard.press("?")
    assert page.locator("dialog#keys").is_visible()
    assert page.errors == []


def test_source_is_detached_from_its_record(browser: Any, hub: Hub, site: str) -> None:
    page = signed_in(browser, hub, site, "steward")
    page.goto(site + address(hub, "RECORD"))
    page.click("summary:has-text('Detach') >> nth=0")
    page.fill("form[action='/detach'] input[name=reason] >> nth=0", "another company")
    page.click("button:has-text('Detach and keep apart') >> nth=0")
    assert "Detached: 1 decision" in page.inner_text(".notice")
    assert golden_of(hub, "crm:account:1")["id"] != golden_of(hub, "billing:account:c1")["id"]


def test_plan_is_made_by_one_approved_by_another_and_sent(browser: Any, hub: Hub, site: str) -> None:
    deliver(hub, [account("crm", "9", name="Cedar SpA")])
    operator, approver = signed_in(browser, hub, site, "operator"), signed_in(browser, hub, site, "approver")
    operator.goto(f"{site}/publish")
    operator.click("text=Plan what is owed")
    operator.click("a:has-text('P-2')")
    operator.click("text=Approve exactly this")
    assert "operator may not do this" in operator.inner_text(".notice.wrong")
    approver.goto(f"{site}/publish/2")
    approver.click("text=Approve exactly this")
    operator.goto(f"{site}/publish/2")
    operator.click("button:has-text('Send')")
    assert "acknowledged" in operator.inner_text(".notice")


def test_drift_is_resent_from_its_page(browser: Any, hub: Hub, site: str, books: MemoryTarget) -> None:
    page = signed_in(browser, hub, site, "operator")
    page.goto(f"{site}/drift")
    assert "Edited there" in page.inner_text("table >> nth=0")
    page.click("summary:has-text('Settle')")
    page.fill("input[name=reason]", "ours is right")
    page.click("button[value=resend]")
    assert "Owed again" in page.inner_text(".notice")


def test_value_is_set_on_a_record_and_taken_back(browser: Any, hub: Hub, site: str) -> None:
    page = signed_in(browser, hub, site, "steward")
    page.goto(site + address(hub, "RECORD"))
    row = page.locator("tr", has=page.locator("th", has_text="industry")).first
    row.locator("summary:has-text('Set')").click()
    row.locator("input[name=value]").fill("Ships")
    row.locator("input[name=reason]").fill("they said")
    row.locator("button:has-text('Set')").click()
    assert golden_of(hub, "crm:account:1")["values"]["industry"] == "Ships"
    page.goto(f"{site}/values")
    page.click("button:has-text('Take back') >> nth=0")
    assert golden_of(hub, "crm:account:1")["values"]["industry"] == "Food"


def test_rules_are_checked_simulated_and_promoted_by_somebody_else(browser: Any, hub: Hub, site: str) -> None:
    page, other = signed_in(browser, hub, site, "engineer"), signed_in(browser, hub, site, "approver")
    page.goto(f"{site}/rules/account#draft")
    text = shipped()["account"].text
    page.fill("#document", text.replace("take: owner", "take: owners", 1))
    page.click("button:has-text('Check')")
    assert "Did you mean 'owner'?" in page.inner_text("[role=alert]")
    page.fill("#document", text.replace("segment], system: crm", "segment], system: billing"))
    page.click("button:has-text('Simulate')")
    page.wait_for_url("**/simulations/2")
    assert "S-2" in page.inner_text("h1")
    other.goto(f"{site}/simulations/2")
    other.fill("#reason", "billing knows")
    other.click("text=Promote exactly this")
    assert "is in force" in other.inner_text(".notice")
    assert golden_of(hub, "crm:account:1")["values"]["legal_name"] == "ACORN FOODS LIMITED"


def test_api_page_runs_queries_and_lists_the_schema(browser: Any, hub: Hub, site: str) -> None:
    page = signed_in(browser, hub, site, "reader")
    page.goto(f"{site}/api")
    playwright.expect(page.locator("#answer")).to_contain_text("Acorn Foods Ltd")
    page.click("text=What targets have otherwise")
    playwright.expect(page.locator("#answer")).to_contain_text("Edited there")
    page.fill("#find", "settleDrift")
    playwright.expect(page.locator("#schema")).to_contain_text("settleDrift(act: String!, drift: Int!")
    page.fill("#variables", "{")
    page.click("#run")
    assert "not JSON" in page.inner_text("#answer")
    assert page.errors == []


def test_pages_work_without_script(browser: Any, hub: Hub, site: str) -> None:
    page = signed_in(browser, hub, site, "steward", java_script_enabled=False)
    page.goto(site + address(hub, "TASK"))
    page.click("button[value=different]")
    assert queries.tasks(hub.engine) == []
