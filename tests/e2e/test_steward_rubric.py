"""What a steward may expect of the console, watched in a real browser: the points of the rubric that it can show.

Each test names the point that it watches. The world is small and the clock stands still.
"""

# ruff: noqa: F811 (fixtures of the console tests are used here by name)
from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from canonical.ids import SourceKey
from hub import queries
from hub.flow import dates
from hub.store.access import Principal
from hub.wiring import Hub
from tests.e2e.browsing import (  # noqa: F401
    ON,
    books,
    everything,
    filled,
    hub,
    needs_browser,
    questions,
    signed_in,
    site,
)  # fmt: skip
from tests.worlds import account, deliver, golden_of, invoice, outcome

pytestmark = [needs_browser, pytest.mark.parametrize("database_url", [ON[0]], indirect=True)]


@pytest.fixture
def world(request: pytest.FixtureRequest) -> Any:
    return getattr(request, "param", questions)


@pytest.fixture
def queue(site: str) -> str:
    return site


def open_ones(hub: Hub) -> int:
    return len(queries.tasks(hub.engine))


def told(page: Any) -> str:
    return str(page.inner_text(".notice >> nth=0"))


def test_point_1_one_key_merges_from_the_queue_and_one_key_undoes(browser: Any, hub: Hub, queue: str) -> None:
    before = outcome(hub)
    page = signed_in(browser, hub, queue, "steward")
    page.goto(f"{queue}/review?q=walnut")
    page.keyboard.press("y")
    page.wait_for_selector(".notice:has-text('1 of 1 merged.')")
    assert outcome(hub) != before
    page.keyboard.press("z")
    page.wait_for_selector(".notice:has-text('Everything is as it was')")
    assert outcome(hub) == before


def test_points_2_3_4_ten_answers_by_keys_and_all_taken_back(browser: Any, hub: Hub, queue: str) -> None:
    page = signed_in(browser, hub, queue, "steward")
    start = open_ones(hub)
    page.goto(f"{queue}/review?next=")
    for number in range(10):
        page.keyboard.press("y" if number % 2 else "n")
        page.wait_for_selector(f".notice[role=status]:has-text('{start - number - 1} left.')")
        if number < start - 1:
            assert page.evaluate("document.activeElement.value") == "same", "focus is on the next one"
    assert open_ones(hub) == start - 10
    page.reload()
    page.keyboard.press("z")
    page.wait_for_selector(".notice:has-text('Undone')")
    assert open_ones(hub) == start - 9
    page.goto(f"{queue}/decisions")
    for left in range(8, -1, -1):
        page.click("button:text-is('Undo') >> nth=0")
        page.wait_for_selector(".notice:has-text('Undone')")
        assert open_ones(hub) == start - left


def test_points_5_6_7_8_a_question_shows_differences_result_reasons_and_evidence(
    browser: Any, hub: Hub, queue: str
) -> None:
    page = signed_in(browser, hub, queue, "steward")
    page.goto(f"{queue}/review?q=walnut&next=")
    assert page.locator("td ins").count() + page.locator("td del").count() >= 1
    assert "only in" in page.locator("td ins, td del").first.inner_text()
    row = page.locator("tr", has=page.locator("th", has_text="legal name"))
    assert re.search(r"Walnut Trading (Ltd|Limited)", row.locator("td >> nth=2").inner_text())
    assert "crm" in row.locator("td >> nth=3").inner_text()
    assert "keep every source" in page.inner_text("button[value=same]")
    page.click("summary:has-text('As a table')")
    assert page.locator(".ladder tbody tr").count() >= 1


def test_point_9_impact_names_targets_and_open_money(browser: Any, hub: Hub, queue: str, books: Any) -> None:
    from hub.flow import publish

    owed = {"number": "W-1", "status": "open", "currency": "GBP", "net": "84120", "gross": "84120"}
    deliver(hub, [invoice("crm", "w1", account="Walnut0", **owed)])
    plan = publish.make_plan(hub.engine, books, "ana", hub.clock())
    publish.approve(hub.engine, plan, None, "ben", hub.clock())
    publish.apply(hub.engine, books, plan, hub.clock)
    page = signed_in(browser, hub, queue, "steward")
    page.goto(f"{queue}/review?q=walnut&next=")
    assert "84,120.00 GBP" in page.inner_text(".facts")
    assert "erp" in page.inner_text("section:has(#impact)")


