"""Customers as three systems see them, each a little differently, with the truth: for tests that match."""

from __future__ import annotations

import random
from typing import Any

from tests.worlds import account

FIRST = (
    "Acorn Birch Cedar Dahlia Elm Fern Gorse Hazel Iris Juniper Kale Larch Maple Nettle Oak Pine Quince Rowan".split()
)
SECOND = "Analytics Brewing Capital Dental Energy Foods Garage Hosting Insurance Jewels Kitchens Logistics".split()
FORMS = (("Ltd", "Limited", "LTD."), ("GmbH", "Gesellschaft mbH", "gmbh"), ("Inc", "Inc.", "Incorporated"))
STREETS = "Mill Lane,Quay Street,Station Road,Church Hill,High Street,Garden Row,School Lane,River Walk".split(",")
CITIES = (("Leeds", "LS"), ("Hull", "HU"), ("York", "YO"), ("Derby", "DE"), ("Luton", "LU"), ("Bath", "BA"))
SYSTEMS = ("crm", "billing", "support")


def customers(count: int, seed: int = 1) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Payloads for `tests.worlds.MAPPING`, and the customer that each source key belongs to."""
    chance = random.Random(seed)
    payloads: list[dict[str, Any]] = []
    truth: dict[str, int] = {}
    for number in range(count):
        one = _customer(chance, number)
        for system in chance.sample(SYSTEMS, chance.choice((1, 1, 2, 2, 3))):
            payloads.append(account(system, f"{system[0]}{number}", **_said(chance, one)))
            truth[f"{system}:account:{system[0]}{number}"] = number
    chance.shuffle(payloads)
    return payloads, truth


def _customer(chance: random.Random, number: int) -> dict[str, Any]:
    first, second = chance.choice(FIRST), chance.choice(SECOND)
    city, area = chance.choice(CITIES)
    host = f"{first}-{second}{number}.example".lower()
    return {
        "words": (first, second, chance.choice(FIRST)),
        "forms": chance.choice(FORMS),
        "email": f"{chance.choice(('accounts', 'office', 'hello', first.lower()))}@{host}",
        "domain": host,
        "phone": f"+44113{chance.randrange(10**6, 10**7)}",
        "street": f"{chance.randrange(1, 200)} {chance.choice(STREETS)}",
        "city": city,
        "postcode": f"{area}{chance.randrange(1, 20)} {chance.randrange(1, 9)}{chance.choice('ABDEF')}{chance.choice('GHJLN')}",
    }


def _said(chance: random.Random, one: dict[str, Any]) -> dict[str, Any]:
    words = [*one["words"][: chance.choice((2, 3))]]
    if chance.random() < 0.2:
        word = words[0]
        at = chance.randrange(1, len(word))
        words[0] = word[:at] + chance.choice("aeiours") + word[at + 1 :]
    said = {name: one[name] for name in ("email", "domain", "phone", "street", "city", "postcode")}
    kept = {name: value for name, value in said.items() if chance.random() < 0.6}
    return {"name": " ".join((*words, chance.choice(one["forms"]))), "country": "GB", **kept}


def scores(found: dict[str, str], truth: dict[str, int]) -> tuple[float, float]:
    """Pairwise precision and recall of the clusters."""
    from collections import Counter

    def pairs(counted: Counter[Any]) -> int:
        return sum(n * (n - 1) // 2 for n in counted.values())

    right = pairs(Counter((truth[key], found[key]) for key in truth))
    return right / max(pairs(Counter(found.values())), 1), right / pairs(Counter(truth.values()))
