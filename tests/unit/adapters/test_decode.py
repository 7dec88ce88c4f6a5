"""The strict edge: each kind of bad input is a finding with its place, and the rest goes on."""

from __future__ import annotations

import io
import json
import tracemalloc
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.decode import LONGEST, Payload, decode, read_payloads
from adapters.errors import UnreadableFile


def read(tmp_path: Path, name: str, content: bytes) -> list[Payload]:
    path = tmp_path / name
    path.write_bytes(content)
    return list(read_payloads(path))


def codes(payloads: list[Payload]) -> list[str | None]:
    return [p.findings[0].code if p.content is None else None for p in payloads]


@pytest.mark.promise("A-17")
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"a": 1', "HUB-3102"),
        ("[1]", "HUB-3102"),
        ('{"a": 1, "a": 2}', "HUB-3102"),
        ('{"a": NaN}', "HUB-3102"),
        ('{"a": Infinity}', "HUB-3102"),
        ('{"a": "x\\u0000y"}', "HUB-3104"),
        ('{"a": "\\ud800"}', "HUB-3104"),
        ('{"a\\u0000": 1}', "HUB-3104"),
        ('{"a": 1e400}', "HUB-3107"),
        ('{"a": 1e99999999999999999999}', "HUB-3107"),
        ('{"a": 123456789012345678901}', "HUB-3107"),
        ('{"a": 9999999999999999999}', "HUB-3107"),
        ('{"a": 0.1234567891}', "HUB-3107"),
        ('{"a": "x\0y"}', "HUB-3104"),
        ('{"a": "\udc80"}', "HUB-3101"),
        ('{"a": "' + "x" * LONGEST + '"}', "HUB-3103"),
        ("{" + ",".join(f'"k{n}": {n}' for n in range(300)) + "}", "HUB-3103"),
        ('{"a":' * 40 + "1" + "}" * 40, "HUB-3103"),
        ('{"a":' * 100_000 + "1" + "}" * 100_000, "HUB-3103"),
        ('{"a": [' + "1," * 10_001 + "1]}", "HUB-3103"),
    ],
)
def test_decode_what_no_store_should_see_is_refused(text: str, code: str) -> None:
    refused = decode(text, 7)
    assert refused.content is None
    assert (refused.findings[0].code, refused.findings[0].place) == (code, "line 7")


def test_decode_numbers_are_whole_or_decimal_never_float() -> None:
    assert decode('{"a": 1, "b": 1.10, "c": 2e2}', 1).content == {"a": 1, "b": Decimal("1.10"), "c": Decimal("2E2")}


def test_read_jsonl_bad_lines_do_not_stop_the_rest(tmp_path: Path) -> None:
    lines = [b'{"a": 1}', b"not json", b"", b'{"a": "\xff"}', b'{"a": 2}']
    found = read(tmp_path, "x.jsonl", b"\xef\xbb\xbf" + b"\n".join(lines))
    assert codes(found) == [None, "HUB-3102", "HUB-3101", None]
    assert [p.line for p in found] == [1, 2, 4, 5]


def test_read_jsonl_ten_megabyte_line_is_refused_and_passed(tmp_path: Path) -> None:
    found = read(tmp_path, "x.jsonl", b'{"a": "' + b"x" * (10 << 20) + b'"}\n{"a": 1}\n')
    assert codes(found) == ["HUB-3103", None]
    assert len(found[0].body) <= LONGEST


@pytest.mark.parametrize("content", [b'[{"a": 1}, {"a": 2}]', b' [\n{"a":1}\n,{"a":2}]\n', b'{"a": 1}'])
def test_read_json_array_or_object(tmp_path: Path, content: bytes) -> None:
    found = read(tmp_path, "x.json", content)
    assert codes(found) == [None] * len(found)
    assert found[0].content == {"a": 1}


def test_read_json_large_array_is_streamed(tmp_path: Path) -> None:
    content = b"[" + b",".join(b'{"n": %d, "t": "%s"}' % (n, b"x" * 200) for n in range(20_000)) + b"]"
    found = read(tmp_path, "x.json", content)
    assert [p.content["n"] for p in found if p.content] == list(range(20_000))


def test_read_json_cut_off_in_the_middle_says_so(tmp_path: Path) -> None:
    assert codes(read(tmp_path, "x.json", b'[{"a": 1}, {"a": ')) == [None, "HUB-3102"]