def test_point_10_the_second_of_two_stewards_sees_the_claim_and_loses_with_a_name(
    browser: Any, hub: Hub, queue: str
) -> None:
    one, other = signed_in(browser, hub, queue, "steward"), signed_in(browser, hub, queue, "admin")
    one.goto(f"{queue}/review?q=walnut&next=")
    other.goto(one.url)
    assert "test-steward looks at this until" in told(other)
    other.click("button[value=different]")
    assert "test-steward holds task" in other.inner_text(".notice.wrong >> nth=0")
    other.click("text=Take over, and tell test-steward")
    assert "test-steward is told" in told(other)
    one.click("button[value=same]")
    assert "test-admin holds task" in one.inner_text(".notice.wrong >> nth=0")
    other.click("button[value=different]")
    one.goto(one.url)
    assert "closed" in told(one)
    one.context.close()


def test_point_10_a_question_that_changed_meanwhile_is_not_answered(browser: Any, hub: Hub, queue: str) -> None:
    page = signed_in(browser, hub, queue, "steward")
    page.goto(f"{queue}/review?q=walnut&next=")
    deliver(hub, [account("crm", "Walnut0", name="Walnut Trading Ltd", industry="Wood", at="2026-02-01T00:00:00Z")])
    page.click("button[value=same]")
    assert "crm:account:Walnut0 said something else" in told(page)
    assert "not applied" in told(page)


def test_point_11_bulk_says_the_number_before_and_is_one_undo(browser: Any, hub: Hub, queue: str) -> None:
    before, start = outcome(hub), open_ones(hub)
    page = signed_in(browser, hub, queue, "steward")
    page.goto(f"{queue}/review")
    for number in range(3):
        page.check(f"input[name=task] >> nth={number}")
    assert f"Merge 3 of {start} shown" in page.inner_text("button[value=same]")
    page.click("button[value=same]")
    assert told(page).startswith("3 of 3 merged.")
    assert open_ones(hub) == start - 3
    page.click("text=Undo the last answer")
    assert "3 decisions undone" in told(page)
    assert outcome(hub) == before


def test_point_12_not_a_match_does_not_return_with_the_same_data(browser: Any, hub: Hub, queue: str) -> None:
    page = signed_in(browser, hub, queue, "steward")
    page.goto(f"{queue}/review?q=walnut&next=")
    page.keyboard.press("n")
    page.wait_for_selector(".notice:has-text('Kept apart')")
    left = open_ones(hub)
    deliver(
        hub, [account("crm", f"Walnut{n}", name=f"Walnut Trading {form}") for n, form in enumerate(("Ltd", "Limited"))]
    )
    assert open_ones(hub) == left
    page.goto(f"{queue}/decisions?kind=different")
    page.click("button:text-is('Undo')")
    assert open_ones(hub) == left + 1


def test_point_13_a_merge_is_undone_from_the_record_and_asks_for_how_long(browser: Any, hub: Hub, queue: str) -> None:
    keys = [SourceKey.parse(f"crm:account:Walnut{n}") for n in (0, 1)]
    hub.desk(Principal("mia", "steward")).decide("same", *keys, "sure")
    page = signed_in(browser, hub, queue, "steward")
    page.goto(f"{queue}/records/account/{golden_of(hub, str(keys[0]))['id']}")
    page.click("summary:has-text('Undo this merge')")
    form = page.locator("form[action='/unmerge']")
    assert form.locator("input[name=block]").count() == 2
    assert "stays with the others" in form.inner_text()
    form.locator("input[name=reason]").fill("two companies")
    form.locator("button").click()
    assert "Parted by 1 decisions" in told(page)
    assert golden_of(hub, str(keys[0]))["id"] != golden_of(hub, str(keys[1]))["id"]


