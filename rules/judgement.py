"""What judgement gives: which records are one thing, what is agreed of it, and what waits for a person.

Nothing here has been written yet. Every part carries its reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from canonical.findings import Finding
from canonical.ids import SourceKey
from canonical.record import Provenance


class Change(StrEnum):
    """What a judgement does to a golden record."""

    CREATE = "create"
    UPDATE = "update"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Cluster:
    """Records that are one thing, in order of their keys, and why each is in it."""

    members: tuple[SourceKey, ...]
    reasons: Mapping[SourceKey, str]


@dataclass(frozen=True, slots=True)
class Publication:
    """A golden version owed to a target; `waits_for` names the role that must approve first."""

    target: str
    rule: str
    waits_for: str | None = None
    held: str | None = None  # the validation rule that holds it back


@dataclass(frozen=True, slots=True)
class Draft:
    """A golden record as it should be now."""

    id: str
    founder: SourceKey
    generation: int
    version: int
    change: Change
    cluster: Cluster
    values: Mapping[str, Any]
    provenance: Mapping[str, Provenance]
    findings: tuple[Finding, ...]
    publications: tuple[Publication, ...]
    content_hash: bytes


class Kind(StrEnum):
    """The questions that a steward is asked."""

    MATCH = "match"  # are these two the same?
    VALUE = "value"  # which of these is right?
    APPROVAL = "approval"  # may this go out?
    FINDING = "finding"  # this cannot be right: what is?


@dataclass(frozen=True, slots=True)
class Question:
    """A steward task to be opened: about two records, or about one record's golden record."""

    kind: Kind
    left: SourceKey
    right: SourceKey | None
    reason: str
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Retirement:
    """A golden id that no live record holds any more, and the heir that it redirects to, if any."""

    id: str
    heir: str | None


@dataclass(frozen=True, slots=True)
class Judgement:
    """The whole answer to a case."""

    drafts: tuple[Draft, ...]
    retirements: tuple[Retirement, ...]
    questions: tuple[Question, ...]
