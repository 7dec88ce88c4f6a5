"""Files for a system that takes files: whole under their name, once, acknowledged, over a folder and over SFTP."""

from __future__ import annotations

import asyncio
import csv
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import asyncssh
import pytest

from adapters.base import Connection, Message, Status, Target
from adapters.errors import ConnectionInvalid, TargetRefuses, TargetUnavailable
from adapters.registry import KINDS
from adapters.registry import target as target_named

Connect = Callable[..., Target]


def customer(golden_id: str = "acc_1", version: int = 1, action: str = "create", **body: Any) -> Message:
    return Message("ledger", "account", golden_id, version, action, {"document": "customer", "name": "Acme", **body})


def invoice() -> Message:
    lines = [{"key": "1", "amount": {"amount": "49.00", "currency": "EUR"}}]
    body = {"document": "sales_invoice", "invoice_number": "R-1", "gross": "49.00", "currency": "EUR", "lines": lines}
    return Message("ledger", "invoice", "inv_1", 1, "create", body)


class SftpServer:
    """An SFTP server on this machine whose root is a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.key = asyncssh.generate_private_key("ssh-ed25519")
        self._opened: list[Any] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        self._server, self.port = server, server.get_port()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._shut(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _listen(self) -> Any:
        opened = self._opened

        class Door(asyncssh.SSHServer):
            def connection_made(self, conn: Any) -> None:
                opened.append(conn)

            def begin_auth(self, username: str) -> bool:
                return True

            def password_auth_supported(self) -> bool:
                return True

            def validate_password(self, username: str, password: str) -> bool:
                return (username, password) == ("hub", "secret")

        def files(channel: Any) -> asyncssh.SFTPServer:
            return asyncssh.SFTPServer(channel, chroot=str(self.root))

        return await asyncssh.listen(
            "127.0.0.1", 0, server_host_keys=[self.key], server_factory=Door, sftp_factory=files
        )

    async def _shut(self) -> None:
        self._server.close()
        for connection in self._opened:
            connection.abort()
        await self._server.wait_closed()
        await asyncio.sleep(0.1)  # the transports close in the next turn of the loop

    @property
    def options(self) -> dict[str, Any]:
        host_key = self.key.export_public_key().decode().strip()
        return {"host": "127.0.0.1", "port": self.port, "user": "hub", "password": "secret", "host_key": host_key}


@pytest.fixture(scope="module")
def sftp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SftpServer]:
    with SftpServer(tmp_path_factory.mktemp("sftp")) as running:
        yield running


@pytest.fixture(params=["folder", "sftp"])
def place(request: pytest.FixtureRequest, tmp_path: Path, sftp: SftpServer) -> tuple[Path, dict[str, Any]]:
    """Where files arrive, and the options that lead there."""
    if request.param == "folder":
        return tmp_path / "out", {"folder": "out"}
    name = tmp_path.name
    (sftp.root / name).mkdir()
    return sftp.root / name, {"folder": f"/{name}", "sftp": sftp.options}


def connect(home: Path, **options: Any) -> Target:
    return KINDS["drop"](Connection("ledger", "drop", home, options))


def arrived(place: Path) -> dict[str, str]:
    return {path.name.split("-", 2)[2]: path.read_bytes().decode() for path in sorted(place.glob("*-*"))}


def test_batch_arrives_as_a_file_per_document_whole_under_its_name(tmp_path: Path, place: Any) -> None:
    there, options = place
    target = connect(tmp_path, format="csv", **options)
    receipts = target.send([customer(), customer("acc_2", name='Umlaut "Ü", GmbH'), invoice()])
    assert [r.status for r in receipts] == [Status.APPLIED] * 3
    files = arrived(there)
    assert list(files) == ["0-customer.csv", "1-sales_invoice.csv"]
    rows = list(csv.DictReader(files["0-customer.csv"].splitlines()))
    assert [(row["key"], row["golden_id"], row["name"], row["city"]) for row in rows] == [
        ("ledger/acc_1/1/create", "acc_1", "Acme", ""), ("ledger/acc_2/1/create", "acc_2", 'Umlaut "Ü", GmbH', ""),
    ]  # fmt: skip
    (bill,) = csv.DictReader(files["1-sales_invoice.csv"].splitlines())
    assert json.loads(bill["lines"]) == invoice().body["lines"]
    assert not [path for path in there.iterdir() if path.name.endswith(".part")]
    assert target.check().endswith(": 3 records")


def test_same_batch_twice_and_from_another_process_arrives_once(tmp_path: Path, place: Any) -> None:
    there, options = place
    connect(tmp_path, format="jsonl", **options).send([customer()])
    again = connect(tmp_path, format="jsonl", **options)
    assert again.send([customer()])[0].status is Status.REPLAYED
    assert again.send([customer(version=2, action="update")])[0].status is Status.UNCHANGED
    assert list(arrived(there)) == ["0-customer.jsonl"]
    assert [found.golden_id for found in again.find("account", ["acc_1", "acc_9"])] == ["acc_1"]


def test_interrupted_before_it_was_put_leaves_as_the_same_file(tmp_path: Path) -> None:
    """The place cannot be written; once it can, what was staged leaves first, under its own number."""
    (tmp_path / "out").write_text("a file where the folder should be")
    target = connect(tmp_path, format="jsonl", folder="out")
    with pytest.raises(TargetUnavailable):
        target.send([customer()])
    (tmp_path / "out").unlink()
    again = connect(tmp_path, format="jsonl", folder="out")
    assert [r.status for r in again.send([customer(), customer("acc_2")])] == [Status.REPLAYED, Status.APPLIED]
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert [name[:6] for name in names] == ["000000", "000001"]
    assert [len((tmp_path / "out" / name).read_text().splitlines()) for name in names] == [1, 1]


def test_put_but_not_booked_is_put_once(tmp_path: Path, place: Any) -> None:
    there, options = place
    target = connect(tmp_path, format="jsonl", **options)
    target.send([customer()])
    (book,) = (tmp_path / "ledger.book").iterdir()
    book.rename(f"{book}.staged")  # the process died between putting the file and saying so
    before = [(path.name, path.stat().st_mtime_ns) for path in there.iterdir()]
    assert connect(tmp_path, format="jsonl", **options).send([customer()])[0].status is Status.REPLAYED
    assert [(path.name, path.stat().st_mtime_ns) for path in there.iterdir()] == before


def test_acknowledged_only_when_the_system_says_so(tmp_path: Path, place: Any) -> None:
    there, options = place
    target = connect(tmp_path, format="csv", acks="acks", **options)
    batch = [customer(), customer("acc_2"), customer("acc_3")]
    assert {r.status for r in target.send(batch)} == {Status.UNCERTAIN}
    assert list(target.read("account")) == []
    (there / "acks").mkdir()
    (there / "acks" / "half.part").write_text("key,sta")
    (there / "acks" / "1.csv").write_text(
        "key,status,remote_id,says\r\nledger/acc_1/1/create,ok,10001,\r\nledger/acc_2/1/create,refused,,no such country\r\n"
    )
    receipts = target.send(batch)
    assert [(r.status, r.remote_id, r.says) for r in receipts] == [
        (Status.REPLAYED, "10001", ""), (Status.INVALID, "acc_2", "no such country"),
        (Status.UNCERTAIN, "acc_3", "no acknowledgement has come yet"),
    ]  # fmt: skip
    assert [found.golden_id for found in target.read("account")] == ["acc_1"]
    assert len(arrived(there)) == 1
    corrected = customer("acc_2", 2, "update", country="DE")
    target.send([corrected])
    (there / "acks" / "2.jsonl").write_text(json.dumps({"key": corrected.key, "status": "ok"}) + "\n")
    assert target.send([corrected])[0].status is Status.REPLAYED


def test_fixed_width_is_exact_and_never_cut(tmp_path: Path) -> None:
    layout = {"customer": {"golden_id": 8, "name": 10, "country": 2}}
    target = connect(tmp_path, format="fixed", folder="out", layout=layout, encoding="latin-1")
    assert target.entities == {"account"}
    receipts = target.send([
        customer(name="Ödland", country="AT"), customer("acc_2", name="Longer than ten"), customer("acc_3", name="Łódź"),
        customer("acc_4", name="two\nlines"), customer("acc_5"),
    ])  # fmt: skip
    assert [r.status for r in receipts] == [Status.APPLIED, *[Status.INVALID] * 3, Status.APPLIED]
    assert receipts[1].says == "name has 15 characters; the layout has 10"
    assert receipts[2].says == "name has letters that latin-1 has not"
    (path,) = (tmp_path / "out").iterdir()
    assert path.read_bytes().decode("latin-1") == "acc_1   Ödland    AT\r\nacc_5   Acme        \r\n"


def test_sftp_host_with_another_key_or_password_is_refused_and_a_dead_one_unavailable(
    tmp_path: Path, sftp: SftpServer
) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    for wrong in ({"host_key": other}, {"password": "wrong"}):
        with pytest.raises(TargetRefuses):
            connect(tmp_path, format="csv", sftp={**sftp.options, **wrong}).check()
    with pytest.raises(TargetUnavailable):
        connect(tmp_path, format="csv", sftp={**sftp.options, "port": 9}).check()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"format": "xml"}, "`format` is 'xml'"),
        ({"format": "fixed"}, "`layout` is missing"),
        ({"format": "csv", "sftp": {"host": "h", "user": "u"}}, "`sftp.host_key` is missing"),
        ({"format": "csv", "sftp": {"host": "h", "user": "u", "host_key": "ssh-ed25519 AAAA"}}, "is no key"),
    ],
)
def test_what_cannot_work_is_said_before_anything_is_sent(tmp_path: Path, options: Any, says: str) -> None:
    with pytest.raises(ConnectionInvalid, match=says):
        connect(tmp_path, **options)


def test_secret_of_a_part_is_read_from_the_environment(
    tmp_path: Path, sftp: SftpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {**sftp.options, "password": "${SFTP_PASSWORD}"}
    text = json.dumps({"ledger": {"kind": "drop", "format": "csv", "folder": "/", "sftp": options}})
    (tmp_path / "targets.yaml").write_text(text)
    with pytest.raises(ConnectionInvalid, match="SFTP_PASSWORD"):
        target_named("ledger", tmp_path)
    monkeypatch.setenv("SFTP_PASSWORD", "secret")
    assert target_named("ledger", tmp_path).check().startswith("sftp 127.0.0.1")


def test_server_that_cannot_rename_over_a_file_renames_all_the_same(
    tmp_path: Path, sftp: SftpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    async def unsupported(*said: object) -> None:
        asked.extend(said)
        raise asyncssh.SFTPOpUnsupported("Operation unsupported")

    monkeypatch.setattr(asyncssh.SFTPServer, "posix_rename", lambda *said: unsupported(*said))
    (sftp.root / "plain").mkdir()
    target = connect(tmp_path, format="jsonl", folder="/plain", sftp=sftp.options)
    assert target.send([customer()])[0].status is Status.APPLIED
    assert asked
    assert list(arrived(sftp.root / "plain")) == ["0-customer.jsonl"]
