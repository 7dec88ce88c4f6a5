"""The situations of the field, in its own words: `tests/cases/*.yaml`, on both stores, in both directions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from hub import queries
from hub.wiring import Hub
from tests.worlds import deliver, empty, golden_of

CASES = sorted((Path(__file__).resolve().parents[1] / "cases").glob("*.yaml"))


@pytest.mark.parametrize("path", CASES, ids=lambda p: p.stem)
def test_case_ends_as_it_should(hub: Hub, path: Path) -> None:
    case = YAML(typ="safe").load(path.read_text("utf-8"))
    assert len(case["why"]) > 20
    payloads = [{"kind": "account", "at": "2026-01-01", **given} for given in case["given"]]
    for stream in (payloads, payloads[::-1]):
        empty(hub)
        deliver(hub, stream)
        _check(hub, case["then"])


def _check(hub: Hub, then: dict[str, Any]) -> None:
    ids = []
    for golden in then["golden"]:
        held = {golden_of(hub, key)["id"] for key in golden["holds"]}
        assert len(held) == 1, golden["holds"]
        ids += held
        values = golden_of(hub, golden["holds"][0])["values"]
        for name, value in golden.get("values", {}).items():
            assert values[name] == value
    assert len(set(ids)) == len(ids)
    if "asks" in then:
        assert [task["reason"] for task in queries.tasks(hub.engine)] == then["asks"]
