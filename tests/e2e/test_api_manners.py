"""How the API behaves as a neighbour on the web: origins, compression, ETags, sizes, ids, traces, and its switches."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from flask.testing import FlaskClient

from hub.cli.documents import documents
from hub.doctor import codes
from hub.errors import TookTooLong
from hub.settings import Settings
from hub.store import access, audit
from hub.store.access import Principal
from hub.store.engine import reading, within, writing
from hub.store.tables import audit as entries
from hub.web import app as web
from hub.web.app import create_app
from hub.wiring import Hub
from tests.worlds import account, deliver

SITE = "https://app.example"
TYPE = "{ __typename }"
LARGE = "{ accounts(first: 100) { nodes { id label state version } } }"
Opened = Callable[..., "Caller"]


class Caller:
    """Somebody with a key, before a hub with these settings."""

    def __init__(self, hub: Hub, role: str = "reader") -> None:
        with writing(hub.engine) as connection:
            key = access.issue(connection, Principal("shop", role), hub.clock())
        self.hub, self.key = hub, {"Authorization": f"Bearer {key}"}
        self.client: FlaskClient = create_app(hub).test_client()

    def post(self, query: str | None = TYPE, headers: dict[str, str] | None = None, **sent: Any) -> Any:
        told = {**({"query": query} if query is not None else {}), **sent}
        return self.client.post("/graphql", json=told, headers={**self.key, **(headers or {})})

    def get(self, headers: dict[str, str] | None = None, **said: str) -> Any:
        return self.client.get("/graphql", query_string=said, headers={**self.key, **(headers or {})})


@pytest.fixture
def opened(sqlite_hub: Hub) -> Iterator[Opened]:
    """A hub with thirty companies; whatever settings are asked for."""
    deliver(sqlite_hub, [account("crm", str(n), name=f"Company {n}") for n in range(30)])
    made: list[Hub] = []

    def of(role: str = "reader", **settings: Any) -> Caller:
        made.append(Hub(Settings(dir=sqlite_hub.settings.dir, **settings), sqlite_hub.clock))
        return Caller(made[-1], role)

    yield of
    for hub in made:
        hub.engine.dispose()


def code_of(reply: Any) -> str:
    return str(reply.get_json()["errors"][0]["extensions"]["code"])


def test_pages_of_other_sites_are_let_in_only_where_they_are_listed(opened: Opened) -> None:
    asking = {"Origin": SITE, "Access-Control-Request-Method": "POST"}
    shut, let = opened(), opened(cors_origins=(SITE,))
    assert "Access-Control-Allow-Origin" not in shut.client.options("/graphql", headers=asking).headers
    assert "Access-Control-Allow-Origin" not in shut.post(headers={"Origin": SITE}).headers
    before = let.client.options("/graphql", headers=asking)
    assert (before.status_code, before.headers["Access-Control-Allow-Origin"]) == (204, SITE)
    assert "Idempotency-Key" in before.headers["Access-Control-Allow-Headers"]
    reply = let.post(headers={"Origin": SITE})
    assert reply.headers["Access-Control-Allow-Origin"] == SITE
    assert "RateLimit" in reply.headers["Access-Control-Expose-Headers"]
    assert "Origin" in reply.headers["Vary"]
    assert "Access-Control-Allow-Credentials" not in reply.headers
    for path, headers in (("/graphql", {**asking, "Origin": "https://evil.example"}), ("/login", asking)):
        assert "Access-Control-Allow-Origin" not in let.client.options(path, headers=headers).headers
    refused = let.client.post("/graphql", json={"query": TYPE}, headers={"Origin": SITE})
    assert (refused.status_code, refused.headers["Access-Control-Allow-Origin"]) == (401, SITE), "errors are readable"


def test_large_answers_are_compressed_for_who_takes_it(opened: Opened) -> None:
    caller = opened()
    plain, packed = caller.post(LARGE), caller.post(LARGE, {"Accept-Encoding": "br, gzip"})
    assert "Content-Encoding" not in plain.headers
    assert "Accept-Encoding" in plain.headers["Vary"]
    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) == len(packed.data) < len(plain.data) / 3
    assert json.loads(gzip.decompress(packed.data)) == plain.get_json()
    for refusal in ("gzip;q=0", "identity", "br"):
        assert "Content-Encoding" not in caller.post(LARGE, {"Accept-Encoding": refusal}).headers
    assert "Content-Encoding" not in caller.post(TYPE, {"Accept-Encoding": "gzip"}).headers, "too small to shrink"
    assert "Content-Encoding" not in caller.client.get("/login", headers={"Accept-Encoding": "gzip"}).headers
    style = caller.client.get("/static/console.css", headers={"Accept-Encoding": "gzip"})
    assert style.headers["Content-Encoding"] == "gzip"
    assert b"{" in gzip.decompress(style.data)
    style.close()


def test_stream_of_changes_goes_out_as_it_comes(opened: Opened) -> None:
    caller = opened()
    stream = caller.client.get("/changes", headers={**caller.key, "Accept-Encoding": "gzip"}, buffered=False)
    parts = iter(stream.response)
    assert b"retry" in next(parts)
    assert b"event: change" in next(parts)
    assert "Content-Encoding" not in stream.headers
    stream.close()


def test_query_by_get_is_not_sent_twice_while_nothing_changes(opened: Opened) -> None:
    caller = opened()
    first = caller.get(query=LARGE)
    assert first.headers["Cache-Control"] == "private, no-cache"
    assert {"Accept", "Authorization", "Accept-Encoding"} <= set(re.split(", *", first.headers["Vary"]))
    seen = {"If-None-Match": first.headers["ETag"]}
    again = caller.get(seen, query=LARGE)
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    packed = caller.get({**seen, "Accept-Encoding": "gzip"}, query=LARGE)
    assert packed.status_code == 304, "the tag is that of the content, however it is packed"
    deliver(caller.hub, [account("crm", "31", name="One more")])
    assert caller.get(seen, query=LARGE).status_code == 200
    assert "ETag" not in caller.post(LARGE, seen).headers
    assert "ETag" not in caller.get(query="{ nope }", headers={"Accept": "application/graphql-response+json"}).headers


def test_request_that_is_too_large_has_a_code_of_its_own(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "LARGEST", 2000)
    caller = opened("engineer")
    for path, body in (("/graphql", json.dumps({"query": " " * 2000})), ("/ingest/crm", "x" * 2001)):
        reply = caller.client.post(path, data=body, content_type="application/json", headers=caller.key)
        told = reply.get_json()["error"]
        assert (reply.status_code, told["code"], told["requestId"]) == (413, "HUB-6002", reply.headers["X-Request-Id"])


@pytest.mark.parametrize("said", ["order-7/b:1", "x" * 128])
def test_request_goes_by_the_id_that_its_caller_gave(opened: Opened, said: str) -> None:
    reply = opened().post("{ nope }", {"X-Request-ID": said})
    assert reply.headers["X-Request-Id"] == said
    assert reply.get_json()["errors"][0]["extensions"]["requestId"] == said


@pytest.mark.parametrize("said", ["", "x" * 129, "a b", "<script>", "-x"])
def test_id_that_is_not_plain_is_not_taken_over(opened: Opened, said: str) -> None:
    assert opened().post(headers={"X-Request-ID": said}).headers["X-Request-Id"] != said


TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def test_trace_of_the_caller_goes_on_into_the_audit_log_and_back(opened: Opened) -> None:
    caller = opened("steward")
    sent = {"traceparent": f"00-{TRACE}-{SPAN}-01", "X-Request-ID": "r-1"}
    reply = caller.post('mutation { undo(decision: "x") { userErrors { code } } }', sent)
    version, trace, span, flags = reply.headers["traceparent"].split("-")
    assert (version, trace, flags) == ("00", TRACE, "01")
    assert span != SPAN
    with reading(caller.hub.engine) as connection:
        last = connection.execute(sa.select(entries.c.detail).order_by(entries.c.id.desc()).limit(1)).scalar_one()
        assert audit.verify(connection) is None
    assert (last["trace"], last["request"]) == (TRACE, "r-1")


@pytest.mark.parametrize(
    "said",
    ["", "00", f"ff-{TRACE}-{SPAN}-01", f"00-{'0' * 32}-{SPAN}-01", f"00-{TRACE}-{'0' * 16}-01",
     f"00-{TRACE}-{SPAN}-01-more", f"00-{TRACE.upper()}-{SPAN}-01"],
)  # fmt: skip
def test_trace_that_is_none_is_begun_anew(opened: Opened, said: str) -> None:
    told = opened().post(headers={"traceparent": said}).headers["traceparent"]
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-00", told)
    assert TRACE not in told.lower()


def test_schema_is_told_unless_that_is_switched_off(opened: Opened) -> None:
    queries = (
        "{ __schema { types { name } } }",
        'query { ...s } fragment s on Query { __type(name: "Query") { name } }',
    )
    told, silent = opened(), opened(introspection=False)
    for query in queries:
        assert "errors" not in told.post(query).get_json()
        assert code_of(silent.post(query)) == "HUB-6006"
    assert silent.post(TYPE).get_json()["data"] == {"__typename": "Query"}
    for caller, tells in ((told, True), (silent, False)):
        message = caller.post("{ accounts { nodes { legalNam } } }").get_json()["errors"][0]["message"]
        assert ("legalName" in message) is tells


def registered(caller: Caller, path: Path, text: str) -> str:
    path.write_text(text, "utf-8")
    done = CliRunner().invoke(documents, ["add", str(path), "--dir", str(caller.hub.settings.dir)])
    assert done.exit_code == 0, done.output
    return sha256(text.encode()).hexdigest()


def test_registered_document_is_answered_by_its_hash(opened: Opened, tmp_path: Path) -> None:
    caller = opened()
    name = registered(caller, tmp_path / "a.graphql", "query ($n: Int) { accounts(first: $n) { nodes { id } } }")
    manifest = {"operations": [{"id": sha256(TYPE.encode()).hexdigest(), "body": TYPE}]}
    other = sha256(TYPE.encode()).hexdigest()
    (tmp_path / "m.json").write_text(json.dumps(manifest))
    assert CliRunner().invoke(documents, ["add", str(tmp_path / "m.json"), "--dir", str(tmp_path)]).exit_code == 0
    for sent in ({"documentId": name}, {"documentId": f"sha256:{name}"},
                 {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": name}}}):  # fmt: skip
        reply = caller.post(None, variables={"n": 3}, **sent)
        assert len(reply.get_json()["data"]["accounts"]["nodes"]) == 3
    assert caller.get(documentId=other).get_json()["data"] == {"__typename": "Query"}
    assert (caller.post(None, documentId="0" * 64).status_code, code_of(caller.post(None, documentId="0" * 64))) == (
        400,
        "HUB-6004",
    )
    for wrong in ("x", "../../hub.db", "0" * 63):
        assert code_of(caller.post(None, documentId=wrong)) == "HUB-6001"
    assert code_of(caller.post(TYPE, documentId=name)) == "HUB-6001", "the text is another's"
    listed = CliRunner().invoke(documents, ["ls", "--dir", str(tmp_path), "--format", "json"])
    assert {one["document"] for one in json.loads(listed.stdout)} == {name, other}
    assert "withdrawn" in CliRunner().invoke(documents, ["rm", name, "--dir", str(tmp_path)]).output
    assert code_of(caller.post(None, documentId=name)) == "HUB-6004"


def test_document_that_was_changed_on_disk_is_not_answered(opened: Opened, tmp_path: Path) -> None:
    caller = opened()
    name = registered(caller, tmp_path / "a.graphql", TYPE)
    (caller.hub.settings.dir / "documents" / f"{name}.graphql").write_text("{ accounts { nodes { email } } }")
    assert code_of(caller.post(None, documentId=name)) == "HUB-6004"


def test_hub_that_trusts_registered_documents_alone_answers_no_other(opened: Opened, tmp_path: Path) -> None:
    caller = opened(trusted_only=True)
    name = registered(caller, tmp_path / "a.graphql", TYPE)
    assert caller.post(None, documentId=name).get_json()["data"] == {"__typename": "Query"}
    assert caller.post(TYPE).get_json()["data"] == {"__typename": "Query"}, "the text itself is as good as its hash"
    other = "{ accounts { nodes { id } } }"
    for reply in (caller.post(other), caller.get(query=other), caller.post("{"),
                  caller.post(other, documentId=sha256(other.encode()).hexdigest())):  # fmt: skip
        assert code_of(reply) == "HUB-6005"


def test_document_that_does_not_fit_the_schema_is_not_registered(opened: Opened, tmp_path: Path) -> None:
    caller = opened()
    for name, text in (("a.graphql", "{ nope }"), ("b.graphql", "{"), ("c.json", '{"abc": "{ __typename }"}')):
        (tmp_path / name).write_text(text)
        done = CliRunner().invoke(documents, ["add", str(tmp_path / name), "--dir", str(caller.hub.settings.dir)])
        assert done.exception is not None
    assert not list((caller.hub.settings.dir / "documents").glob("*"))


def test_reading_ends_when_its_time_is_over(hub: Hub) -> None:
    endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n"
    with pytest.raises(TookTooLong), within(0.3), reading(hub.engine) as connection:
        connection.exec_driver_sql(endless)
    with reading(hub.engine) as connection:
        assert connection.exec_driver_sql("select 1").scalar() == 1, "what comes after has its own time"


def test_query_that_takes_too_long_has_a_code_of_its_own(opened: Opened) -> None:
    assert code_of(opened(query_seconds=1e-9).post(LARGE)) == "HUB-6003"


def test_every_code_stands_in_one_list(opened: Opened) -> None:
    client = opened().client
    listed = client.get("/api/errors", headers={"Accept": "application/json"}).get_json()
    assert [one["code"] for one in listed] == codes()
    assert all(one["title"] and one["next"] for one in listed)
    page = client.get("/api/errors").get_data(as_text=True)
    assert all(f'href="/api/errors/{code}"' in page for code in codes())
