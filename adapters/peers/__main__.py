"""`python -m adapters.peers KIND`: a fake system on this machine, until it is interrupted.

Says on standard output what `targets.yaml` needs to reach it. `POST /_faults` with `{"trouble": "cut after",
"when": "text of the request"}` plays trouble on the next request that holds this text; `GET /_faults` says what
waits and what was met.
"""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Callable, Sequence

import orjson

from adapters.peers.business_central import FakeBusinessCentral
from adapters.peers.fake import Fake
from adapters.peers.netsuite import FakeNetSuite
from adapters.peers.odoo import FakeOdoo
from adapters.peers.sap import FakeSap

FAKES: dict[str, Callable[..., Fake]] = {
    "odoo": FakeOdoo, "sap": FakeSap, "netsuite": FakeNetSuite, "business_central": FakeBusinessCentral,
}  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one until the process is ended."""
    parser = argparse.ArgumentParser(prog="python -m adapters.peers", description="A fake system to publish to.")
    parser.add_argument("kind", choices=sorted(FAKES))
    parser.add_argument("--port", type=int, default=0, help="0, the default, is any that is free")
    said = parser.parse_args(arguments)
    with FAKES[said.kind](port=said.port) as fake:
        options = orjson.dumps({"erp": {"kind": said.kind, **fake.options}}).decode()
        sys.stdout.write(f"{options}\n")
        sys.stdout.flush()
        threading.Event().wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