def test_read_csv_quoted_newline_is_one_row(tmp_path: Path) -> None:
    found = read(tmp_path, "x.csv", b'id,name\n1,"Acme\nLtd"\n2,Birch\n')
    assert [p.content for p in found] == [{"id": "1", "name": "Acme\nLtd"}, {"id": "2", "name": "Birch"}]


def test_read_csv_other_delimiters_and_mark(tmp_path: Path) -> None:
    assert read(tmp_path, "x.csv", b"\xef\xbb\xbfid;name\n1;Acme, Ltd\n")[0].content == {"id": "1", "name": "Acme, Ltd"}
    assert read(tmp_path, "x.tsv", b"id\tname\n1\tAcme\n")[0].content == {"id": "1", "name": "Acme"}


def test_read_csv_rows_that_do_not_fit_are_findings(tmp_path: Path) -> None:
    found = read(tmp_path, "x.csv", b"id,name\n1\n2,b,c\n3,\xff\n4,d\n5,a\x00b\n")
    assert codes(found) == ["HUB-3105", "HUB-3105", "HUB-3101", None, "HUB-3104"]


def test_read_csv_formula_cell_stays_text_with_a_note(tmp_path: Path) -> None:
    found = read(tmp_path, "x.csv", b"id,name,phone\n1,=cmd(),+44 20 7946 0000\n2,-3.5,@x\n")
    assert [[(f.code, f.field) for f in p.findings] for p in found] == [[("HUB-3106", "name")], [("HUB-3106", "phone")]]
    assert found[0].content is not None
    assert found[0].content["name"] == "=cmd()"


@pytest.mark.parametrize("content", [b"a,a\n1,2\n", b"a,\n1,2\n"])
def test_read_csv_bad_header_is_an_error_that_names_it(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(UnreadableFile, match="header"):
        read(tmp_path, "x.csv", content)


def test_read_empty_file_gives_nothing(tmp_path: Path) -> None:
    for name in ("x.csv", "x.json", "x.jsonl"):
        assert read(tmp_path, name, b"") == []


def test_read_unknown_form_and_missing_file_are_errors(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="xlsx"):
        read(tmp_path, "x.xlsx", b"PK")
    with pytest.raises(UnreadableFile):
        list(read_payloads(tmp_path / "none.csv"))


def test_decode_numbers_at_the_limit_are_taken() -> None:
    text = '{"a": -999999999999999999, "b": 999999999999999999.999999999, "c": 1.500000000000, "d": 0e999}'
    content = decode(text, 1).content
    assert content is not None
    assert content["a"] == -999999999999999999
    assert [str(content[name]) for name in "bc"] == ["999999999999999999.999999999", "1.500000000000"]
    assert content["d"] == 0


def test_read_jsonl_long_line_of_twice_the_limit_swallows_no_neighbour(tmp_path: Path) -> None:
    for size in (LONGEST, LONGEST + 1, 2 * LONGEST, 2 * LONGEST + 1, 2 * LONGEST + 2):
        found = read(tmp_path, "x.jsonl", b"x" * size + b'\n{"a": 1}\n')
        assert codes(found)[1:] == [None], size


def test_read_json_bad_entry_does_not_stop_the_rest(tmp_path: Path) -> None:
    found = read(tmp_path, "x.json", b'[{"a": 1}, {"a": ,}, 7, {"a": "]}"}, {"a": 1, "a": 2}, {"a": 3}]')
    assert codes(found) == [None, "HUB-3102", "HUB-3102", None, "HUB-3102", None]
    assert [p.findings[0].place for p in found if p.content is None] == ["$[1]", "$[2]", "$[4]"]


@pytest.mark.parametrize("content", [b'{"a": 1}\n{"a": 2}\n', b'{"a":\n1}\n{\n"a": 2}', b'{"a": 1}{"a": 2}'])
def test_read_json_objects_in_a_row_are_all_read(tmp_path: Path, content: bytes) -> None:
    assert [p.content for p in read(tmp_path, "x.json", content)] == [{"a": 1}, {"a": 2}]


def test_read_json_array_that_does_not_end_says_so(tmp_path: Path) -> None:
    assert codes(read(tmp_path, "x.json", b'[{"a": 1}, {"a": 2}')) == [None, None, "HUB-3102"]


@pytest.mark.parametrize("long", [b'"' + b"x" * (10 << 20) + b'\\\\"', b"[" + b"1," * (5 << 20) + b"1]"])
def test_read_json_ten_megabyte_entry_is_refused_and_passed_in_little_memory(tmp_path: Path, long: bytes) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(b'[{"a": 1}, {"a": ' + long + b'}, {"a": 2}]')
    tracemalloc.start()
    found = list(read_payloads(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert codes(found) == [None, "HUB-3103", None]
    assert peak < 8 * LONGEST


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(["csv", "jsonl", "json"]))
def test_read_any_bytes_are_payloads_or_an_unreadable_file(content: bytes, form: str) -> None:
    try:
        found = list(read_payloads(io.BytesIO(content), form))
    except UnreadableFile:
        return
    for payload in found:
        assert (payload.content is None) == (payload.findings[:1] != () and payload.findings[0].code != "HUB-3106")
        payload.body.encode()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.dictionaries(st.text(max_size=5), st.integers(-5, 5) | st.text(max_size=9), max_size=4), max_size=8))
