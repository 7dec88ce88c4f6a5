"""The fakes as a test kit: run by a command, switched over HTTP."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from adapters.base import Connection
from adapters.errors import TargetUnavailable
from adapters.peers.__main__ import FAKES
from adapters.registry import KINDS
from adapters.transport import Manners


def ask(url: str, body: dict[str, Any] | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data)) as answer:  # noqa: S310 (this machine's)
        return json.loads(answer.read())


@pytest.mark.parametrize("kind", sorted(FAKES))
def test_fake_runs_by_a_command_and_its_trouble_is_switched_over_http(kind: str, tmp_path: Any) -> None:
    command = [sys.executable, "-m", "adapters.peers", kind]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[3])
    assert running.stdout is not None
    said = running.stdout.readline()
    options = json.loads(said)["erp"]
    assert options.pop("kind") == kind
    hasty = Manners(tries=2, sleep=lambda _: None)
    target = KINDS[kind](Connection("erp", kind, tmp_path, {**options, "manners": hasty}))
    try:
        assert target.check()
        switch = f"{options['url']}_faults"
        for _ in range(2):
            ask(switch, {"trouble": "cut after"})
        assert ask(switch)["waiting"] == [{"trouble": "cut after", "when": ""}] * 2
        with pytest.raises(TargetUnavailable):
            target.check()
        assert ask(switch) == {"waiting": [], "met": ["cut after"] * 2}
        assert target.check()
        with pytest.raises(urllib.error.HTTPError, match="400") as wrong:
            ask(switch, {"trouble": "none such"})
        wrong.value.close()
    finally:
        running.terminate()
        running.wait(30)
        running.stdout.close()
        holder = getattr(target, "gateway", None) or getattr(getattr(target, "odoo", None), "wire", None) or target
        holder.transport.close()  # type: ignore[union-attr]
