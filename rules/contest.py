"""Who speaks against the system of record: another system that says something else, later than the owner did.

Such a word never wins while the owner speaks. What it does instead is written beside the ownership:
nothing, a finding, or a finding and a question to a steward. A steward's value for the field answers it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from canonical.findings import Finding, Severity
from canonical.ids import SourceKey
from canonical.record import SourceRecord
from rules.document import Owner
from rules.judgement import Kind, Question
from rules.survivorship import Setting, spoken_of


@dataclass(frozen=True, slots=True)
class Contest:
    """One record that speaks against the owner of a field."""

    field: str
    owner: Owner
    record: SourceKey

    @property
    def finding(self) -> Finding:
        """What is kept with the golden record. Values are not told: the record has them."""
        return Finding("HUB-3503", _words(self.record, [self]), Severity.WARNING, self.field)


def contests(members: Sequence[SourceRecord], setting: Setting, answered: Collection[str]) -> list[Contest]:
    """Every contest of the cluster, in order of field and record; fields that a steward `answered` have none."""
    if not setting.ruleset.watched:
        return []
    found: list[Contest] = []
    for name in setting.ruleset.watched:
        row = setting.ruleset.owner_row(name, setting.applicable, setting.now)
        if row is not None and row.contested != "ignore" and name not in answered:
            found += _of_field(members, name, row, setting)
    return sorted(found, key=lambda one: (one.field, one.record))


def questions_of(found: Sequence[Contest]) -> list[Question]:
    """The tasks for a steward, one a record, where the ownership asks for them."""
    asked: dict[SourceKey, list[Contest]] = {}
    for one in found:
        if one.owner.contested == "review":
            asked.setdefault(one.record, []).append(one)
    return [Question(Kind.VALUE, record, None, _words(record, against)) for record, against in sorted(asked.items())]


def _words(record: SourceKey, against: Sequence[Contest]) -> str:
    said = ", ".join(f"{one.field} than {one.owner.system}, which owns it" for one in against)
    return f"{record} says something else of {said}"


def _of_field(members: Sequence[SourceRecord], name: str, row: Owner, setting: Setting) -> Iterator[Contest]:
    heard = [one for one in spoken_of(members, name, setting) if one.value is not None and not one.doubtful]
    owners = [one for one in heard if one.source.system == row.system]
    if not owners:
        return
    last = max(one.asserted_at for one in owners)
    said = [one.value for one in owners]
    for one in heard:
        if one.source.system != row.system and one.asserted_at > last and one.value not in said:
            yield Contest(name, row, one.source)
