"""Configuration as files: out of one hub, into another, and never on top of what nobody looked at."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hub.errors import Conflict, InvalidRequest
from hub.flow.configuration import apply, compare, export
from hub.flow.promote import Will
from hub.settings import Settings
from hub.wiring import Hub
from tests.conftest import FixedClock
from tests.people import customers
from tests.worlds import deliver, enforce

WILL = Will("ana", "the same rules everywhere")


@pytest.fixture
def other(tmp_path: Path, clock: FixedClock) -> Hub:
    made = Hub(Settings(dir=tmp_path / "other"), clock)
    made.prepare()
    return made


def test_what_was_exported_applied_to_an_empty_hub_leaves_no_difference(hub: Hub, other: Hub, tmp_path: Path) -> None:
    enforce(hub, "account", {"approval": []})
    export(hub.engine, tmp_path / "files")
    assert compare(hub.engine, tmp_path / "files").differences == ()
    found = compare(other.engine, tmp_path / "files")
    assert set(found.drafts) == {"account"}
    assert {one.file for one in found.differences} == {"rules/account.yaml"}
    apply(other.engine, tmp_path / "files", found.base, WILL, other.clock())
    assert compare(other.engine, tmp_path / "files").differences == ()
    assert other.rulesets["account"].version == hub.rulesets["account"].version


def test_a_wrong_base_is_refused_and_changes_nothing(hub: Hub, tmp_path: Path) -> None:
    export(hub.engine, tmp_path)
    path = tmp_path / "rules" / "account.yaml"
    path.write_text(path.read_text("utf-8").replace("  match: 9\n", "  match: 8\n"), "utf-8")
    looked = compare(hub.engine, tmp_path)
    assert [(one.path, one.before, one.after) for one in looked.differences] == [("matching.match", 9.0, 8.0)]
    enforce(hub, "invoice", {"approval": []})
    before = hub.rulesets["account"].version
    for base in (looked.base, "", "0000"):
        with pytest.raises(Conflict, match="nothing was changed"):
            apply(hub.engine, tmp_path, base, WILL, hub.clock())
    assert hub.rulesets["account"].version == before


def test_applied_rules_judge_what_is_there(hub: Hub, tmp_path: Path) -> None:
    deliver(hub, customers(20)[0])
    export(hub.engine, tmp_path)
    path = tmp_path / "rules" / "account.yaml"
    path.write_text(path.read_text("utf-8").replace("  match: 9\n", "  match: 7\n"), "utf-8")
    found = apply(hub.engine, tmp_path, compare(hub.engine, tmp_path).base, WILL, hub.clock())
    assert set(found.drafts) == {"account"}
    assert hub.rulesets["account"].document.matching.match == 7.0


def test_schedules_travel_too_and_what_is_not_named_stays(hub: Hub, other: Hub, tmp_path: Path) -> None:
    export(hub.engine, tmp_path)
    rows = json.loads((tmp_path / "schedules.json").read_text())
    nightly = {
        "id": "nightly",
        "job": "publish",
        "target": "erp",
        "cron": "0 2 * * *",
        "timezone": "Europe/Berlin",
        "paused": False,
    }
    (tmp_path / "schedules.json").write_text(json.dumps([*rows, nightly]))
    found = compare(other.engine, tmp_path)
    assert [one.path for one in found.differences] == ["nightly"]
    apply(other.engine, tmp_path, found.base, WILL, other.clock())
    assert compare(other.engine, tmp_path).differences == ()
    (tmp_path / "schedules.json").unlink()
    assert compare(other.engine, tmp_path).differences == ()


@pytest.mark.parametrize("text", ["{", "[1]", '[{"id": "x"}]'])
def test_broken_files_are_refused_with_words(hub: Hub, tmp_path: Path, text: str) -> None:
    export(hub.engine, tmp_path)
    (tmp_path / "schedules.json").write_text(text)
    with pytest.raises(InvalidRequest, match=r"schedules\.json"):
        compare(hub.engine, tmp_path)
    with pytest.raises(InvalidRequest, match="no rule documents"):
        compare(hub.engine, tmp_path / "nowhere")
