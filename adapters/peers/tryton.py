"""A real Tryton server of its own: own environment, own process, own books, gone when it is stopped.

The first time, the server is installed from the package index into a folder of the user's cache and books
are set up once; each server then starts from a copy of those books. Tryton is GPL-3.0: it is installed and
run as a separate program, and nothing of it is imported here.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import subprocess
import sys
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from adapters.errors import TargetUnavailable

PACKAGES = ("trytond~=8.2.0", "proteus~=8.2.0", "trytond-account-invoice~=8.2.0", "pycountry~=24.6")
MODULES = ("party", "company", "product", "account_invoice")
USER, PASSWORD, DATABASE = "hub", "hub-password", "books"
_SETUP = Path(__file__).with_name("tryton_setup.py")
_PATIENCE = 60.0  # seconds until a server must answer


class TrytonServer:
    """A server that runs while the context is open; `options` are those of a target of the kind `tryton`."""

    def __init__(self, folder: Path, *, port: int | None = None, cache: Path | None = None) -> None:
        """The books are kept in the folder, and found again there; nothing is started yet."""
        self.folder, self.port = folder, port or _free_port()
        self.cache = cache or cache_folder()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def options(self) -> dict[str, Any]:
        """How to reach it."""
        url = f"http://127.0.0.1:{self.port}/"
        return {"url": url, "database": DATABASE, "user": USER, "password": PASSWORD}

    @property
    def environment(self) -> Path:
        """The installed server's own environment."""
        return installed(self.cache)

    def start(self) -> None:
        """Start it and wait until it answers. Raises TargetUnavailable."""
        self.folder.mkdir(parents=True, exist_ok=True)
        books = self.folder / f"{DATABASE}.sqlite"
        if not books.exists():
            shutil.copyfile(template(self.cache), books)
        config = _config(self.folder, self.port)
        with (self.folder / "server.log").open("ab") as log:
            command = [str(self.environment / "bin" / "trytond"), "-c", str(config), "-d", DATABASE]
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder)  # noqa: S603
        self._wait()

    def stop(self, *, kill: bool = False) -> None:
        """Stop it; with `kill` at once and without a word."""
        if self._process is not None:
            self._process.kill() if kill else self._process.terminate()
            self._process.wait(30)
            self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self.stop()

    def _wait(self) -> None:
        ends = time.monotonic() + _PATIENCE
        while time.monotonic() < ends:
            if self._process is None or self._process.poll() is not None:
                break
            with socket.socket() as tried:
                tried.settimeout(1)
                if tried.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.1)
        self.stop(kill=True)
        raise TargetUnavailable(f"Tryton did not start; {self.folder / 'server.log'} says why.")


def cache_folder() -> Path:
    """Where the installed server and its first books are kept: CONCORD_PEERS, else the user's cache."""
    said = os.environ.get("CONCORD_PEERS")
    if said:
        return Path(said)
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "concord" / "peers"


def installed(cache: Path) -> Path:
    """The environment with the server in it, made the first time. Raises TargetUnavailable when it cannot be had."""
    made = cache / f"tryton-{_digest(*PACKAGES, sys.version)}"
    with _alone(cache, made.name):
        if not (made / "complete").exists():
            shutil.rmtree(made, ignore_errors=True)
            venv.create(made, with_pip=True)
            _run([str(made / "bin" / "pip"), "install", "-q", "--disable-pip-version-check", *PACKAGES], made)
            (made / "complete").touch()
    return made


def template(cache: Path) -> Path:
    """Fresh books, made the first time: a company, a chart of accounts, open years, currencies, a user."""
    environment = installed(cache)
    made = cache / f"tryton-books-{_digest(*PACKAGES, _SETUP.read_text())}"
    books = made / f"{DATABASE}.sqlite"
    with _alone(cache, made.name):
        if not (made / "complete").exists():
            shutil.rmtree(made, ignore_errors=True)
            made.mkdir(parents=True)
            books.touch()
            config = _config(made, 0)
            admin = [str(environment / "bin" / "trytond-admin"), "-c", str(config), "-d", DATABASE]
            _run([*admin, "-u", *MODULES, "--activate-dependencies", "--email", "root@books.example"], made)
            _run([str(environment / "bin" / "python"), str(_SETUP), str(config), DATABASE], made)
            (made / "complete").touch()
    return books


def _config(folder: Path, port: int) -> Path:
    path = folder / "trytond.conf"
    path.write_text(
        f"[database]\nuri = sqlite://\npath = {folder}\n[web]\nlisten = 127.0.0.1:{port}\n[session]\nmax_age = 86400\n"
    )
    return path


def _run(command: list[str], folder: Path) -> None:
    (folder / "password").write_text("books-administrator\n")
    environment = {**os.environ, "TRYTONPASSFILE": str(folder / "password")}
    done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, env=environment, check=False)  # noqa: S603
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise TargetUnavailable(
            f"Tryton cannot be set up: {said[-1] if said else command[0]}.",
            hint="The first time, the package index must be in reach; CONCORD_PEERS says where it is kept.",
        )


@contextmanager
def _alone(cache: Path, name: str) -> Iterator[None]:
    """Only one process makes one thing."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"{name}.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _digest(*said: str) -> str:
    return sha256("\0".join(said).encode()).hexdigest()[:12]


def _free_port() -> int:
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return int(tried.getsockname()[1])
