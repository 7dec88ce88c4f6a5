"""The strict edge: each kind of bad input is a finding with its place, and the rest goes on."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

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
        ('{"a": 123456789012345678901}', "HUB-3107"),
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
