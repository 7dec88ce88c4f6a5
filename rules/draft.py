"""The small parts of a golden record in the making: facts about it, overrides, its content hash."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property
from hashlib import blake2b
from typing import Any

import orjson

from canonical.findings import Finding
from canonical.ids import SourceKey
from canonical.record import Lost, Provenance, SourceRecord
from rules.case import Case
from rules.document import Validation
from rules.forms import texts_at
from rules.judgement import Cluster, Kind, Question
from rules.ruleset import RuleSet

LONGEST_FACT = 64  # characters; a fact is a category, not a text
MOST_SOURCES = 1000


class Context:
    """A case with its rules and its time, and what is looked up in it again and again."""

    def __init__(self, case: Case, ruleset: RuleSet, now: datetime) -> None:
        """Keep the three inputs of judgement."""
        self.case, self.ruleset, self.now = case, ruleset, now

    @cached_property
    def records(self) -> dict[SourceKey, SourceRecord]:
        """The live records."""
        return {record.key: record for record in self.case.records if not record.tombstone}

    @cached_property
    def values(self) -> dict[SourceKey, Mapping[str, Any]]:
        """What each live record says."""
        return {key: record.values for key, record in self.records.items()}

    @cached_property
    def published(self) -> dict[SourceKey, str]:
        """The published golden record that holds a record now, where there is one."""
        return {
            key: id_
            for key, id_ in self.case.links.items()
            if id_ in self.case.priors and self.case.priors[id_].published
        }

    @cached_property
    def overrides(self) -> dict[SourceKey, list[Any]]:
        """The overrides in force now, by the record that they hang on, oldest first."""
        found: dict[SourceKey, list[Any]] = {}
        for override in sorted(self.case.overrides, key=lambda o: (o.decided_at, o.id)):
            if override.stands(self.values.get(override.record, {}), self.now):
                found.setdefault(override.record, []).append(override)
        return found


def facts_about(
    ruleset: RuleSet, members: Sequence[SourceRecord], *, known: bool, published: bool
) -> dict[str, str | bool | int]:
    """What conditions may look at: the document's facts by most members' word, and what everybody has.

    `known`: the golden record stood before this judgement; `published`: some target has had it.
    """
    facts: dict[str, str | bool | int] = {
        "sources": min(len(members), MOST_SOURCES),
        "change": "update" if known else "create",
        "published": published,
    }
    return facts | named_facts(ruleset, [member.values for member in members])


def named_facts(ruleset: RuleSet, values: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The facts that the document names, by the word of most who speak of them."""
    facts = {}
    for name, path in ruleset.document.facts.items():
        said = Counter(text for one in values for text in texts_at(one, path)[:1])
        if said:
            facts[name] = min(said, key=lambda text: (-said[text], text))[:LONGEST_FACT]
    return facts


def overridden(
    context: Context, members: Sequence[SourceKey], values: dict[str, Any], provenance: dict[str, Provenance]
) -> tuple[dict[str, Any], dict[str, Provenance]]:
    """The values with the stewards' own in their place; the rules' winner becomes the first loser."""
    for key in members:
        for override in context.overrides.get(key, ()):
            before = provenance.get(override.field)
            losers = before.losers if before else ()
            if before and before.source:
                losers = (Lost(before.source, "overridden by a steward"), *losers)
            values[override.field] = override.value
            provenance[override.field] = Provenance(None, f"override {override.id}", override.decided_at, losers)
    return values, provenance


def content_of(
    values: Mapping[str, Any],
    provenance: Mapping[str, Provenance],
    members: Sequence[SourceKey],
    findings: Sequence[Finding],
) -> bytes:
    """16 bytes that change whenever anything of the golden record does."""
    said = [
        (name, str(p.source), p.rule, p.asserted_at, [(str(lost.source), lost.reason) for lost in p.losers])
        for name, p in provenance.items()
    ]
    body = (values, said, [str(key) for key in members], [(f.code, f.field, f.message) for f in findings])
    return blake2b(orjson.dumps(body, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()


def question_about(found: Cluster, rule: Validation) -> Question:
    """The task that a failed validation opens, hung on the cluster's smallest key."""
    return Question(Kind.FINDING, found.members[0], None, f"{rule.message} ({rule.id})")
