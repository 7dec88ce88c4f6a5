"""PySpark for tests: installed the first time into the user's cache, since it is larger than all else together."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

from adapters.peers.tryton import cache_folder

PACKAGES = ("pyspark==4.3.0", "py4j==0.10.9.9", "pandas==2.3.3", "python-dateutil", "six", "pytz", "tzdata")


class NoSpark(Exception):
    """Why Spark cannot be had here."""


def site() -> Path:
    """The folder with PySpark and what it stands on, to be put in PYTHONPATH. Raises NoSpark."""
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        raise NoSpark("there is no Java")
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    made = cache / f"pyspark-{sha256(' '.join((*PACKAGES, sys.version)).encode()).hexdigest()[:12]}"
    with (cache / f"{made.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (made / "complete").exists():
            shutil.rmtree(made, ignore_errors=True)
            pip = ["-m", "pip", "install", "-q", "--no-deps", "--disable-pip-version-check", "--target", str(made)]
            done = subprocess.run([_python(), *pip, *PACKAGES], capture_output=True, text=True)
            if done.returncode:
                raise NoSpark(f"PySpark cannot be installed: {(done.stderr.strip().splitlines() or ['no word'])[-1]}")
            (made / "complete").touch()
    return made


def _python() -> str:
    """A Python with pip: this one, or the one that its environment was made of."""
    own = subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True)
    return (
        sys.executable
        if own.returncode == 0
        else str(Path(sys.base_prefix) / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}")
    )


def environment() -> dict[str, str]:
    """The environment in which a process finds PySpark. Raises NoSpark."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join((str(site()), str(Path(__file__).resolve().parents[1])))}
