"""Matching of any table: forms, kinds, keys, weights, clusters, and what comes out for bad input."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.match import normal
from rules.match.calibrate import calibrated, informative
from rules.match.candidates import atoms, candidates, sound
from rules.match.clusters import Bounds, clusters
from rules.match.columns import Table, column, hashed, joined
from rules.match.fit import Ground, fit
from rules.match.names import MATCH, score
from rules.match.profile import profile
from rules.match.run import Result, match
from rules.match.similar import weighted
from rules.match.spec import Spec, model_of

GIVEN = "anna bernd clara david emma felix greta hugo ida jonas karla linus mara nils olga paul".split()
FAMILY = "schneider fischer weber wagner becker hoffmann koch richter klein wolf neumann schwarz".split()
STREETS = "lindenweg hauptstrasse bahnhofstrasse gartenweg schulstrasse muehlenweg ringstrasse".split()


def table(rows: Sequence[Mapping[str, str]], sources: Sequence[str] | None = None) -> Table:
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {n: column(n, normal.cleaned(row.get(n, "") for row in rows)) for n in names}
    coded = column("source", sources) if sources else None
    return Table(
        [str(k) for k in range(len(rows))],
        columns,
        coded.codes if coded else None,
        coded.texts if coded else (),
    )


def people(count: int, seed: int = 3) -> tuple[list[dict[str, str]], list[int]]:
    """Twice as many rows as people, the second of each with a slip in one or two fields."""
    chance = random.Random(seed)
    rows, truth = [], []
    for who in range(count):
        row = {
            "given_name": chance.choice(GIVEN),
            "family_name": chance.choice(FAMILY),
            "date_of_birth": f"{chance.randint(1940, 2004)}-{chance.randint(1, 12):02d}-{chance.randint(1, 28):02d}",
            "street": f"{chance.choice(STREETS)} {chance.randint(1, 120)}",
            "phone": f"030 {chance.randint(2000000, 9999999)}",
        }
        slipped = dict(row)
        for name in chance.sample(list(row), 2):
            at = chance.randrange(1, len(row[name]))
            slipped[name] = row[name][:at] + row[name][at + 1 :] if chance.random() < 0.6 else ""
        rows += [row, slipped]
        truth += [who, who]
    return rows, truth


def pairs(labels: Sequence[int]) -> set[tuple[int, int]]:
    groups: dict[int, list[int]] = {}
    for row, label in enumerate(labels):
        groups.setdefault(label, []).append(row)
    return {(a, b) for rows in groups.values() for k, a in enumerate(rows) for b in rows[k + 1 :]}


def f1(found: Result, truth: Sequence[int]) -> float:
    mine, right = pairs(found.labels.tolist()), pairs(truth)
    return 2 * len(mine & right) / (len(mine) + len(right))


@pytest.mark.parametrize(
    ("form", "given", "wanted"),
    [
        (normal.organisation, "Koninklijke Philips Electronics N.V.", "koninklijke philips electronics"),
        (normal.organisation, "GmbH & Co. KG", "gmbh and co kg"),
        (normal.organisation, "D.S.M. I.P. Assets B. V.", "dsm ip assets"),
        (normal.organisation, "Общество с ограниченной ответственностью БАЙ", "bai"),
        (normal.person, "Hughes, Dr. Howie", "howie hughes"),
        (normal.street, "Hardenbergstraße 87", "hardenberg st 87"),
        (normal.street, "435 S. La Cienega Blv.", "435 s la cienega blvd"),
        (normal.phone, "+7 (4812) 85-62-34", "74812856234"),
        (normal.phone, "12", ""),
        (normal.email, "Nastassia <Patak+shop@Universal.com>", "patak@universal.com"),
        (normal.domain, "https://www.Example.co.uk/path?x=1", "example.co.uk"),
        (normal.dates, "24-May-11", "20110524"),
        (normal.dates, "1993-09-14T00:00:00", "19930914"),
        (normal.dates, "the day before", ""),
        (normal.number, "$1,299.50", "1299.5"),
        (normal.number, "4m 11sec", "251"),
        (normal.number, "04:11", "251"),
        (normal.number, "...", ""),
        (normal.coordinate, "0.0", ""),
        (normal.compact, "0013-AB/7", "13ab7"),
        (normal.models, "Sony KDL-52V4100 52' LCD 1080p", "kdl52v4100"),
    ],
)
def test_form_of_a_text_is_what_is_compared(form, given, wanted) -> None:
    assert form([given, "", given]) == [wanted, "", wanted]


def test_cleaned_takes_control_characters_and_words_for_nothing_off() -> None:
    assert normal.cleaned([" a\x00b ", "N/A", None, float("nan"), 5, "x\ny"]) == ["a b", "", "", "", "5", "x y"]


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("a", ["x@example.com", "y@example.org"], "email"),
        ("kunde", ["Acme GmbH", "Beta Ltd", "Gamma Inc", "Delta"], "organisation"),
        ("b", ["+49 30 123456-7", "(030) 765 4321", "030/111 22 33"], "phone"),
        ("c", ["1978-12-11", "1990-01-30", "2001-05-05"], "date"),
        ("tax_id", ["DE123456789", "GB999999973", "12-3456789"], "identifier"),
        ("zip", ["10115", "20095", "80331"], "postcode"),
        ("price", ["$12.50", "3,000.00", "7"], "number"),
        ("d", ["12 Main Street", "9 Oak Avenue", "77 Elm Rd"], "street"),
        ("gender", ["m", "f"] * 20, "category"),
        ("e", ["https://a.example", "www.b.example", "c.example"], "domain"),
        ("f", ["", "", ""], "empty"),
    ],
)
def test_profile_tells_what_a_column_holds(name, values, kind) -> None:
    assert profile(column(name, normal.cleaned(values))).kind == kind


@given(st.lists(st.text(max_size=12), min_size=1, max_size=20))
def test_hash_of_a_text_depends_on_the_text_alone(texts: list[str]) -> None:
    together = hashed(texts, "salt")
    assert [int(hashed([t], "salt")[0]) for t in texts] == together.tolist()
    assert all((h == 0) == (t == "") for h, t in zip(together.tolist(), texts, strict=True))


def test_joined_columns_say_what_all_of_them_say() -> None:
    made = joined("whole", [column("a", ["x", "", "y"]), column("b", ["1", "2", ""]), column("c", ["", "", ""])])
    assert [made.texts[c] if c >= 0 else "" for c in made.codes.tolist()] == ["x 1", "2", "y"]


def test_sound_of_names_that_are_taken_for_each_other_is_one() -> None:
    assert sound("meyer") == sound("maier")
    assert sound("schmidt") == sound("schmitt")
    assert sound("becker") != sound("fischer")


def test_key_that_many_share_is_refined_and_what_is_left_out_is_counted() -> None:
    shared = column("name", ["acme"] * 300)
    city = column("city", [f"town{k // 3}" for k in range(300)])
    order = np.arange(300)
    found = candidates(300, [atoms("name|whole", shared, "whole")], [atoms("city|whole", city, "whole")], order, 20)
    assert {(a // 3) == (b // 3) for a, b in zip(found.i.tolist(), found.j.tolist(), strict=True)} == {True}
    assert len(found.i) == 300
    alone = candidates(300, [atoms("name|whole", shared, "whole")], [], order, 20)
    assert alone.costs[0].left_out == 300
    assert len(alone.i) < 300 * 5


def test_weights_rise_with_likeness_and_find_the_share_of_true_pairs() -> None:
    chance = np.random.default_rng(5)
    same = chance.random(4000) < 0.2
    levels = {
        name: np.where(
            same, chance.choice(3, 4000, p=[0.1, 0.2, 0.7]), chance.choice(3, 4000, p=[0.9, 0.08, 0.02])
        ).astype(np.int8)
        for name in "abcd"
    }
    drawn = {name: chance.choice(3, 50_000, p=[0.9, 0.08, 0.02]).astype(np.int8) for name in "abcd"}
    ground = Ground(
        drawn,
        dict.fromkeys("abcd", 2),
        dict.fromkeys("abcd", 0.02),
        2000,
        2e6,
        dict.fromkeys("abcd", 0.0),
        dict.fromkeys("abcd", -12.0),
    )
    found = fit(levels, ground, [(((n,),),) for n in "abcd"])
    assert all(np.all(np.diff(one) >= 0) for one in found.levels.values())
    assert found.m["a"][2] > 10 * found.u["a"][2]
    assert 0.5 < 2e6 / (1 + np.exp(-found.prior)) / same.sum() < 2


def test_chain_does_not_join_what_speaks_against_each_other() -> None:
    i, j = np.array([0, 1, 0]), np.array([1, 2, 2])
    assert clusters(3, i, j, np.array([5, 4, -9], np.float32)).tolist() == [0, 0, 2]
    assert clusters(3, i, j, np.array([5, 4, -3], np.float32)).tolist() == [0, 0, 0]


def test_duplicate_free_source_and_exclusive_value_keep_rows_apart() -> None:
    i, j, sure = np.array([0, 0]), np.array([1, 2]), np.array([5, 6], np.float32)
    once = np.array([0, 1, 1], np.int32)
    assert clusters(3, i, j, sure, Bounds(once)).tolist() == [0, 1, 0]
    tax = np.array([-1, 4, 7], np.int32)
    assert clusters(3, i, j, sure, Bounds(None, (tax,))).tolist() == [0, 1, 0]


def test_people_with_slips_are_found_without_labels() -> None:
    rows, truth = people(400)
    assert f1(match(table(rows)), truth) > 0.95


def test_sources_to_link_give_each_row_one_partner() -> None:
    rows, truth = people(300)
    sources = ["left" if k % 2 == 0 else "right" for k in range(len(rows))]
    found = match(table(rows, sources), Spec(kind="link"))
    assert f1(found, truth) > 0.95
    assert np.bincount(found.labels).max() == 2


def test_model_of_a_run_gives_the_same_answer_again() -> None:
    rows, _ = people(150)
    first = match(table(rows))
    again = match(table(rows), Spec(model=model_of(first.weights, 1)))
    assert again.labels.tolist() == first.labels.tolist()


@settings(max_examples=10, deadline=None)
@given(st.randoms(use_true_random=False))
def test_order_of_rows_does_not_change_the_clusters(chance: random.Random) -> None:
    rows, _ = people(120)
    order = list(range(len(rows)))
    chance.shuffle(order)
    one = pairs(match(table(rows)).labels.tolist())
    other = match(table([rows[k] for k in order])).labels.tolist()
    assert {tuple(sorted((order[a], order[b]))) for a, b in pairs(other)} == one


def test_hard_rules_stand_above_the_evidence() -> None:
    rows, truth = people(120)
    for k, row in enumerate(rows):
        row["checked"] = f"v{k}" if k in (0, 1) else ""
        row["forced"] = "same" if k in (2, 9) else ""
    spec = Spec(columns={"checked": "ignore", "forced": "ignore"}, must_not=("checked",), must=("forced",))
    labels = match(table(rows), spec).labels
    assert labels[0] != labels[1]
    assert labels[2] == labels[9]
    assert truth[2] != truth[9]


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [{"name": "only one"}],
        [{"name": ""}, {"name": ""}],
        [{"name": "x" * 10_000}, {"name": "x" * 10_000}, {"name": "y"}],
        [{"name": "Größe 株式会社 Ω"}, {"name": "groesse"}, {"name": "\ud7ff\u200f"}],
        [{"name": "nan", "price": "nan"}, {"name": "Acme", "price": "1e400"}, {"name": "Acme", "price": "-"}],
        [{"name": "Acme", "phone": "0" * 40}] * 3,
    ],
    ids=["no rows", "one row", "all empty", "10,000 characters", "mixed scripts", "not numbers", "odd phones"],
)
def test_bad_input_is_matched_all_the_same(rows) -> None:
    found = match(table(rows))
    assert len(found.labels) == len(rows)


def test_very_many_equal_rows_cost_no_more_than_a_few() -> None:
    rows, _ = people(30)
    found = match(table(rows + [rows[0]] * 20_000))
    assert len(found.i) < 20_000
    assert len(found.labels) == 20_060


def test_similar_texts_are_found_by_their_rare_words() -> None:
    texts = [f"common words again {k}abc{k}" for k in range(50)]
    found = weighted([*texts, "common again 7abc7"])
    i, j = found.nearest(3, None)
    assert (7, 50) in set(zip(i.tolist(), j.tolist(), strict=True))
    alike = found.alike(np.array([7, 8]), np.array([50, 50]))
    assert alike[0] > alike[1]


@pytest.mark.parametrize(
    ("left", "right", "kind", "same"),
    [
        ("Robert Smith", "Smith, Bob", "person", True),
        ("V. Putin", "Vladimir Putin", "person", True),
        ("Sandeep Pichai", "Sundar Pichai", "person", False),
        ("PolPot", "Pol Pot", "person", True),
        ("Барак Обама", "Barack Obama", "person", True),
        ("OAO Gazprom", "Gazprom Open Joint Stock Company", "organisation", True),
        ("Bank of Armenia Corporation", "Bank of America Corporation", "organisation", False),
        ("Deutsche Bank AG", "Deutsche Bank Aktiengesellschaft", "organisation", True),
        ("", "Acme", "organisation", False),
    ],
)
def test_two_names_alone_have_one_bearer_or_not(left, right, kind, same) -> None:
    assert (float(score([left], [right], [kind])[0]) >= MATCH) is same


def test_answers_move_the_band_to_where_they_part() -> None:
    odds = np.linspace(-6, 6, 61)
    made = calibrated(odds, odds > 2, 0.0)
    assert made.match == pytest.approx(2, abs=0.3)
    assert made.before < made.after
    assert calibrated(np.zeros(0), np.zeros(0, bool), 1.5).match == pytest.approx(1.5)


def test_most_informative_pairs_are_those_nearest_to_the_band() -> None:
    odds = np.array([9.0, 0.1, -8.0, 1.0, -0.2], np.float32)
    assert informative(odds, 0.0, 3).tolist() == [1, 4, 3]
