"""The feed of metered events, and what rating made of them in a period."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

from seed.life import INCLUDED_CALLS, Contract, Invoice
from seed.systems.billing import subscription_key
from seed.times import TODAY, zulu
from seed.writer import Writer


def metered(out: Writer, contract: Contract, customer_key: str, made: Invoice, rng: Random) -> list[str]:
    """The events of an invoice's period and their rated sum; one event in fifty is delivered twice. Their keys."""
    over = sum(line.quantity for line in made.lines if line.sku == "API-CALLS")
    total = INCLUDED_CALLS + over if over else rng.randrange(30, INCLUDED_CALLS)
    start, end = made.lines[0].start, min(made.lines[0].end, TODAY)
    base = {
        "customer": customer_key, "subscription": subscription_key(contract), "product": "prod_API-CALLS", "unit": "KCALL",
    }  # fmt: skip
    events = [
        {
            "event_id": f"ev-{made.number[4:]}-{at}", "metric": "api_calls", "quantity": part,
            "ts": zulu(_midnight(start) + timedelta(minutes=rng.randrange(max(1, (end - start).days) * 1440))),
        }
        for at, part in enumerate(_parts(total, rng.randrange(1, 4), rng), 1)
    ]  # fmt: skip
    rated = {
        "event_id": f"rated-{made.number[4:]}",
        "metric": "api_calls.rated",
        "quantity": total,
        "ts": zulu(_midnight(end)),
    }
    keys = [_deliver(out, "events", base | event, rng) for event in events]
    return [*keys, _deliver(out, "rated", base | rated, rng)]


def _deliver(out: Writer, kind: str, content: Mapping[str, Any], rng: Random) -> str:
    for _ in range(2 if rng.random() < 0.02 else 1):
        out.line("usage", kind, content)
    key = str(content["event_id"])
    out.truth("usage", "usage_record", key, f"usage-{key}")
    return key


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _parts(total: int, count: int, rng: Random) -> list[int]:
    """The total in so many parts."""
    cuts = sorted(rng.randrange(1, total) for _ in range(count - 1))
    return [end - start for start, end in zip([0, *cuts], [*cuts, total], strict=True)]
