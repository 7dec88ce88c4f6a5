"""Clusters from evidence: chains, vetoes, decisions, published records."""

from __future__ import annotations

from itertools import combinations, permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canonical.ids import SourceKey
from rules import clustering
from rules.case import Answer, PairDecision, Ties
from rules.clustering import ABSENT, CLIP, Bounds
from rules.judgement import Cluster, Question

Scores = dict[tuple[SourceKey, SourceKey], float]


def key(letter: str) -> SourceKey:
    return SourceKey("crm", "account", letter)


def evidence(**scores: float) -> Scores:
    return {(key(pair[0]), key(pair[1])): score for pair, score in scores.items()}


def cluster(
    keys: list[SourceKey], scores: Scores, decisions: list[PairDecision], limits: Bounds
) -> tuple[list[Cluster], list[Question]]:
    keys = sorted(keys)
    ids = [one.record_id for one in keys]
    ties = Ties.of(ids, [(a.record_id, b.record_id, score) for (a, b), score in scores.items()])
    return clustering.cluster(keys, ties, decisions, limits)


def bounds(exclusive: dict[str, str] | None = None, published: dict[str, str] | None = None) -> Bounds:
    held = {key(letter): {"tax-id GB": number} for letter, number in (exclusive or {}).items()}
    return Bounds(9, 4, held, {key(letter): id_ for letter, id_ in (published or {}).items()})


def groups(
    letters: str,
    scores: Scores,
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


@settings(deadline=None)
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
    scores = dict.fromkeys(combinations(keys, 2), 11.0)
    assert len(cluster(keys, scores, [], bounds())[0]) == 1


def slowly(
    letters: str, scores: dict[str, float], same: list[str], different: list[str], limits: tuple[dict[str, str], ...]
) -> list[str]:
    """The rules of joining as they are written, one pair of groups after the other."""
    taxes, published = limits
    enemies = {frozenset(pair) for pair in different}
    groups = [{letter} for letter in letters]

    def apart(a: set[str], b: set[str]) -> bool:
        return any(frozenset((x, y)) in enemies for x in a for y in b)

    def held(group: set[str], of: dict[str, str]) -> set[str]:
        return {of[letter] for letter in group if letter in of}

    def forbidden(a: set[str], b: set[str]) -> bool:
        (tax_a, tax_b), (pub_a, pub_b) = (held(a, taxes), held(b, taxes)), (held(a, published), held(b, published))
        rivals = not (pub_a <= pub_b or pub_b <= pub_a)
        return apart(a, b) or rivals or (bool(tax_a and tax_b) and tax_a != tax_b)

    def join(a: set[str], b: set[str]) -> None:
        groups.remove(a)
        groups.remove(b)
        groups.append(a | b)

    for pair in sorted("".join(sorted(pair)) for pair in same):
        a, b = (next(g for g in groups if letter in g) for letter in pair)
        if a != b and not apart(a, b):
            join(a, b)
    while ranked := sorted((*rank, a, b) for a, b in combinations(sorted(groups, key=min), 2)
                           if (rank := ranking(a, b, scores)) and not forbidden(a, b)):  # fmt: skip
        join(*ranked[0][-2:])
    return sorted("".join(sorted(group)) for group in groups)


def ranking(a: set[str], b: set[str], scores: dict[str, float]) -> tuple[float, str, str] | None:
    """How soon two groups join, if at all."""
    known = [scores[p] for p in ("".join(sorted(x + y)) for x in a for y in b) if p in scores]
    total = sum(max(-CLIP, min(CLIP, s)) for s in known) + ABSENT * (len(a) * len(b) - len(known))
    return (-round(total / (len(a) * len(b)), 9), min(a), min(b)) if max(known, default=0) >= 9 and total > 0 else None


LETTERS = "abcdefgh"
PAIRS = st.sampled_from(["".join(p) for p in combinations(LETTERS, 2)])


@settings(deadline=None)
@given(
    scores=st.dictionaries(PAIRS, st.integers(-14, 16), max_size=28),
    same=st.lists(PAIRS, max_size=3, unique=True),
    different=st.lists(PAIRS, max_size=3, unique=True),
    taxes=st.dictionaries(st.sampled_from(LETTERS), st.sampled_from("12"), max_size=4),
    published=st.dictionaries(st.sampled_from(LETTERS), st.sampled_from("xyz"), max_size=6),
)
def test_cluster_arrays_do_what_the_rules_say(
    scores: dict[str, float], same: list[str], different: list[str], taxes: dict[str, str], published: dict[str, str]
) -> None:
    said = [PairDecision(key(p[0]), key(p[1]), Answer.SAME) for p in same if p not in different]
    said += [PairDecision(key(p[0]), key(p[1]), Answer.DIFFERENT) for p in different]
    expected = slowly(LETTERS, scores, [p for p in same if p not in different], different, (taxes, published))
    assert groups(LETTERS, evidence(**scores), said, bounds(taxes, published)) == expected


def test_cluster_takes_a_component_that_is_too_large_apart_where_it_is_weakest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clustering, "LARGEST", 3)
    chain = evidence(ab=12, bc=12, cd=9, de=12, ef=12)
    assert groups("abcdef", chain) == ["abc", "def"]
    alike = evidence(**{"".join(pair): 12.0 for pair in combinations("abcdefg", 2)})
    assert groups("abcdefg", alike) == ["abc", "def", "g"]
