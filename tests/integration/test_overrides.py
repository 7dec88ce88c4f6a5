"""Values that stewards set: how long they stand, and what is told of them."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import graphene
import pytest
from click.testing import CliRunner

from canonical.ids import SourceKey
from hub.errors import InvalidRequest, NotFound
from hub.flow.replay import verify
from hub.store.access import Principal
from hub.web.graphql.schema import build
from hub.wiring import Hub
from tests.conftest import FixedClock
from tests.worlds import account, deliver, golden_of

MIA = Principal("mia", "steward")
KEY = SourceKey("crm", "account", "a")
SCHEMA: graphene.Schema = build()
ALL = "{ valuesSet { record golden field value state ends author reason } }"
SET = 'mutation ($key: String!, $value: JSON!, $until: String) { setValue(key: $key, field: "industry", value: $value, reason: "they said", until: $until, whileSaid: true) { decision userErrors { code message } } }'


def ask(hub: Hub, query: str, **variables: Any) -> dict[str, Any]:
    found = SCHEMA.execute(query, context={"hub": hub, "principal": MIA}, variables=variables)
    assert found.errors is None
    return dict(found.data)


@pytest.fixture
def told(hub: Hub) -> Hub:
    deliver(hub, [account("crm", "a", name="Acorn Foods Ltd", industry="Rail")])
    return hub


def test_value_set_while_the_record_says_the_same_is_outdated_by_its_next_word(told: Hub) -> None:
    said = ask(told, SET, key=str(KEY), value="Ships")["setValue"]
    assert said["userErrors"] == []
    (one,) = ask(told, ALL)["valuesSet"]
    assert (one["state"], one["value"], one["golden"]) == ("stands", "Ships", golden_of(told, str(KEY))["id"])
    assert one["ends"] == "when crm:account:a says something else"
    deliver(told, [account("crm", "a", name="Acorn Foods Ltd", industry="Road", at="2026-05-01T00:00:00Z")])
    assert golden_of(told, str(KEY))["values"]["industry"] == "Road"
    assert [one["state"] for one in ask(told, ALL)["valuesSet"]] == ["outdated"]
    assert verify(told.engine).first == []


def test_value_set_on_a_silent_field_ends_when_the_record_speaks_of_it(told: Hub) -> None:
    told.desk(MIA).override(KEY, "trading_name", "Acorn", reason="their sign", while_said=True)
    assert golden_of(told, str(KEY))["values"]["trading_name"] == "Acorn"
    later = account("crm", "a", name="Acorn Foods Ltd", industry="Rail", trading_name="Oak", at="2026-05-01T00:00:00Z")
    deliver(told, [later])
    assert golden_of(told, str(KEY))["values"]["trading_name"] == "Oak"


def test_value_that_ends_before_now_is_refused(told: Hub, clock: FixedClock) -> None:
    with pytest.raises(InvalidRequest, match="is over"):
        told.desk(MIA).override(KEY, "industry", "Ships", reason="x", until=clock.now - timedelta(days=1))
    said = ask(told, SET, key=str(KEY), value="Ships", until="tomorrow")["setValue"]
    assert said["userErrors"][0]["message"] == "'tomorrow' is not a time."


def test_value_of_a_record_that_is_not_here_is_refused(told: Hub) -> None:
    with pytest.raises(NotFound, match="crm:account:zzz"):
        told.desk(MIA).override(SourceKey("crm", "account", "zzz"), "industry", "Ships", reason="x")


def test_commands_set_and_list_values(told: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    from hub.cli import overriding, steward

    monkeypatch.setattr(overriding, "open_hub", lambda _directory: told)
    run = CliRunner().invoke
    made = run(steward.review, ["override", str(KEY), "industry", "Ships", "--reason", "they said", "--as", "mia"])
    assert made.exit_code == 0, made.output
    assert golden_of(told, str(KEY))["values"]["industry"] == "Ships"
    (row,) = json.loads(run(steward.review, ["overrides", "--format", "json"]).output)
    assert (row["value"], row["ends"], row["author"]) == ("Ships", "never", "mia")
