"""Where files are put: a folder of this machine, or another one. Under their name they are whole, always."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from adapters import book
from adapters.errors import TargetUnavailable


class Place(Protocol):
    """Somewhere that files are put and acknowledgements are read."""

    def check(self) -> str:
        """Reach it and say what it is. Raises TargetUnavailable or TargetRefuses."""
        ...

    def put(self, name: str, content: bytes) -> None:
        """Put a file there, whole; the same file again changes nothing."""
        ...

    def names(self, folder: str) -> list[str]:
        """The finished files of a folder there, sorted; none where there is no folder."""
        ...

    def get(self, folder: str, name: str) -> bytes:
        """What a file holds."""
        ...


class Folder:
    """A folder of this machine."""

    def __init__(self, root: Path) -> None:
        """It is made when something is put."""
        self.root = root

    def check(self) -> str:
        """The folder."""
        return f"folder {self.root}"

    def put(self, name: str, content: bytes) -> None:
        """Aside, made to last, renamed. Raises TargetUnavailable."""
        there = self.root / name
        if not (there.exists() and there.read_bytes() == content):
            book.put(self.root, name, content)

    def names(self, folder: str) -> list[str]:
        """Finished files only."""
        return sorted(path.name for path in (self.root / folder).glob("*") if path.is_file() and whole(path.name))

    def get(self, folder: str, name: str) -> bytes:
        """What a file holds. Raises TargetUnavailable."""
        try:
            return (self.root / folder / name).read_bytes()
        except OSError as error:
            raise TargetUnavailable(f"{name} cannot be read: {error.strerror}.") from error


def whole(name: str) -> bool:
    """Whether nobody is still writing the file of that name."""
    return not name.startswith(".") and not name.endswith((".part", ".tmp"))
