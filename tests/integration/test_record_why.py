"""Why, asked of a hub: what the rules come to again is what was written down, for every field of every record."""

from __future__ import annotations

from click.testing import CliRunner

from hub import queries
from hub.cli import cli
from hub.store.access import Principal
from hub.wiring import Hub
from tests.worlds import account, deliver, golden_of, invoice

ACORN = {"name": "Acorn Foods Ltd", "tax": "GB980780684", "country": "GB"}


def world(hub: Hub) -> None:
    deliver(
        hub,
        [
            account("crm", "1", **ACORN, industry="Rail", terms="NET30"),
            account("billing", "c1", **ACORN | {"name": "ACORN FOODS LIMITED"}, city="Hull", industry="Ships"),
            account("erp", "e1", **ACORN, city="Leeds", terms="NET60", at="2026-03-01T00:00:00Z"),
            account("crm", "2", name="Birch AG", email="test@test.com"),
            invoice("billing", "i1", number="INV-1", status="open", account="c1", currency="EUR", gross="12.5"),
            account("crm", "1", **ACORN, industry="Road", at="2026-02-01T00:00:00Z"),
        ],
    )


def test_why_asked_again_is_what_was_written_down(hub: Hub) -> None:
    world(hub)
    asked = 0
    for key in ("crm:account:1", "crm:account:2", "billing:invoice:i1"):
        golden = golden_of(hub, key)
        ruling = queries.rulings(hub.engine, [golden])[golden["id"]]
        for field in queries.fields(golden):
            found = queries.reason(field, golden, ruling)
            assert found.stands, field.name
            assert found.again is not None
            assert found.again.value == field.value
            assert len(found.again.candidates) == len(field.losers) + 1
            asked += 1
    assert asked > 10


def test_why_says_who_won_who_lost_and_what_would_flip_it(hub: Hub) -> None:
    world(hub)
    _, found = queries.why(hub.engine, "crm:account:1", "payment_terms")
    assert found.again is not None
    assert [(v.key, v.value, v.outcome.value) for v in found.again.candidates] == [("erp:account:e1", "NET60", "won")]
    _, found = queries.why(hub.engine, "crm:account:1", "industry")
    assert found.again is not None
    assert [(v.system, v.value, v.reason) for v in found.again.candidates] == [
        ("crm", "Road", "rule owner takes owner"),
        ("billing", "Ships", "crm is the system of record"),
    ]
    assert queries.flip_words(found.again) == "were crm:account:1 silent: Ships"


def test_why_says_so_when_what_the_rules_look_at_has_changed_since(hub: Hub) -> None:
    """A target that has acknowledged turns what it says into an echo; the next judgement takes note of it."""
    world(hub)
    golden = golden_of(hub, "crm:account:1")
    field = next(one for one in queries.fields(golden) if one.name == "industry")
    assert not queries.reason(field, golden, None).stands
    stale = {**golden, "provenance": {**golden["provenance"], "industry": [None, "gone", None, []]}}
    ruling = queries.rulings(hub.engine, [golden])[golden["id"]]
    assert not queries.reason(field, stale, ruling).stands


def test_why_of_an_override_names_the_steward(hub: Hub) -> None:
    world(hub)
    from canonical.ids import SourceKey

    key = SourceKey.parse("crm:account:1")
    hub.desk(Principal("mia", "steward")).override(key, "industry", "Air", reason="they told us")
    _, found = queries.why(hub.engine, "crm:account:1", "industry")
    assert found.again is not None
    assert found.stands
    assert [v.system for v in found.again.candidates] == ["steward", "crm", "billing"]
    assert (queries.flip_words(found.again) or "").endswith(": Road")


def test_command_record_why_reads_as_text_and_as_a_document(hub: Hub, monkeypatch: object) -> None:
    import orjson

    world(hub)
    monkeypatch.setattr("hub.cli.data.open_hub", lambda _directory: hub)  # type: ignore[attr-defined]
    told = CliRunner().invoke(cli, ["record", "why", "crm:account:1", "industry"]).output
    assert "lost: billing:account:c1  Ships" in told
    assert "it would flip were crm:account:1 silent: Ships" in told
    done = CliRunner().invoke(cli, ["record", "why", "crm:account:1", "industry", "--format", "json"]).output
    document = orjson.loads(done)
    assert document["value"] == "Road"
    assert [c["outcome"] for c in document["candidates"]] == ["won", "lost"]
    assert document["flip"] == {"kind": "value", "change": "were crm:account:1 silent", "value": "Ships", "days": 0.0}


def test_why_without_a_field_shows_what_each_comparison_added_to_a_link(hub: Hub, monkeypatch: object) -> None:
    import orjson

    world(hub)
    view, ties = queries.ties(hub.engine, "crm:account:1")
    assert {key.split(":")[0] for tie in ties for key in (tie.left, tie.right)} == {"billing", "crm", "erp"}
    assert all(tie.score > 9 for tie in ties)
    assert {name for name, _, weight in ties[0].parts if weight > 0} >= {"tax-id", "name"}
    monkeypatch.setattr("hub.cli.data.open_hub", lambda _directory: hub)  # type: ignore[attr-defined]
    told = CliRunner().invoke(cli, ["record", "why", "crm:account:1"]).output
    assert "+12.0  tax-id" in told
    assert view.golden["id"] in told
    document = orjson.loads(CliRunner().invoke(cli, ["record", "why", "crm:account:1", "--format", "json"]).output)
    assert document["evidence"][0]["score"] == ties[0].score
    assert {part["comparison"] for part in document["evidence"][0]["parts"]} >= {"tax-id", "name"}
