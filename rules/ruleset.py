"""One immutable version of an entity's rules, compiled from its document.

The version is the hash of what the document says (comments and layout do not count). Which rules
apply to a record is asked of the engine; what an applied rule does is in the rooms beside this one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from difflib import get_close_matches
from functools import cached_property, lru_cache
from hashlib import blake2b
from importlib.resources import files

from canonical.catalogue import ENTITIES
from canonical.catalogue import entity as entity_named
from canonical.document import place_in, read_document
from canonical.entity import EntityType
from canonical.errors import MasterDataError
from rules.conditions import ALWAYS, LEAST, Condition, facts_of, parse, tests_of
from rules.document import Owner, RuleDocument, Survivorship
from rules.engine import Engine
from rules.errors import RuleSetInvalid
from rules.forms import fields_of
from rules.steps import confirm
from rules.strategies import ORDERS, STRATEGIES, measured_as

Facts = Mapping[str, str | bool | int]
GIVEN_FACTS = frozenset({"change", "published", "sources"})  # facts that every record has
CHANGED = "changed."  # followed by a field: whether the target has another value of it
LEAVING_FACTS = frozenset({"target", "known_there", "at_stake", "at_stake_currency"})  # for approval rules


class RuleSet:
    """The rules of one entity, ready to judge with."""

    def __init__(self, document: RuleDocument, text: str, name: str) -> None:
        """Check the document against the catalogue and compile its conditions. Raises RuleSetInvalid."""
        self.document = document
        self.text = text
        self.entity: EntityType = _entity(document, name)
        canon = document.model_dump_json(by_alias=True, exclude_defaults=True)  # what it says, not what it may say
        self.version = f"{document.entity}@{blake2b(canon.encode(), digest_size=6).hexdigest()}"
        self.conditions = _conditions(document, self.entity, name)
        _check_fields(document, self.entity, name)
        _check_covered(document, self.entity, name, text)
        _check_strategies(document, self.entity, name)
        _check_exits(document, self.entity, name)
        _ = self.order
        self.engine = Engine(self.version, self.conditions)

    def applicable(self, facts: Facts) -> frozenset[str]:
        """The ids of all rules whose `when` holds for these facts (decided by durable-rules)."""
        return self.engine.applicable(facts)

    def bracket(self, fact: str, number: int) -> int:
        """A number that every condition takes for this one, of as few as there are constants to tell apart."""
        marks = self._marks.get(fact, [])
        place = bisect_right(marks, number)
        if place == 0:
            return max(marks[0] - 1, LEAST) if marks else 0
        return marks[place - 1] if marks[place - 1] == number else marks[place - 1] + 1

    @cached_property
    def _marks(self) -> dict[str, list[int]]:
        """The whole numbers that conditions compare each fact with, in order."""
        found: dict[str, set[int]] = {}
        for condition in self.conditions.values():
            for test in tests_of(condition):
                numbers = {v for v in test.values if isinstance(v, int) and not isinstance(v, bool)}
                found.setdefault(test.fact, set()).update(numbers)
        return {fact: sorted(numbers) for fact, numbers in found.items()}

    @property
    def sparing(self) -> bool:
        """Whether some keys are loose: a pair that only one of them brings is not compared."""
        fitted = self.document.matching.fitted
        return fitted is not None and fitted.sparing

    @cached_property
    def targets(self) -> tuple[str, ...]:
        """The targets that this entity goes to at all."""
        return tuple(sorted({rule.target for rule in self.document.publication}))

    def told(self, target: str) -> frozenset[str]:
        """The fields that a target is told."""
        rule = next((one for one in self.document.publication if one.target == target), None)
        fields = frozenset(self.entity.fields)
        if rule is None:
            return fields
        return (frozenset(rule.only) or fields) - frozenset(rule.withhold)

    def owner_of(self, name: str, applicable: frozenset[str], now: datetime) -> str | None:
        """The system of record of a field at that time."""
        row = self.owner_row(name, applicable, now)
        return row.system if row else None

    def owner_row(self, name: str, applicable: frozenset[str], now: datetime) -> Owner | None:
        """The ownership of a field at that time: of the rows that apply, the one valid last."""
        rows = self._owners.get(name, ())
        held = [owner for rule, owner in rows if rule in applicable and owner.since <= now.date()]
        return max(held, key=_since) if held else None

    @cached_property
    def watched(self) -> tuple[str, ...]:
        """The fields whose owner is not to be contested silently."""
        rows = [owner for owner in self.document.ownership if owner.contested != "ignore"]
        return tuple(sorted({name for owner in rows for name in owner.fields}))

    def rules_for(self, name: str, applicable: frozenset[str]) -> tuple[Survivorship, ...]:
        """The survivorship rules of a field that apply, in the document's order."""
        return tuple(rule for rule in self._survivorship[name] if rule.id in applicable)

    @cached_property
    def _owners(self) -> dict[str, list[tuple[str, Owner]]]:
        rows: dict[str, list[tuple[str, Owner]]] = {}
        for index, owner in enumerate(self.document.ownership):
            for name in owner.fields:
                rows.setdefault(name, []).append((_owner_id(index), owner))
        return rows

    @cached_property
    def _survivorship(self) -> dict[str, tuple[Survivorship, ...]]:
        rules = self.document.survivorship
        return {name: tuple(r for r in rules if name in r.fields or "*" in r.fields) for name in self.entity.fields}

    @cached_property
    def order(self) -> tuple[str, ...]:
        """The fields in the order in which they are decided: each after those that its rules look at."""
        found: dict[str, None] = {}
        for name in self.entity.fields:
            found |= dict.fromkeys(self.order_for(name))
        return tuple(found)

    def order_for(self, name: str) -> tuple[str, ...]:
        """What must be decided for one field, itself last. Raises RuleSetInvalid when its rules go in a circle."""
        return tuple(self._needed(name, ()))

    def _needed(self, name: str, path: tuple[str, ...]) -> dict[str, None]:
        if name in path:
            circle = " -> ".join((*path, name))
            raise RuleSetInvalid(f"{self.document.entity}: same_source_as goes in a circle: {circle}.")
        found: dict[str, None] = {}
        for rule in self._survivorship[name]:
            if rule.of is not None and rule.of != name:
                found |= self._needed(rule.of, (*path, name))
        return {**found, name: None}


