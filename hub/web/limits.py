"""Limits per caller, told as the IETF draft has it: `RateLimit-Policy`, `RateLimit`, and 429 with `Retry-After`.

Not held to any are sessions of the console, and keys that were issued without.
"""

from __future__ import annotations

from math import ceil

from flask import Response, g

from hub.errors import AllowanceSpent
from hub.store import allowance
from hub.store.access import Principal
from hub.store.allowance import WINDOW, Left
from hub.store.engine import noting
from hub.wiring import Hub


def spend(hub: Hub, principal: Principal, cost: int) -> None:
    """Count a request against what its caller may ask. Raises AllowanceSpent."""
    if principal.limits.rate is None and principal.limits.cost is None:
        return
    with noting(hub.beside) as connection:
        found = allowance.spend(connection, principal.caller, principal.limits, cost, hub.clock())
    g.allowance = found
    for one in found:
        if one.wait is None:
            raise AllowanceSpent(
                f"this request costs more than the {one.quota} of {one.name} that a minute grants.",
                hint="Ask for fewer records with `first`; a key is issued with more by `hub keys issue --cost`.",
            )
    late = max((one for one in found if one.wait), key=lambda one: one.wait or 0.0, default=None)
    if late is not None:
        raise AllowanceSpent(f"the {late.quota} of {late.name} a minute are spent.")


def tell(response: Response) -> Response:
    """Say in the headers what is granted, what is left, and after how many seconds to come again."""
    found: list[Left] | None = g.get("allowance")
    if found:
        response.headers["RateLimit-Policy"] = ", ".join(f'"{one.name}";q={one.quota};w={WINDOW}' for one in found)
        response.headers["RateLimit"] = ", ".join(f'"{one.name}";r={one.left};t={ceil(one.full)}' for one in found)
        if response.status_code == 429 and all(one.wait is not None for one in found):
            response.headers["Retry-After"] = str(max(1, ceil(max(one.wait or 0.0 for one in found))))
    return response
