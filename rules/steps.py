"""Walks from a golden record to others: up a reference (`seller`), or down to all that refer to it (`invoice.account`).

A rule about relations is checked here against the catalogue: each step leads somewhere, each field is there.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from canonical.catalogue import ENTITIES
from rules.document import Relation
from rules.errors import RuleSetInvalid

Steps = tuple[str, ...]


def walks(rule: Relation, entity: str) -> Iterator[Steps]:
    """The walks whose ends a rule must know: to the others, and to where its `own` value stands; `()` is itself."""
    yield rule.to
    if rule.own is not None:
        yield split(rule.own, entity)[0]


def reach(rule: Relation, entity: str) -> Iterator[Steps]:
    """The walks to all whose change may matter to a rule: `walks`, and to what the references that it compares mean."""
    yield from walks(rule, entity)
    compared = [(rule.to, path) for path in (*rule.where, *([rule.their] if rule.their else ()))]
    compared += [split(rule.own, entity)] if rule.own else []
    for walk, path in compared:
        field = path.split(".")[0]
        if field in ENTITIES[(entity, *ends(walk, entity))[-1]].references:
            yield (*walk, field)


def after(step: str, entity: str) -> str:
    """The entity that a step from this one leads to. Raises RuleSetInvalid when it leads nowhere."""
    child, _, field = step.partition(".")
    if field:
        if child in ENTITIES and ENTITIES[child].references.get(field) == entity:
            return child
        raise RuleSetInvalid(
            f"the step {step!r} does not lead to {entity}.", hint=f"Write ENTITY.FIELD, one that refers to {entity}."
        )
    references = ENTITIES[entity].references
    if step not in references:
        known = ", ".join(sorted(references)) or "none"
        raise RuleSetInvalid(f"{entity}.{step} refers to no other record.", hint=f"Those that do: {known}.")
    return references[step]


def ends(steps: Steps, entity: str) -> tuple[str, ...]:
    """The entity after each step. Raises RuleSetInvalid."""
    found = [entity]
    for step in steps:
        found.append(after(step, found[-1]))
    return tuple(found[1:])


@lru_cache(maxsize=1024)
def split(path: str, entity: str) -> tuple[Steps, str]:
    """A path that may begin with references, as the steps through them and what is left where they end."""
    walked: list[str] = []
    parts = path.split(".")
    while len(parts) > 1 and parts[0] in ENTITIES[entity].references:
        walked.append(parts[0])
        entity = ENTITIES[entity].references[parts.pop(0)]
    return tuple(walked), ".".join(parts)


def confirm(rule: Relation, entity: str) -> None:
    """Raise RuleSetInvalid when a relation cannot be meant: no such step or field, or nothing to compare."""
    if rule.check != "exists" and not (rule.their and rule.own):
        raise RuleSetInvalid(f"{rule.check} needs `their` and `own`.")
    end = ends(rule.to, entity)[-1]
    for path in (*rule.where, *([rule.their] if rule.their else ())):
        _has(end, path)
    if rule.own is not None:
        walk, path = split(rule.own, entity)
        _has((entity, *ends(walk, entity))[-1], path)


def _has(entity: str, path: str) -> None:
    name = path.split(".")[0]
    if name not in ENTITIES[entity].fields:
        raise RuleSetInvalid(f"{entity} has no field {name!r}.", hint="`hub model` lists them.")
