"""A record as a source states it, and the golden record that the hub derives.

Both are frozen values; nothing is ever changed in place. Times are aware UTC: `asserted_at` is when
the source says that it was so, `received_at` when it reached us.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from canonical.findings import Finding
from canonical.ids import SourceKey


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """One version of one thing, as one system states it, in canonical words.

    `values` holds each field the system speaks of: None for "empty", otherwise the normal form. A
    reference's value is the text of a source key. `version` is the source's own order (a sequence
    number or time), or None. A tombstone says that the source has it no more; `replaced_by` names
    the key that took its place (a merge or re-keying on the source's side).
    """

    key: SourceKey
    values: Mapping[str, Any]
    asserted_at: datetime
    received_at: datetime
    version: int | None = None
    content_hash: bytes = b""
    tombstone: bool = False
    replaced_by: SourceKey | None = None
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Lost:
    """A candidate value that did not win a field, and why."""

    source: SourceKey
    reason: str


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a golden value comes from: the winner, the rule and step that decided, who lost and why."""

    source: SourceKey | None  # None when a steward's override decides
    rule: str
    asserted_at: datetime | None = None
    losers: tuple[Lost, ...] = ()


@dataclass(frozen=True, slots=True)
class GoldenRecord:
    """The agreed record: derived from its members, versioned, never edited."""

    id: str
    entity: str
    version: int
    values: Mapping[str, Any]
    provenance: Mapping[str, Provenance]
    members: tuple[SourceKey, ...]
    ruleset: str
    findings: tuple[Finding, ...] = field(default=())

    def only(self, fields: Collection[str]) -> GoldenRecord:
        """The same with no other fields than these."""
        return replace(self, values={name: value for name, value in self.values.items() if name in fields})