EVERYTHING = pytest.mark.parametrize("world", [everything], indirect=True)


@EVERYTHING
def test_points_6_13_a_split_is_judged_as_it_is_ticked_and_shows_what_each_would_be(
    browser: Any, hub: Hub, queue: str
) -> None:
    page = signed_in(browser, hub, queue, "steward")
    id_ = golden_of(hub, "crm:account:5")["id"]
    page.goto(f"{queue}/records/account/{id_}/split")
    assert "All sources stay" in page.inner_text(".empty")
    page.uncheck("input[value='billing:account:c5']")
    page.wait_for_selector("table.compare")
    assert page.evaluate("performance.getEntriesByType('navigation')[0].responseEnd") < 1500, "this machine may be busy"
    head = page.locator("table.compare thead").inner_text()
    assert f"Stays: {id_}" in head
    assert "another id" in head
    row = page.locator("tr", has=page.locator("th", has_text="billing address"))
    assert ["York" in text for text in row.locator("td").all_inner_texts()] == [True, False, True]
    page.fill("input[name=reason]", "a branch")
    page.click("button:has-text('Split') >> nth=-1")
    assert "Split by 2 decisions" in told(page)
    assert golden_of(hub, "crm:account:5")["id"] == golden_of(hub, "erp:account:e1")["id"] == id_
    assert golden_of(hub, "billing:account:c5")["id"] != id_
    page.keyboard.press("z")
    page.wait_for_selector(".notice:has-text('2 decisions undone')")
    assert golden_of(hub, "billing:account:c5")["id"] == id_


@EVERYTHING
def test_points_14_15_a_field_says_why_and_a_value_needs_a_reason_and_an_end_that_is_asked_about(
    browser: Any, hub: Hub, queue: str, clock: Any
) -> None:
    page = signed_in(browser, hub, queue, "steward")
    page.goto(f"{queue}/review?kind=value&next=")
    row = page.locator("tr", has=page.locator("th", has_text="payment terms")).first
    assert "NET30" in row.locator("td >> nth=0").inner_text()
    assert "erp" in row.locator("td >> nth=0").inner_text()
    row.locator("summary").click()
    row.locator("input[name=reason]").fill("they signed it")
    row.locator("button").click()
    assert page.locator("select:invalid").count() >= 1, "without an end it is not sent"
    row.locator("select").select_option("until")
    row.locator("input[name=until]").fill("2026-12-31")
    row.locator("button").click()
    assert "is set" in told(page)
    assert golden_of(hub, "crm:account:5")["values"]["payment_terms"] == "NET60"
    assert not [one for one in queries.tasks(hub.engine) if one["kind"] == "value"]
    page.goto(f"{queue}/records/account/{golden_of(hub, 'crm:account:5')['id']}")
    clock.move(days=120)
    dates.follow(hub.engine, hub.clock())
    page.goto(f"{queue}/review?kind=lapsed&next=")
    assert "set for payment terms ended on 2026-12-31" in page.inner_text(".facts")
    page.goto(f"{queue}/records/account/{golden_of(hub, 'crm:account:5')['id']}")
    why = page.locator("tr", has=page.locator("th", has_text="legal name")).locator("details").first
    why.locator("summary").click()
    assert "Judged by" in page.inner_text("main")
    assert why.locator("li").count() == 2


@EVERYTHING
def test_books_are_closed_by_an_approver_in_spite_of_what_is_open_and_the_log_keeps_what_that_was(
    browser: Any, hub: Hub, queue: str
) -> None:
    steward, approver = signed_in(browser, hub, queue, "steward"), signed_in(browser, hub, queue, "approver")
    steward.goto(f"{queue}/close")
    assert "An approver closes the books" in steward.inner_text(".empty >> nth=0")
    approver.goto(f"{queue}/close")
    said = approver.inner_text("ol.steps")
    assert "P-2 to erp" in said
    assert re.search(r"Drift that stands\s+[1-9]", said)
    approver.fill("input[name=reason]", "September is done")
    approver.check("input[name=in_spite]")
    approver.click("text=Close the books")
    assert "closed through 2026-09-30" in told(approver)
    approver.goto(f"{queue}/audit")
    assert "in spite of" in approver.inner_text("tbody tr >> nth=0")
    approver.goto(f"{queue}/close")
    approver.click("summary:text-is('closed')")
    approver.fill("form[action='/close/reopen'] input[name=reason]", "one invoice more")
    approver.click("button:has-text('Reopen')")
    assert "open again" in told(approver)


