"""Who would this record be? A look-up before something is created twice; nothing is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hub.errors import InvalidRequest
from hub.store import cases, journal, reads
from hub.store.engine import Connection
from rules.blocking import keys_of
from rules.case import Evidence
from rules.matching import weigh
from rules.ruleset import RuleSet

ASKED = -1  # stands for the record that is asked about


@dataclass(frozen=True, slots=True)
class Candidate:
    """A golden record that the asked one may be, with the evidence of its best source record."""

    golden_id: str
    source: str
    evidence: Evidence
    verdict: str  # match, review, no match


def lookup(connection: Connection, ruleset: RuleSet, values: Mapping[str, Any], most: int = 10) -> list[Candidate]:
    """The golden records most like these values, the best first: by the keys and the evidence of intake."""
    read = _read(ruleset, values)
    near = cases.sharing(connection, keys_of(ruleset, {ASKED: read})[ASKED], loose=ruleset.sparing)
    records = list(journal.load_records(connection, near).values())
    weighed = weigh(ruleset, [(read, one.values) for one in records])
    held = reads.golden_of(connection, [one.key for one in records])
    best: dict[str, Candidate] = {}
    for one, evidence in sorted(zip(records, weighed, strict=True), key=lambda both: (-both[1].score, both[0].key)):
        if one.key in held and held[one.key] not in best:
            found = Candidate(held[one.key], str(one.key), evidence, _verdict(ruleset, evidence.score))
            best[found.golden_id] = found
    return list(best.values())[:most]


def _read(ruleset: RuleSet, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values in their normal forms. Raises InvalidRequest for one that cannot be read, UnknownField."""
    found = {}
    for name, raw in values.items():
        value, finding = ruleset.entity[name].read(raw)
        if value is None and finding is not None and finding.severity.value == "error":
            raise InvalidRequest(f"{name}: {finding.message}.", field=name)
        if value is not None:
            found[name] = value
    return found


def _verdict(ruleset: RuleSet, score: float) -> str:
    matching = ruleset.document.matching
    return "match" if score >= matching.match else "review" if score >= matching.review else "no match"
