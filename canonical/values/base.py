"""What all value types share: refusing a value with a code, and the base of values with parts."""

from __future__ import annotations

from typing import Any, NoReturn

from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticCustomError

LONGEST = 4000  # characters of any one text


def refuse(message: str, code: str = "HUB-3301") -> NoReturn:
    """Say that a value cannot be read as its type; `Field.read` makes a finding of it."""
    raise PydanticCustomError(code, "{why}", {"why": message})


def as_text(raw: Any) -> str:
    """A scalar as text. Lists and objects are refused."""
    if isinstance(raw, bool) or not isinstance(raw, str | int | float) and not hasattr(raw, "as_tuple"):
        refuse(f"a text is expected, not {type(raw).__name__}")
    return raw if isinstance(raw, str) else str(raw)


class Group(BaseModel):
    """A value with parts that belong together and survive together."""

    model_config = ConfigDict(frozen=True, extra="forbid")
