"""Rules and configuration over GraphQL: the same nine things that the command line does, with the same answers."""

from __future__ import annotations

from typing import Any

import pytest

from hub.flow.wording import texts_of
from hub.store import codes, schedules
from hub.store.access import Principal
from hub.store.engine import reading, writing
from hub.web.graphql.schema import build
from hub.wiring import Hub
from rules.ruleset import shipped
from tests.worlds import account, deliver, golden_of

SCHEMA = build()
BEFORE = "fields: [legal_name, trading_name, kind, status, parent, domain, industry, segment], system: crm"
ERRORS = "userErrors { code message }"
SIMULATE = (
    f"mutation ($document: String!) {{ simulateRules(document: $document) {{ simulation {{ id counts }} {ERRORS} }} }}"
)
PROMOTE = f'mutation ($id: Int!) {{ promoteRules(entity: "account", simulation: $id, reason: "asked for") {{ version {ERRORS} }} }}'
FILES = "$files: [ConfigurationFileInput!]!"
DIFF = f"query ({FILES}) {{ configurationDiff(files: $files) {{ base changes {{ part name words }} }} }}"
APPLY = f'mutation ({FILES}, $base: String!) {{ applyConfiguration(files: $files, base: $base, reason: "as agreed") {{ base changes {{ part name }} {ERRORS} }} }}'
MAPPING = """# what the shop says
system: shop
entities:
  - entity: account
    key: id
    fields: {legal_name: name, status: {path: state, codes: {A: active}}}
"""


@pytest.fixture
def world(hub: Hub) -> Hub:
    deliver(hub, [
        account("crm", "a", name="Acorn Foods Ltd", industry="Food", tax="GB980780684", country="GB"),
        account("billing", "b", name="Acorn Foods Limited", industry="Meals", tax="GB980780684", country="GB"),
    ])  # fmt: skip
    return hub


def ask(hub: Hub, query: str, name: str = "ann", role: str = "engineer", **variables: Any) -> Any:
    context = {"hub": hub, "principal": Principal(name, role)}
    found = SCHEMA.execute(query, context=context, variables=variables)
    assert found.errors is None, found.errors
    (answer,) = found.data.values()
    return answer


def draft() -> str:
    text = shipped()["account"].text
    assert BEFORE in text
    return text.replace(BEFORE, BEFORE.replace("system: crm", "system: billing"))


def files(**texts: str) -> list[dict[str, str]]:
    return [{"name": name, "text": text} for name, text in texts.items()]


@pytest.mark.promise("A-22")
def test_draft_is_simulated_by_one_and_promoted_by_another(world: Hub) -> None:
    made = ask(world, SIMULATE, document=draft())
    assert made["userErrors"] == []
    number = made["simulation"]["id"]
    assert made["simulation"]["counts"]["values"] == 2
    refused = ask(world, PROMOTE, id=number)
    assert refused["userErrors"][0]["message"].startswith("ann simulated")
    assert ask(world, PROMOTE, name="ben", role="reader", id=number)["userErrors"][0]["code"] == "HUB-4302"
    assert ask(world, PROMOTE, name="ben", id=number)["userErrors"] == []
    assert golden_of(world, "crm:account:a")["values"]["industry"] == "Meals"
    versions = ask(world, '{ ruleVersions(entity: "account") { version state author simulation document } }')
    assert [(one["state"], one["author"], one["simulation"]) for one in versions] == [
        ("live", "ben", number),
        ("retired", None, None),
    ]
    assert versions[0]["document"] == draft()
    back = 'mutation ($v: String!) { rollBackRules(entity: "account", version: $v, reason: "mistaken") { simulation userErrors { code } } }'
    assert ask(world, back, v=versions[1]["version"])["simulation"] == number + 1
    assert golden_of(world, "crm:account:a")["values"]["industry"] == "Food"
    proof = ask(world, "{ prove { records golden differences first { subject } } }")
    assert proof == {"records": 2, "golden": 1, "differences": 0, "first": []}


