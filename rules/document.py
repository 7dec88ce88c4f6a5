"""The rule document as a person writes it: one per entity, YAML, strict. Every rule says why.

These classes are the schema (`hub rules schema` prints it as JSON Schema). What a document means is
in `rules.ruleset`, which compiles it.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Why = Annotated[str, StringConstraints(strip_whitespace=True, min_length=12)]
RuleId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class KeyRule(_Part):
    """A blocking key: records that share its value are compared."""

    name: RuleId
    of: tuple[Text, ...] = Field(description="Field paths, each with an optional |form: legal_name|compact12")


class Level(_Part):
    """From this similarity on (0-1), the comparison speaks with this weight (log-odds)."""

    at_least: float = Field(ge=0, le=1)
    weight: float


class Comparison(_Part):
    """How two records are compared on one subject."""

    name: RuleId
    fields: tuple[Text, ...] = Field(description="Field paths; the best agreement of any counts")
    by: Text = Field(description="A comparator of rules.compare")
    levels: tuple[Level, ...] = Field(description="Highest similarity first; below the last one: `otherwise`")
    otherwise: float = Field(default=0.0, description="Weight when both speak and no level is reached")
    family: RuleId | None = Field(default=None, description="Comparisons that say the same thing twice")
    why: Why


class Veto(_Part):
    """Two different values of this field forbid an automatic join, anywhere in a cluster."""

    name: RuleId
    field: Text
    per: Text | None = Field(default=None, description="Path within the field: one value per country, say")
    why: Why


class Fitted(_Part):
    """A model learned from records without labels (`hub match fit`); it stands in for `keys` and `compare`.

    `seen` holds what was counted when it was learned, as packed hashes: how much agreement on a common value is
    worth, values that are nobody's own, keys that too many share.
    """

    seed: int = 1
    records: int = Field(ge=0, description="How many records it was learned from")
    columns: dict[Text, Text] = Field(description="Field path -> what it holds, a kind of rules.match")
    prior: float = Field(ge=-40, le=40, description="Log-odds that two records drawn by chance are one")
    levels: dict[Text, tuple[float, ...]] = Field(description="Log-odds of each level, the last being equality")
    sparing: bool = Field(default=False, description="A pair that only a loose key brings needs a second key")
    seen: dict[str, dict[str, str]] = Field(default_factory=dict)


class Matching(_Part):
    """Who is who: keys find candidates, comparisons weigh them, bands decide. A fitted model learned the weights."""

    keys: tuple[KeyRule, ...]
    compare: tuple[Comparison, ...]
    fitted: Fitted | None = None
    veto: tuple[Veto, ...] = ()
    match: float = Field(default=6.0, description="Joined by itself from this evidence on (log-odds)")
    review: float = Field(default=2.0, description="Shown to a steward from this evidence on (log-odds)")
    key_limit: int = Field(default=60, ge=2, description="A key shared by more records says nothing")


class Owner(_Part):
    """Which system is the system of record of some fields, from when on, and when."""

    fields: tuple[Text, ...]
    system: Text
    since: date = Field(default=date(1970, 1, 1), alias="from")
    contested: Literal["ignore", "finding", "review"] = Field(
        default="ignore", description="What follows when another system says something else, later than the owner"
    )
    when: Any = None
    why: Why


class Trust(_Part):
    """How far a system is believed: at first, and less with each half-life that its statement is old."""

    start: float = Field(ge=0, le=100)
    half_life_days: int | None = Field(default=None, ge=1, description="Without one, trust does not age")
    floor: float = Field(default=0, ge=0, le=100, description="What trust sinks towards")


class Survivorship(_Part):
    """How one value of a field wins. The first rule that applies and finds a value decides."""

    id: RuleId
    fields: tuple[Text, ...] = Field(description="Field names, or `*` for every field")
    take: Text = Field(description="A strategy of rules.strategies")
    rank: tuple[Text, ...] = Field(default=(), description="Systems (for source_rank) or values (`listed`), best first")
    trust: dict[Text, Trust] = Field(default_factory=dict, description="System -> trust (for most_trusted)")
    by: Text | None = Field(default=None, description="An order of rules.strategies (for first_by)")
    of: Text | None = Field(default=None, description="Another field (for same_source_as)")
    null: Literal["loses", "wins", "clears_from_owner"] = Field(
        default="loses", description="What an explicit 'empty' does: nothing, count as a statement, or only the owner's"
    )
    verified_only: bool = Field(default=False, description="Only values without a finding take part")
    when: Any = None
    why: Why


class Validation(_Part):
    """What must be true of a golden record, and what happens when it is not."""

    id: RuleId
    check: Text = Field(description="A check of rules.validation")
    of: dict[str, Text] = Field(default_factory=dict, description="The fields that the check speaks of")
    message: Text
    severity: Literal["info", "warning", "error"] = "warning"
    effect: Literal["finding", "review", "hold"] = "finding"
    when: Any = None
    why: Why


class Relation(_Part):
    """What must be true of a golden record and others that it leads to, or that lead to it.

    `to` walks from record to record: `seller` is the record that the field refers to, `invoice.account` all invoices
    whose account this is. `own` may begin with such fields of references too: `account.billing_address.country`.
    """

    id: RuleId
    check: Literal["exists", "equal", "sum_at_most"] = Field(description="A check of rules.relations")
    to: tuple[Text, ...] = Field(min_length=1, max_length=3, description="Steps from this record to the others")
    their: Text | None = Field(default=None, description="The field of the others that is compared")
    own: Text | None = Field(default=None, description="What it is compared with, of this record")
    where: dict[Text, tuple[Text, ...]] = Field(default_factory=dict, description="Only others that say one of these")
    message: Text
    severity: Literal["info", "warning", "error"] = "warning"
    effect: Literal["finding", "review", "hold"] = "finding"
    when: Any = None
    why: Why


class Approval(_Part):
    """Which changes wait for whom before they leave. The first rule that applies to a target decides.

    Besides the facts of every rule, its `when` may ask what leaves, compared with what the target has:
    `target`, `known_there`, `changed.<field>`, `at_stake` and `at_stake_currency`.
    """

    id: RuleId
    wait_for: Text = Field(description="The role that must approve")
    when: Any = None
    why: Why


class PublicationRule(_Part):
    """Which records go to which target, and what of them: all fields, `only` these, or all but `withhold`."""

    id: RuleId
    target: Text
    only: tuple[Text, ...] = Field(default=(), description="Fields that the target is told; none named: all")
    withhold: tuple[Text, ...] = Field(default=(), description="Fields that the target is not told")
    when: Any = None
    why: Why


class Period(_Part):
    """Which accounting period a record falls into, and who must approve before a closed one is touched."""

    date: Text = Field(description="The field with the day on which it is booked")
    books: Text | None = Field(
        default=None, description="The field that refers to the legal entity that keeps the books"
    )
    wait_for: Text = Field(description="The role that must approve")
    why: Why


class Blast(_Part):
    """From how many changed records on a plan is somebody's to approve, whoever made it."""

    more_than: int = Field(ge=0, description="Records that a plan updates or deactivates there")
    wait_for: Text = Field(description="The role that must approve the plan")
    why: Why


class RuleDocument(_Part):
    """The rules of one entity."""

    entity: Text
    title: Text
    facts: dict[str, Text] = Field(
        default_factory=dict, description="Fact name -> field path; small categorical values for `when`"
    )
    at_stake: Text | None = Field(
        default=None, description="The money field whose larger amount, before or after, is at stake in a change"
    )
    period: Period | None = None
    matching: Matching
    ownership: tuple[Owner, ...] = ()
    survivorship: tuple[Survivorship, ...]
    validation: tuple[Validation, ...] = ()
    relations: tuple[Relation, ...] = ()
    approval: tuple[Approval, ...] = ()
    approval_lapses_after_days: int | None = Field(
        default=None, ge=1, description="An approval that nothing has left under by then is asked for again"
    )
    blast: Blast | None = None
    publication: tuple[PublicationRule, ...] = ()