def load(text: str, name: str) -> RuleSet:
    """The rule set that a document states. Raises RuleSetInvalid with file, line and column."""
    document = read_document(text, RuleDocument, name=name, error=RuleSetInvalid)
    return RuleSet(document, text, name)


@lru_cache(maxsize=1)
def shipped() -> Mapping[str, RuleSet]:
    """The catalogue that comes with the hub: one rule set per canonical entity."""
    catalogue = files("rules") / "catalog"
    return {name: load((catalogue / f"{name}.yaml").read_text("utf-8"), f"{name}.yaml") for name in ENTITIES}


def _entity(document: RuleDocument, name: str) -> EntityType:
    try:
        return entity_named(document.entity)
    except MasterDataError as error:
        raise RuleSetInvalid(f"{name}: {error.message}", hint=error.hint) from None


def _conditions(document: RuleDocument, entity: EntityType, name: str) -> dict[str, Condition]:
    """Each rule's `when` by its id; ids are unique within a document."""
    leaving = LEAVING_FACTS | {CHANGED + field for field in entity.fields}
    approvals = {rule.id for rule in document.approval}
    rules: list[tuple[str, object]] = [(_owner_id(i), owner.when) for i, owner in enumerate(document.ownership)]
    for section in (
        document.survivorship, document.validation, document.relations, document.approval, document.publication
    ):  # fmt: skip
        rules += [(rule.id, rule.when) for rule in section]
    known = GIVEN_FACTS | document.facts.keys()
    related = {rule.id for rule in document.relations}
    conditions: dict[str, Condition] = {}
    for rule, when in rules:
        if rule in conditions:
            raise RuleSetInvalid(f"{name}: two rules are called {rule!r}.", hint="Rename one.")
        conditions[rule] = ALWAYS if when is None else parse(when, f"{name} {rule}")
        stated = known | leaving if rule in approvals else set(document.facts) if rule in related else known
        unknown = facts_of(conditions[rule]) - stated
        if unknown:
            near = get_close_matches(min(unknown), stated, n=1)
            raise RuleSetInvalid(
                f"{name}: rule {rule!r} asks for the fact {min(unknown)!r}, which nobody states.",
                hint=f"Did you mean {near[0]!r}?" if near else f"Facts here: {', '.join(sorted(known))}.",
            )
    return conditions


