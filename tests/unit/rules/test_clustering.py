"""Clusters from evidence: chains, vetoes, decisions, published records."""

from __future__ import annotations

from itertools import combinations, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canonical.ids import SourceKey
from rules.case import Answer, Evidence, Pair, PairDecision, ordered
from rules.clustering import Bounds, cluster


def key(letter: str) -> SourceKey:
    return SourceKey("crm", "account", letter)


def evidence(**scores: float) -> dict[Pair, Evidence]:
    return {ordered(key(pair[0]), key(pair[1])): Evidence(score) for pair, score in scores.items()}


def bounds(exclusive: dict[str, str] | None = None, published: dict[str, str] | None = None) -> Bounds:
    held = {key(letter): {"tax-id GB": number} for letter, number in (exclusive or {}).items()}
    return Bounds(9, 4, held, {key(letter): id_ for letter, id_ in (published or {}).items()})


def groups(
    letters: str,
    scores: dict[Pair, Evidence],
    decisions: list[PairDecision] | None = None,
    limits: Bounds | None = None,
) -> list[str]:
    found, _ = cluster([key(c) for c in letters], scores, decisions or [], limits or bounds())
    return ["".join(k.key for k in one.members) for one in found]


def test_cluster_two_alike_records_are_one() -> None:
    assert groups("abc", evidence(ab=10)) == ["ab", "c"]


def test_cluster_below_the_match_band_is_a_question() -> None:
    found, questions = cluster([key("a"), key("b")], evidence(ab=6), [], bounds())
    assert len(found) == 2
    assert [(q.left, q.right, q.reason) for q in questions] == [(key("a"), key("b"), "not certain")]


def test_cluster_chain_with_ends_that_contradict_stays_open() -> None:
    assert groups("abc", evidence(ab=10, bc=10, ac=-12)) == ["ab", "c"]


def test_cluster_chain_whose_ends_are_silent_holds() -> None:
    assert groups("abc", evidence(ab=10, bc=10)) == ["abc"]


def test_cluster_veto_anywhere_forbids_the_join_and_asks() -> None:
    limits = bounds({"a": "1", "c": "2"})
    found, questions = cluster([key(c) for c in "abc"], evidence(ab=12, bc=11), [], limits)
    assert ["".join(k.key for k in one.members) for one in found] == ["ab", "c"]
    assert [q.reason for q in questions] == ["different tax-id GB"]


def test_cluster_two_published_records_never_join_by_themselves() -> None:
    limits = bounds(published={"a": "acc_1", "b": "acc_2"})
    found, questions = cluster([key("a"), key("b")], evidence(ab=20), [], limits)
    assert len(found) == 2
    assert questions[0].reason == "both are published"


def test_cluster_steward_same_joins_even_published_records() -> None:
    limits = bounds(published={"a": "acc_1", "b": "acc_2"})
    same = PairDecision(key("a"), key("b"), Answer.SAME)
    assert groups("ab", {}, [same], limits) == ["ab"]


def test_cluster_steward_same_on_two_published_records_keeps_their_other_members() -> None:
    limits = bounds(published={"a": "acc_1", "b": "acc_2", "c": "acc_1", "d": "acc_3"})
    same = PairDecision(key("a"), key("b"), Answer.SAME)
    assert groups("abcd", evidence(ac=12, ab=2, bc=2, cd=12), [same], limits) == ["abc", "d"]


def test_cluster_steward_different_holds_across_whole_clusters() -> None:
    different = PairDecision(key("a"), key("d"), Answer.DIFFERENT)
    assert groups("abcd", evidence(ab=12, cd=12, bc=11), [different]) == ["ab", "cd"]


def test_cluster_different_is_not_asked_again() -> None:
    different = PairDecision(key("a"), key("b"), Answer.DIFFERENT)
    _, questions = cluster([key("a"), key("b")], evidence(ab=12), [different], bounds())
    assert questions == []


@given(
    scores=st.dictionaries(
        st.sampled_from(["".join(p) for p in combinations("abcde", 2)]), st.integers(-14, 16), max_size=10
    )
)
def test_cluster_any_order_gives_the_same(scores: dict[str, float]) -> None:
    known = evidence(**scores)
    expected = groups("abcde", known)
    for order in list(permutations("abcde"))[::17]:
        shuffled = dict(sorted(known.items(), key=lambda pair: hash((order, pair[0]))))
        assert groups("".join(order), shuffled) == expected


@pytest.mark.parametrize("size", [40])
def test_cluster_of_many_sources_is_one(size: int) -> None:
    keys = [SourceKey("crm", "account", f"{n:03d}") for n in range(size)]
    scores = {ordered(a, b): Evidence(11.0) for a, b in combinations(keys, 2)}
    assert len(cluster(keys, scores, [], bounds())[0]) == 1
