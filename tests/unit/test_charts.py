"""Where bars and points stand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hub.web.console import charts

NOW = datetime(2026, 10, 1, 12, tzinfo=UTC)


def test_waterfall_steps_join_and_end_at_the_score() -> None:
    chart = charts.waterfall([["name", 0.9, 7.0], ["tax", 0.0, -2.0]], 6.0, (4.5, 9.0))
    first, second, rest = chart["rows"]
    assert (first["sum"], second["sum"], rest["name"]) == (7.0, 5.0, "everything else")
    assert first["x"] + first["width"] == pytest.approx(second["x"] + second["width"])
    assert rest["x"] + rest["width"] == pytest.approx(chart["score"])
    assert chart["zero"] < chart["review"] < chart["score"] < chart["match"] <= charts.WIDE


def test_backlog_counts_what_was_open_at_the_end_of_each_day() -> None:
    rows = [("match", NOW - timedelta(days=3), NOW - timedelta(days=1)), ("match", NOW, None)]
    lines = charts.backlog(rows, NOW, days=4)["lines"]
    assert [(line["opened"], line["closed"], line["open"]) for line in lines] == [
        (1, 0, 1),
        (0, 0, 1),
        (0, 1, 0),
        (1, 0, 1),
    ]


def test_histogram_tells_the_share_of_same_per_score() -> None:
    chart = charts.histogram([(5.0, "same"), (5.0, "different"), (8.0, None)], (4.5, 9.0))
    assert sum(one["count"] for one in chart["bins"]) == 3
    assert [one["rate"] for one in chart["bins"] if one["count"]] == [0.5, None]
    assert charts.histogram([], (4.5, 9.0)) == {"bins": []}


def test_letters_mark_what_only_one_side_has_and_give_both_texts_back() -> None:
    left, right = charts.letters("Acorn Ltd", "Acorn Limited")
    assert "".join(text for _, text in left) == "Acorn Ltd"
    assert "".join(text for _, text in right) == "Acorn Limited"
    assert {mark for mark, _ in right} == {"", "+"}
    assert charts.letters("x" * 3000, "y") == ([("-", "x" * 3000)], [("+", "y")])


def test_graph_gives_up_where_it_would_be_a_hairball() -> None:
    names = [f"crm:account:{number}" for number in range(41)]
    assert charts.graph(names, []) is None
    chart = charts.graph(names[:3], [(names[0], names[1], 5.0), (names[0], "not here", 1.0)])
    assert chart is not None
    assert (len(chart["nodes"]), len(chart["edges"])) == (3, 1)


def test_streams_run_from_joining_to_leaving() -> None:
    links = [
        {
            "system": "crm",
            "key": "a",
            "golden_id": "one",
            "since": NOW - timedelta(days=2),
            "until": NOW - timedelta(days=1),
        },
        {"system": "crm", "key": "a", "golden_id": "two", "since": NOW - timedelta(days=1), "until": None},
    ]
    (lane,) = charts.streams(links, "two", NOW)["lanes"]
    assert [part["here"] for part in lane["parts"]] == [False, True]
    assert lane["parts"][0]["to"] == lane["parts"][1]["from"]


def test_graph_of_a_crowd_draws_what_holds_it_together_and_counts_the_rest() -> None:
    names = [f"crm:account:{n}" for n in range(12)]
    ties = [(a, b, 10.0 + (b == names[0] or a == names[0])) for i, a in enumerate(names) for b in names[i + 1 :]]
    drawn = charts.graph(names, [*ties[1:], (names[0], names[1], -3.0)])
    assert drawn is not None
    assert sorted(edge["score"] for edge in drawn["edges"]) == [-3.0, 10.0, *[11.0] * 10]
    assert drawn["left_out"] == len(ties) - 12
    few = charts.graph(names[:4], ties[:3])
    assert few is not None
    assert (len(few["edges"]), few["left_out"]) == (3, 0)
