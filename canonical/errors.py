"""The root of every error that Concord raises, and the model's own.

An error here is about the world or about a bug; a problem in somebody's *data* is a finding
(`canonical.findings`). Each class has a stable public code; its docstring is the explanation that
`hub explain CODE` prints.
"""

from __future__ import annotations

from collections.abc import Iterator
from inspect import cleandoc


class MasterDataError(Exception):
    """Something went wrong that the hub could not name better."""

    code: str = "HUB-1000"
    retryable: bool = False
    hint: str = "Run `hub doctor`; if it is well, report the message with its code."

    def __init__(self, message: str = "", *, hint: str | None = None, **context: object) -> None:
        """Say what happened and where; `context` names the thing (system, key, field, file, line)."""
        self.message = message or cleandoc(type(self).__doc__ or "").splitlines()[0]
        self.hint = hint or type(self).hint
        self.context = context
        super().__init__(self.message)

    def __str__(self) -> str:
        return f"{self.code} {self.message}"


class UnknownEntity(MasterDataError):
    """No canonical entity has that name."""

    code = "HUB-2001"
    hint = "`hub model` lists the entities."


class UnknownField(MasterDataError):
    """The canonical entity has no field of that name."""

    code = "HUB-2002"
    hint = "`hub model ENTITY` lists its fields."


class MalformedKey(MasterDataError):
    """A source key is written system:entity:key, a golden id prefix_letters."""

    code = "HUB-2003"
    hint = "For example crm:account:0013X00002, or acc_5TQ0Z3KXW1M8E."


def every_error(root: type[MasterDataError] = MasterDataError) -> Iterator[type[MasterDataError]]:
    """Each class of the error tree that has been imported, the root first."""
    yield root
    for child in root.__subclasses__():
        yield from every_error(child)
