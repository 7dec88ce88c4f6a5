"""The fakes as a test kit: run by a command, switched over HTTP."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from typing import Any

import pytest

from adapters.base import Connection
from adapters.errors import TargetUnavailable
from adapters.peers.__main__ import FAKES, main
from adapters.registry import KINDS
from adapters.transport import Manners


def ask(url: str, body: dict[str, Any] | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data)) as answer:  # noqa: S310 (this machine's)
        return json.loads(answer.read())


@pytest.mark.parametrize("kind", sorted(FAKES))
def test_fake_runs_by_a_command_and_its_trouble_is_switched_over_http(
    kind: str, capsys: pytest.CaptureFixture[str], tmp_path: Any
) -> None:
    until = threading.Event()
    running = threading.Thread(target=main, args=([kind], until))
    running.start()
    said = ""
    while not said:
        said = capsys.readouterr().out
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
        until.set()
        running.join()
        holder = getattr(target, "gateway", None) or getattr(getattr(target, "odoo", None), "wire", None) or target
        holder.transport.close()  # type: ignore[union-attr]