def test_simulations_are_listed_and_shown_in_full(world: Hub) -> None:
    number = ask(world, SIMULATE, document=draft())["simulation"]["id"]
    (one,) = ask(world, "{ simulations { id entity createdBy report } }")
    assert one == {"id": number, "entity": "account", "createdBy": "ann", "report": None}
    report = ask(world, f"{{ simulation(id: {number}) {{ report }} }}")["report"]
    assert [(line["from"], line["to"]) for line in report["fields"] if line["field"] == "industry"] == [
        ("crm", "billing")
    ]


def test_document_is_checked_with_places(world: Hub) -> None:
    check = (
        "query ($document: String!) { checkRules(document: $document) { version error remarks { line rule words } } }"
    )
    assert ask(world, check, document=draft())["remarks"] == []
    idle = draft().replace(
        "  - id: rank\n", "  - {id: again, fields: [email], take: owner, why: Said once more here.}\n  - id: rank\n"
    )
    (one,) = ask(world, check, document=idle)["remarks"]
    assert one["rule"] == "again"
    assert idle.splitlines()[one["line"] - 1].strip().startswith("- {id: again")
    wrong = ask(world, check, document="entity: acount")
    assert wrong["version"] is None
    assert "draft.yaml" in wrong["error"]


@pytest.mark.promise("A-42")
def test_exported_configuration_differs_in_nothing(world: Hub) -> None:
    here = ask(world, "{ configuration { base files { name text } } }")
    names = [one["name"] for one in here["files"]]
    assert names[0] == "rules/account.yaml"
    assert {"mappings/crm.yaml", "schedules.yaml"} <= set(names)
    assert ask(world, DIFF, files=here["files"]) == {"base": here["base"], "changes": []}


@pytest.mark.promise("A-42")
def test_mapping_codes_and_targets_go_in_together_against_their_base(world: Hub) -> None:
    codes_text = "codes: {shop: {account: {status: {X: suspended}}}}\n"
    targets = "books: {kind: file}\n"
    wanted = files(**{"mappings/shop.yaml": MAPPING, "codes.yaml": codes_text, "targets.yaml": targets})
    seen = ask(world, DIFF, files=wanted)
    assert [(one["part"], one["name"]) for one in seen["changes"]] == [
        ("mapping", "shop"), ("codes", "shop:account:status"), ("targets", "targets.yaml"),
    ]  # fmt: skip
    assert ask(world, APPLY, files=wanted, base="0" * 16)["userErrors"][0]["code"] == "HUB-4220"
    assert ask(world, APPLY, role="steward", files=wanted, base=seen["base"])["userErrors"][0]["code"] == "HUB-4302"
    made = ask(world, APPLY, files=wanted, base=seen["base"])
    assert made["userErrors"] == []
    assert made["base"] != seen["base"]
    assert world.source("shop").text == MAPPING
    assert world.targets == ("books",)
    with reading(world.engine) as connection:
        assert codes.in_force(connection) == {("shop", "account", "status"): {"X": "suspended"}}
    assert ask(world, DIFF, files=wanted)["changes"] == []
    assert {"mappings/shop.yaml", "codes.yaml", "targets.yaml"} <= texts_of(world.configuration()).keys()


def test_configuration_that_cannot_be_is_refused_whole(world: Hub) -> None:
    base = world.configuration().seal
    for name, text in {
        "mappings/shop.yaml": MAPPING.replace("system: shop", "system: store"),
        "codes.yaml": "codes: {crm: {account: {status: {X: sleepy}}}}\n",
        "schedules.yaml": "schedules: {nightly: {job: dance, cron: 0 2 * * *}}\n",
        "secrets.yaml": "a: b\n",
    }.items():
        both = files(**{name: text, "targets.yaml": "books: {kind: file}\n"})
        assert ask(world, APPLY, files=both, base=base)["userErrors"], name
    assert world.configuration().seal == base


def test_schedule_of_a_file_is_followed(world: Hub) -> None:
    with writing(world.engine) as connection:
        schedules.put(connection, {"id": "n", "job": "publish", "target": "erp", "cron": "0 2 * * *", "timezone": "UTC", "paused": False})  # fmt: skip
    text = dict(texts_of(world.configuration()))["schedules.yaml"].replace("0 2 * * *", "0 3 * * *")
    made = ask(world, APPLY, files=files(**{"schedules.yaml": text}), base=world.configuration().seal)
    assert made["changes"] == [{"part": "schedule", "name": "n"}]
