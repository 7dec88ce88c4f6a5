"""Which records are worth comparing: each record's blocking keys, as 64-bit numbers.

A key is the name of its rule and the values it is made of; a record with an empty part has no such
key. Placeholders and values that everybody shares make no key (`key_limit` of the rule document).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b
from itertools import product
from typing import Any

from canonical.entity import EntityType
from rules.document import KeyRule
from rules.forms import FORMS, REMEMBERED, fields_of, texts_at
from rules.match.frozen import frozen
from rules.ruleset import RuleSet

LONGEST_LIST = 16  # values of one field that make keys; the rest adds nothing but cost


def keys_of(ruleset: RuleSet, records: Mapping[int, Mapping[str, Any]]) -> dict[int, tuple[int, ...]]:
    """Each record's keys, sorted, each once. The same values give the same keys anywhere."""
    model = frozen(ruleset)
    if model is None:
        return {id_: _keys(ruleset, values) for id_, values in records.items()}
    return dict(zip(records, model.keys(list(records.values())), strict=True))


def _keys(ruleset: RuleSet, values: Mapping[str, Any]) -> tuple[int, ...]:
    found: set[int] = set()
    for rule in ruleset.document.matching.keys:
        parts = [_parts(ruleset.entity, path, values) for path in rule.of]
        if all(parts):
            found.update(_number(ruleset.entity.name, rule.name, combined) for combined in product(*parts))
    return tuple(sorted(found))


def explain(rule: KeyRule) -> str:
    """The key in words, for a steward."""
    return f"same {' and '.join(rule.of)}"


def _parts(entity: EntityType, path: str, values: Mapping[str, Any]) -> tuple[str, ...]:
    field, _, form = path.partition("|")
    if any(name not in values or entity.fields[name].doubtful(values[name]) for name in fields_of(field)):
        return ()
    texts = texts_at(values, field)[:LONGEST_LIST]
    return tuple(dict.fromkeys(part for text in texts for part in FORMS[form or "whole"](text)))


@lru_cache(maxsize=2 * REMEMBERED)
def _number(entity: str, rule: str, parts: tuple[str, ...]) -> int:
    digest = blake2b("\0".join((entity, rule, *parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1
