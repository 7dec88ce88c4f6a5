"""All cases in one list, and writing them."""

from __future__ import annotations

from collections.abc import Callable

from seed.cases import delivery, identity, life, values
from seed.cases.scene import Scene
from seed.writer import Writer

CASES: dict[str, Callable[[Scene], None]] = {
    case.__name__: case for case in (*identity.CASES, *delivery.CASES, *values.CASES, *life.CASES)
}


def play(out: Writer) -> None:
    """Write every case once."""
    for number, case in enumerate(CASES.values()):
        case(Scene(out, case, number))
