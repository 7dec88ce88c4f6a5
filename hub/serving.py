"""The production server: granian's processes over the application, and a worker beside them."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from functools import lru_cache
from typing import Any

from hub.settings import Settings
from hub.wiring import Hub


def serve_forever(hub: Hub, port: int) -> None:
    """Serve until stopped; the worker ends with the server."""
    from granian import Granian
    from granian.constants import Interfaces

    os.environ["HUB_DIR"] = str(hub.settings.dir.absolute())
    os.environ["HUB_SECRET"] = hub.secret
    worker = subprocess.Popen([sys.executable, "-m", "hub", "work"])
    try:
        Granian(
            "hub.serving:application",
            factory=True,
            address=hub.settings.host,
            port=port,
            interface=Interfaces.WSGI,
            workers=hub.settings.processes,
            blocking_threads=4,
            log_access=False,
        ).serve()
    finally:
        worker.terminate()
        worker.wait(30)


@lru_cache(maxsize=1)
def application() -> Any:
    """The WSGI application of this process, over the hub of the environment."""
    from hub import log
    from hub.web.app import create_app

    log.configure()
    made = create_app(Hub(Settings()))
    settle()
    return made


def settle() -> None:
    """Leave out of garbage collection what was loaded at the start and lives as long as the process.

    A full collection over it takes longer than a page (`tests.benchmarks.console`).
    """
    gc.collect()
    gc.freeze()