def _check_fields(document: RuleDocument, entity: EntityType, name: str) -> None:
    for path in _paths(document):
        for field in fields_of(path):
            if field in entity.fields or field == "*":
                continue
            raise RuleSetInvalid(f"{name}: {entity.name} has no field {field!r}.", hint="`hub model` lists them.")
    stake = document.at_stake
    if stake is not None and measured_as(entity.fields[stake]) != "money":
        raise RuleSetInvalid(f"{name}: at_stake names a field of money, and {stake} is none.")


def _check_covered(document: RuleDocument, entity: EntityType, name: str, text: str) -> None:
    covered = {field for rule in document.survivorship for field in rule.fields}
    missing = [] if "*" in covered else [field for field in entity.fields if field not in covered]
    if missing:
        line, column = place_in(text, ("survivorship",))
        raise RuleSetInvalid(
            f"{name}:{line}:{column} no survivorship rule covers {', '.join(map(repr, missing))}.",
            hint="Add a rule for `*`.",
        )


def _check_strategies(document: RuleDocument, entity: EntityType, name: str) -> None:
    """Each strategy is known, has what it needs, and can measure the fields that it is asked about."""
    for rule in document.survivorship:
        _known(rule.take, STRATEGIES, f"{name} {rule.id}: strategy")
        if rule.take == "first_by":
            _known(rule.by or "", ORDERS, f"{name} {rule.id}: order (`by`)")
        needed = {"same_source_as": rule.of, "source_rank": rule.rank, "most_trusted": rule.trust}
        if rule.take in needed and not needed[rule.take]:
            words = {"same_source_as": "of", "source_rank": "rank", "most_trusted": "trust"}
            raise RuleSetInvalid(f"{name} {rule.id}: {rule.take} needs `{words[rule.take]}`.")
        for field in entity.fields if "*" in rule.fields else rule.fields:
            if rule.take in ("min", "max") and measured_as(entity.fields[field]) is None:
                raise RuleSetInvalid(
                    f"{name} {rule.id}: {field} has no small and large; {rule.take} takes numbers, amounts and times."
                )


def _check_exits(document: RuleDocument, entity: EntityType, name: str) -> None:
    """Relations lead somewhere, and all rules of one target tell it the same fields."""
    for relation in document.relations:
        try:
            confirm(relation, entity.name)
        except RuleSetInvalid as error:
            raise RuleSetInvalid(f"{name}: {relation.id}: {error.message}", hint=error.hint) from None
    told: dict[str, object] = {}
    for rule in document.publication:
        if rule.only and rule.withhold:
            raise RuleSetInvalid(f"{name} {rule.id}: `only` and `withhold` exclude each other.", hint="Keep one.")
        if told.setdefault(rule.target, (rule.only, rule.withhold)) != (rule.only, rule.withhold):
            raise RuleSetInvalid(
                f"{name} {rule.id}: another rule tells {rule.target} other fields.",
                hint="What a target is told does not change from record to record; give its rules the same fields.",
            )


def _known(word: str, table: Iterable[str], what: str) -> None:
    if word not in table:
        near = get_close_matches(word, table, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(sorted(table))}."
        raise RuleSetInvalid(f"{what} {word!r} is not known.", hint=hint)


def _paths(document: RuleDocument) -> Iterable[str]:
    for key in document.matching.keys:
        yield from key.of
    for comparison in document.matching.compare:
        yield from comparison.fields
    yield from (field for owner in document.ownership for field in owner.fields)
    yield from (field for rule in document.survivorship for field in rule.fields)
    yield from (rule.of for rule in document.survivorship if rule.of is not None)
    yield from (veto.field for veto in document.matching.veto)
    yield from document.facts.values()
    yield from [document.at_stake] if document.at_stake else []
    yield from [name for name in (document.period.date, document.period.books) if name] if document.period else []
    for check in document.validation:
        yield from check.of.values()
    yield from (field for rule in document.publication for field in (*rule.only, *rule.withhold))


def _owner_id(index: int) -> str:
    return f"owner-{index + 1}"


def _since(owner: Owner) -> date:
    return owner.since
