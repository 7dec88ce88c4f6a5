"""The synthetic company: the same bytes every time, its truth complete, its sums right."""

from __future__ import annotations

import csv
import json
from collections import Counter
from functools import cache
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp

from adapters.decode import read_payloads
from adapters.registry import SOURCES
from canonical.catalogue import ENTITIES
from seed import generate
from seed.cases import CASES

REQUIRED = {
    "transitive_chain", "bridge_record", "conflicting_tax_ids", "placeholder_values", "shared_phone_reseller", "reseller_domain",
    "late_update", "duplicate_delivery", "source_side_merge", "tombstone", "wrong_check_digit", "tie_same_asserted_at",
    "address_survives_whole", "null_absent_cleared", "unmapped_code", "acquisition_parent", "orphan_child", "non_latin_twin",
    "right_to_left", "formula_text", "long_name", "same_name_different_company", "family_members", "franchise", "email_change",
    "stale_recency", "echo", "same_everywhere",
}  # fmt: skip


@cache
def company() -> Path:
    folder = Path(mkdtemp(prefix="concord-seed-"))
    generate(folder, accounts=2000)
    return folder


def digest(folder: Path) -> str:
    found = sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        found.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return found.hexdigest()


def rows(system: str, kind: str) -> list[dict[str, object]]:
    (path,) = (company() / system).glob(f"{kind}.*")
    return [p.content for p in read_payloads(path) if p.content is not None]


def test_generate_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    generate(tmp_path / "a", accounts=50)
    generate(tmp_path / "b", accounts=50)
    generate(tmp_path / "c", accounts=50, seed=8)
    assert digest(tmp_path / "a") == digest(tmp_path / "b") != digest(tmp_path / "c")


def test_generate_again_replaces_what_was_there(tmp_path: Path) -> None:
    generate(tmp_path, accounts=50)
    first = digest(tmp_path)
    generate(tmp_path, accounts=80)
    generate(tmp_path, accounts=50)
    assert digest(tmp_path) == first


def test_generate_bundled_size_covers_every_system_and_entity() -> None:
    with (company() / "truth" / "clusters.csv").open(encoding="utf-8") as stream:
        truth = list(csv.DictReader(stream))
    assert 7_000 <= len(truth) <= 10_000
    assert {row["system"] for row in truth} == set(SOURCES)
    assert {row["entity"] for row in truth} == set(ENTITIES)
    keys = Counter((row["system"], row["entity"], row["key"]) for row in truth)
    assert max(keys.values()) == 1, "every record is one thing, said once"


def test_generate_plays_every_hard_case_once() -> None:
    lines = (company() / "truth" / "cases.jsonl").read_text("utf-8").splitlines()
    cases = [json.loads(line) for line in lines]
    assert {case["case"] for case in cases} == set(CASES) >= REQUIRED
    assert all(case["keys"] and case["words"] for case in cases)


def test_generate_invoice_lines_sum_to_their_subtotal() -> None:
    for one in rows("billing", "invoices"):
        lines = one["lines"]["data"]  # type: ignore[index]
        assert sum(line["amount"] for line in lines) == one["subtotal"]
        assert one["subtotal"] + one["tax"] == one["total"]  # type: ignore[operator]


def test_generate_subscription_life_is_all_there() -> None:
    kinds = {a["Kind__c"] for c in rows("crm", "contracts") for a in c["Amendments__r"]}  # type: ignore[attr-defined]
    assert kinds == {"renewal", "cancellation", "entity_change", "upgrade"}
    assert any(c["StartDate"] == "2024-02-29" for c in rows("crm", "contracts"))
    currencies = {str(i["currency"]) for i in rows("billing", "invoices")}
    assert {"jpy", "kwd"} <= currencies
    assert any(len(i["lines"]["data"]) == 2 for i in rows("billing", "invoices"))  # type: ignore[index]
    events = Counter(e["event_id"] for e in rows("usage", "events"))
    assert max(events.values()) == 2
