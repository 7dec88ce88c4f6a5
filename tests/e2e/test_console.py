"""The console in a real browser: every page, three widths, two themes, and what people do there.

With CONCORD_SHOTS the whole page of each is kept in that folder as a picture.
"""

# ruff: noqa: F811 (fixtures are used here by name)
from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import Any

import pytest

from adapters.targets.memory import MemoryTarget
from hub import queries
from hub.web.app import create_app
from hub.web.console.journal import QUERIES
from hub.wiring import Hub
from rules.ruleset import shipped
from tests.e2e.browsing import (  # noqa: F401
    ON,
    address,
    books,
    everything,
    filled,
    hub,
    key_of,
    needs_browser,
    playwright,
    signed_in,
    site,
    world,
)  # fmt: skip
from tests.worlds import account, deliver, golden_of

pytestmark = [needs_browser, pytest.mark.parametrize("database_url", ON, indirect=True)]
EVERY = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]}
PLACES = {"type": "rule", "values": ["target-size", "scrollable-region-focusable"]}  # what a width decides
COLOURS = {"type": "rule", "values": ["color-contrast"]}  # what a theme decides
VIEWS = (("light", 1440, EVERY), ("light", 768, PLACES), ("light", 320, PLACES), ("dark", 320, COLOURS),
         ("dark", 768, PLACES), ("dark", 1440, COLOURS))  # fmt: skip
LOOK = "(rules) => axe.run({runOnly: rules, resultTypes: ['violations']}).then((found) => found.violations)"
SHOTS = os.environ.get("CONCORD_SHOTS")
PAGES = ("/", "/review", "/records/account", "/decisions", "/publish", "/publish/1", "/drift", "/rules", "/rules/account",
         "/simulations/1", "/codes", "/values", "/sources", "/schedules", "/audit?verify", "/api", "/api/errors/HUB-3205",
         "/review?sort=oldest&age=%3C1d", "/review?q=nobody", "/review/numbers", "/me", "/help", "/status", "/decisions?mine",
         "/figures", "/close", "/review/approvals", "RECORD", "TASK", "VALUE", "SPLIT", "SOURCE", "MANY",
         "LONG", "RTL")  # fmt: skip


@pytest.mark.parametrize("world", [everything], indirect=True)
def test_every_page_is_whole_accessible_and_fits(browser: Any, hub: Hub, site: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = signed_in(browser, hub, site)
    for path in PAGES:
        assert page.goto(site + address(hub, path)).status == 200, path
        assert page.locator("h1").count() == 1, path
        page.evaluate(Axe().axe_script)
        for theme, width, rules in VIEWS:
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=theme)
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0, f"{path} is {wide} pixels wider than {width}"
            found = page.evaluate(LOOK, rules)
            assert not [
                (path, theme, width, one["id"], [node["html"][:160] for node in one["nodes"][:3]]) for one in found
            ]
            if SHOTS:
                name = path.strip("/").replace("/", "-").replace("?", "-") or "today"
                page.screenshot(path=Path(SHOTS) / f"{name}-{theme}-{width}.png", full_page=True)
    assert page.errors == []
    page.context.close()


def test_steward_answers_a_question_and_takes_it_back(browser: Any, hub: Hub, site: str) -> None:
    page = signed_in(browser, hub, site, "steward")
    page.goto(site)
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
    page.goto(site)
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
    row.locator("select[name=stands]").select_option("said")
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


def test_graphiql_answers_and_asks_nobody_else(browser: Any, hub: Hub, site: str) -> None:
    page = signed_in(browser, hub, site, "reader")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{site}/api/graphiql")
    page.click("button[aria-label^='Execute query']")
    playwright.expect(page.locator(".graphiql-response")).to_contain_text("Acorn Foods Ltd", timeout=20_000)
    page.click("button[aria-label='Show Documentation Explorer']")
    playwright.expect(page.locator(".graphiql-plugin")).to_contain_text("Mutation")
    assert not [url for url in asked if not url.startswith((site, f"blob:{site}", "data:"))]
    assert page.errors == []


def test_graphiql_is_packed_as_it_lies_or_whole(hub: Hub) -> None:
    client = create_app(hub).test_client()
    for name in ("graphiql.js", "graphiql.css", "editor.worker.js", "json.worker.js", "graphql.worker.js"):
        whole = client.get(f"/static/graphiql/{name}")
        packed = client.get(f"/static/graphiql/{name}", headers={"Accept-Encoding": "gzip"})
        assert "Content-Encoding" not in whole.headers
        assert gzip.decompress(packed.data) == whole.data
        assert len(packed.data) < len(whole.data)
    assert client.get("/static/graphiql/nothing.js").status_code == 404
    assert client.get("/api/graphiql").status_code == 401


def test_sample_queries_are_answered_without_an_error(hub: Hub) -> None:
    client = create_app(hub).test_client()
    for name, query in QUERIES.items():
        reply = client.post(
            "/graphql", json={"query": query}, headers={"Authorization": f"Bearer {key_of(hub, 'reader')}"}
        )
        assert reply.get_json().get("errors") is None, name


def test_pages_work_without_script(browser: Any, hub: Hub, site: str) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(f"{site}/login")
    page.fill("input[name=key]", key_of(hub, "steward"))
    page.press("input[name=key]", "Enter")
    page.wait_for_url(f"{site}/")
    page.goto(site + address(hub, "TASK"))
    page.click("button[value=different]")
    assert queries.tasks(hub.engine) == []