def test_read_json_array_gives_what_lines_give(rows: list[dict[str, object]]) -> None:
    array = list(read_payloads(io.BytesIO(json.dumps(rows, indent=1).encode()), "json"))
    lines = list(read_payloads(io.BytesIO("\n".join(json.dumps(row) for row in rows).encode()), "jsonl"))
    assert [p.content for p in array] == [p.content for p in lines]


def test_read_csv_stray_quote_costs_its_own_row_only(tmp_path: Path) -> None:
    found = read(tmp_path, "x.csv", b'id,name\n1,"Acme\n2,Birch\n3,"Cole, Ltd"\n4,Dale\n')
    assert [(p.line, p.content and p.content["name"]) for p in found] == [
        (2, None),
        (3, "Birch"),
        (4, "Cole, Ltd"),
        (5, "Dale"),
    ]
    assert found[0].findings[0].code == "HUB-3105"


def test_read_csv_broken_row_of_two_lines_makes_no_row_of_its_tail(tmp_path: Path) -> None:
    assert codes(read(tmp_path, "x.csv", b'id,name\n1,"a\nb"x,2\n3,c\n')) == ["HUB-3105", "HUB-3105", None]


def test_read_csv_ten_megabyte_row_is_refused_and_passed(tmp_path: Path) -> None:
    found = read(
        tmp_path, "x.csv", b"id,name\n1," + b"x" * (10 << 20) + b'\n2,Birch\n3,"' + b"y" * (3 << 20) + b"\n4,Dale\n"
    )
    assert codes(found) == ["HUB-3103", None, "HUB-3103", None]
    assert [p.line for p in found] == [2, 3, 4, 5]


def test_read_csv_unclosed_quote_at_the_end_keeps_the_rows_before_the_limit(tmp_path: Path) -> None:
    rows = b"".join(b"%d,name\n" % n for n in range(300_000))
    found = read(tmp_path, "x.csv", b'id,name\n0,"open\n' + rows)
    assert codes(found[:1]) == ["HUB-3105"]
    assert sum(p.content is not None for p in found) == 300_000


def test_read_csv_what_only_looks_odd_is_kept(tmp_path: Path) -> None:
    found = read(tmp_path, "x.csv", b"\nid|name|phone\n1|\\u0000|+49 30/1234-5 ext. 6\n")
    assert [p.content for p in found] == [{"id": "1", "name": "\\u0000", "phone": "+49 30/1234-5 ext. 6"}]
    assert found[0].findings == ()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a,b,a\n", "'a' twice"),
        (b"a,,b\n", "column 2"),
        (b",".join(b"c%d" % n for n in range(300)) + b"\n", "300 columns"),
    ],
)
def test_read_csv_bad_header_says_what_is_wrong(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(UnreadableFile, match=words):
        read(tmp_path, "x.csv", content)


@pytest.mark.parametrize("content", ["a,b\n1,2".encode("utf-16"), b"PK\x03\x04rest", b"\x1f\x8brest"])
def test_read_file_of_another_kind_is_named(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(UnreadableFile, match=r"UTF-16|ZIP|gzip"):
        read(tmp_path, "x.csv", content)


@pytest.mark.parametrize(("content", "count"), [(b'{"a": 1}\n{"a": 2}', 2), (b'[{"a": 1}]', 1), (b"a;b\n1;2\n", 1)])
def test_read_stream_without_a_name_is_known_by_its_first_bytes(content: bytes, count: int) -> None:
    stream = io.BytesIO(content)
    assert codes(list(read_payloads(stream))) == [None] * count
    assert not stream.closed
