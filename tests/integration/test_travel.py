"""Two clocks: what the hub believed, and what the sources had asserted."""

from __future__ import annotations

import pytest

from canonical.ids import SourceKey
from hub.errors import InvalidRequest, NotFound
from hub.flow.travel import asserted, believed, known, moment
from hub.store.access import Principal
from hub.wiring import Hub
from tests.worlds import account, deliver, golden_of

MIA = Principal("mia", "steward")


@pytest.fixture
def world(hub: Hub) -> Hub:
    """Acme in three versions of which the second was told late, joined with another on the fifth day."""
    deliver(hub, [account("crm", "a", name="Acme Ltd", industry="Rail", version=1, at="2026-01-01T00:00:00Z")])
    hub.clock.move(days=2)  # type: ignore[attr-defined]
    deliver(hub, [account("crm", "a", name="Acme Ltd", industry="Road", version=3, at="2026-05-01T00:00:00Z")])
    deliver(hub, [account("crm", "a", name="Acme Ltd", industry="Ships", version=2, at="2026-03-01T00:00:00Z")])
    deliver(hub, [account("billing", "b", name="Zenith AG", at="2026-04-01T00:00:00Z")])
    hub.clock.move(days=3)  # type: ignore[attr-defined]
    hub.desk(MIA).decide("same", SourceKey("billing", "account", "b"), SourceKey("crm", "account", "a"), "bought")
    return hub


@pytest.mark.parametrize(
    ("text", "industry"), [("2026-10-01", "Rail"), ("2026-10-03T12:00Z", "Road"), ("2026-10-03T11:59:59+00:00", "Rail")]
)
def test_believed_is_the_version_that_stood(world: Hub, text: str, industry: str) -> None:
    row = believed(world.engine, "crm:account:a", moment(text))
    assert row["values"]["industry"] == industry


def test_believed_follows_links_and_ids_as_they_were(world: Hub) -> None:
    now = golden_of(world, "crm:account:a")["id"]
    then = believed(world.engine, "billing:account:b", moment("2026-10-04"))
    assert [key for key, _ in then["members"]] == ["billing:account:b"]
    assert believed(world.engine, then["id"], moment("2026-10-04"))["values"]["legal_name"] == "Zenith AG"
    joined = believed(world.engine, "billing:account:b", moment("2026-10-07"))
    assert joined["id"] == now
    assert believed(world.engine, {then["id"], now}.pop(), moment("2026-10-07"))["id"] == now
    assert "believed" in joined["basis"]


def test_believed_before_anything_was_known_is_not_found(world: Hub) -> None:
    for asked in ("crm:account:a", golden_of(world, "crm:account:a")["id"], "crm:account:nobody"):
        with pytest.raises(NotFound):
            believed(world.engine, asked, moment("2026-09-30"))


@pytest.mark.parametrize(
    ("text", "industry", "members"),
    [("2026-02-01", "Rail", 1), ("2026-03-15", "Ships", 1), ("2026-04-15", "Ships", 2), ("2026-06-01", "Road", 2)],
)
def test_asserted_judges_with_what_had_been_said(world: Hub, text: str, industry: str, members: int) -> None:
    row = asserted(world.engine, "crm:account:a", moment(text))
    assert row["values"]["industry"] == industry
    assert len(row["members"]) == members
    assert (row["version"], "never stood" in row["basis"]) == (0, True)
    assert (
        asserted(world.engine, golden_of(world, "crm:account:a")["id"], moment(text))["values"]["industry"] == industry
    )


def test_asserted_now_is_what_stands(world: Hub) -> None:
    row, stands = asserted(world.engine, "crm:account:a", world.clock()), golden_of(world, "crm:account:a")
    for name in ("id", "values", "provenance", "members", "label"):
        assert row[name] == stands[name], name


def test_asserted_before_anything_was_said_is_not_found(world: Hub) -> None:
    with pytest.raises(NotFound):
        asserted(world.engine, "crm:account:a", moment("2025-12-31"))


def test_known_wants_one_clock_and_a_date(world: Hub) -> None:
    with pytest.raises(InvalidRequest):
        known(world.engine, "crm:account:a", as_of="2026-10-01", asserted_by="2026-10-01")
    with pytest.raises(InvalidRequest):
        known(world.engine, "crm:account:a", as_of="last week", asserted_by=None)


def test_graphql_answers_by_both_clocks(world: Hub) -> None:
    from hub.store import access
    from hub.store.engine import writing
    from hub.web.app import create_app

    with writing(world.engine) as connection:
        secret = access.issue(connection, Principal("r", "reader"), world.clock())
    id_ = golden_of(world, "crm:account:a")["id"]
    query = """query($id: ID!) { now: account(id: $id) { industry basis }
      then: account(id: $id, believedAt: "2026-10-02") { industry basis version }
      said: account(id: $id, asOf: "2026-03-15") { industry basis } }"""
    with create_app(world).test_client() as client:
        headers = {"Authorization": f"Bearer {secret}"}
        found = client.post("/graphql", json={"query": query, "variables": {"id": id_}}, headers=headers).get_json()
    data = found["data"]
    assert (data["now"]["basis"], data["then"]["version"]) == (None, 1)
    assert [data[name]["industry"] for name in ("now", "then", "said")] == ["Road", "Rail", "Ships"]