@EVERYTHING
def test_blind_answers_are_not_led_by_the_score(browser: Any, hub: Hub, queue: str) -> None:
    page = signed_in(browser, hub, queue, "steward")
    page.goto(f"{queue}/me")
    page.check("input[name=blind]")
    page.click("text=Keep")
    page.goto(f"{queue}/review?kind=match")
    assert page.locator(".chip").count() == 0
    page.click("tbody a")
    assert "Hidden while you answer" in page.inner_text("main")
    assert page.locator("svg").count() == 0


def test_point_16_who_made_a_plan_cannot_approve_it_whoever_it_is(browser: Any, hub: Hub, queue: str) -> None:
    page = signed_in(browser, hub, queue, "admin")
    page.goto(f"{queue}/publish")
    page.click("text=Plan what is owed")
    page.click("a:has-text('P-2')")
    page.click("text=Approve exactly this")
    assert "somebody else must approve it" in page.inner_text(".notice.wrong")


def test_point_17_empty_queues_say_why_they_are_empty(browser: Any, hub: Hub, queue: str, clock: Any) -> None:
    page = signed_in(browser, hub, queue, "steward")
    page.goto(f"{queue}/review?q=nobody+at+all")
    said = {page.inner_text(".empty")}
    for row in queries.tasks(hub.engine):
        hub.attending(Principal("mia", "steward")).snooze(row["id"], hub.clock() + timedelta(days=1))
    page.goto(f"{queue}/review")
    said.add(page.inner_text(".empty"))
    hub.desk(Principal("mia", "steward")).answer_all(
        [row["id"] for row in queries.tasks(hub.engine)], "different", "no"
    )
    page.goto(f"{queue}/review")
    said.add(page.inner_text(".empty"))
    assert len(said) == 3
    assert all(page.locator(".empty a").count() for _ in said)


def test_point_18_snooze_age_and_the_reason_of_the_order_are_in_the_line(
    browser: Any, hub: Hub, queue: str, clock: Any
) -> None:
    page = signed_in(browser, hub, queue, "steward")
    clock.move(days=4)
    page = signed_in(browser, hub, queue, "steward")
    page.goto(f"{queue}/review?q=walnut")
    assert "overdue by 24 h" in page.inner_text("tbody th")
    page.click("tbody a")
    page.fill("input[name=days]", "3")
    page.keyboard.press("Escape")
    page.click("button[value=snooze]")
    assert "Put off until" in told(page)
    page.goto(f"{queue}/review?q=walnut&asleep=1")
    assert "until" in page.inner_text("tbody tr >> nth=0 >> td >> nth=-1")


def test_point_38_keys_can_be_switched_off(browser: Any, hub: Hub, queue: str) -> None:
    page = signed_in(browser, hub, queue, "steward")
    page.goto(f"{queue}/me")
    page.uncheck("input[name=keys]")
    page.select_option("select[name=theme]", "dark")
    page.click("text=Keep")
    assert page.locator("html.dark").count() == 1
    page.goto(f"{queue}/review?q=walnut")
    start = open_ones(hub)
    page.keyboard.press("y")
    page.wait_for_timeout(300)
    assert open_ones(hub) == start


def test_point_39_nothing_is_asked_of_another_host(browser: Any, hub: Hub, queue: str) -> None:
    page = signed_in(browser, hub, queue, "steward")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for path in ("/", "/review", "/review?next=", "/review/numbers", "/decisions", "/help"):
        page.goto(queue + path)
    assert asked
    assert all(url.startswith(queue) for url in asked)
    assert page.errors == []
