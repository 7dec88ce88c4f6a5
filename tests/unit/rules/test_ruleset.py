"""Rule documents: what is refused, and where it says so."""

from __future__ import annotations

import pytest

from canonical.catalogue import ENTITIES
from rules.errors import RuleSetInvalid
from rules.ruleset import load, shipped
from rules.strategies import STRATEGIES
from rules.validation import CHECKS

GOOD = """\
entity: account
title: Test
matching:
  keys: [{name: name, of: [legal_name]}]
  compare: []
survivorship:
  - {id: rest, fields: ["*"], take: most_recent, why: whoever spoke last}
"""


def test_shipped_rules_cover_every_entity_and_name_what_exists() -> None:
    for name, one in shipped().items():
        assert one.entity is ENTITIES[name]
        assert {rule.take for rule in one.document.survivorship} <= STRATEGIES.keys()
        assert {rule.check for rule in one.document.validation} <= CHECKS.keys()


@pytest.mark.parametrize(
    ("broken", "place", "words"),
    [
        (GOOD.replace("title: Test", "titel: Test"), "test.yaml:", "titel"),
        (GOOD.replace("take: most_recent", "tkae: most_recent"), "test.yaml:7:", "Did you mean 'take'?"),
        (GOOD.replace("why: whoever spoke last", "why: no"), "test.yaml:7:", "12 characters"),
        (GOOD.replace("legal_name", "legal_nme"), "test.yaml", "no field 'legal_nme'"),
        (GOOD.replace('["*"]', "[industry]"), "test.yaml", "no survivorship rule covers"),
        (
            GOOD.replace("take: most_recent,", "take: most_recent, when: {colour: red},"),
            "test.yaml",
            "the fact 'colour'",
        ),
        (GOOD.replace("entity: account", "entity: acount"), "test.yaml", "acount"),
        (GOOD.replace("title: Test", "title: [Test"), "test.yaml:", ""),
        ("just words", "test.yaml:1:1", "mapping"),
    ],
)
def test_ruleset_broken_document_is_refused_with_its_place(broken: str, place: str, words: str) -> None:
    with pytest.raises(RuleSetInvalid) as caught:
        load(broken, "test.yaml")
    assert place in caught.value.message
    assert words in caught.value.message
    assert caught.value.hint


def test_ruleset_version_ignores_comments_and_layout_and_sees_content() -> None:
    assert load(GOOD, "a").version == load("# a comment\n" + GOOD, "b").version
    assert load(GOOD, "a").version != load(GOOD.replace("Test", "Other"), "a").version
