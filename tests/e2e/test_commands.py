"""The commands as their users run them: a process, its output, its exit code."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ENDS = ("acknowledged", "rejected", "held", "superseded", "parked")


def run(*arguments: str, at: Path, ok: int | None = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "hub", *arguments],
        cwd=ROOT,
        env=_environment(at),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    if ok is not None:
        assert done.returncode == ok, done.stderr[-3000:]
    return done


def _environment(at: Path) -> dict[str, str]:
    import os

    return {**os.environ, "HUB_DIR": str(at), "NO_COLOR": "1"}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, object]]:
    at = tmp_path_factory.mktemp("demo")
    done = run("demo", "--no-serve", "--accounts", "300", "--format", "json", at=at)
    return at, json.loads(done.stdout)


@pytest.mark.promise("A-78")
def test_demo_prints_one_document_whose_counts_add_up(demo: tuple[Path, dict[str, object]]) -> None:
    _, document = demo
    sources = document["sources"]
    assert isinstance(sources, list)
    assert {s["system"] for s in sources} == {"crm", "billing", "support", "usage", "erp"}
    for line in sources:
        assert line["accepted"] == line["linked"] + line["review"] + line["rejected"] + line["failed"] > 0, line
    published = document["publish"]
    assert isinstance(published, dict)
    assert published["planned"] == sum(published[end] for end in ENDS) > 0
    assert published["acknowledged"] > 0.9 * published["planned"]
    assert document["golden"]["account"] > 300  # type: ignore[index]
    assert document["tasks"]["match"] > 0  # type: ignore[index]


def test_demo_again_changes_nothing_and_publishes_nothing_new(demo: tuple[Path, dict[str, object]]) -> None:
    at, before = demo
    again = json.loads(run("demo", "--no-serve", "--accounts", "300", "--format", "json", at=at).stdout)
    assert {name: again[name] for name in ("sources", "golden", "tasks")} == {
        name: before[name] for name in ("sources", "golden", "tasks")
    }
    assert again["publish"]["acknowledged"] == 0


def test_hard_cases_of_the_seed_end_as_they_should(demo: tuple[Path, dict[str, object]]) -> None:
    from canonical.ids import SourceKey
    from hub.settings import Settings
    from hub.store import reads
    from hub.store.engine import reading
    from hub.wiring import Hub

    at, _ = demo
    hub = Hub(Settings(dir=at))
    wrong = []
    for line in (at / "seed" / "truth" / "cases.jsonl").read_text("utf-8").splitlines():
        case = json.loads(line)
        keys = [SourceKey.parse(key) for key in case["keys"]]
        with reading(hub.engine) as connection:
            held = reads.golden_of(connection, keys)
        together = len({held.get(key) for key in keys})
        ends = {
            "one": together == 1,
            "apart": together == len(keys),
            "not_all": together > 1,
            "replaced": together == 1,
        }
        if not ends.get(case["expect"], True):
            wrong.append(f"{case['case']}: {together} golden records of {len(keys)}")
    hub.engine.dispose()
    assert wrong == []


def test_readme_commands_run_as_printed(demo: tuple[Path, dict[str, object]]) -> None:
    at, _ = demo
    text = (ROOT / "README.md").read_text("utf-8").split("## What you just saw")[1].split("```graphql")[0]
    commands = [line.split("#")[0].split() for line in text.splitlines() if line.startswith(".venv/bin/hub ")]
    assert len(commands) >= 6
    for command in commands:
        assert run(*command[1:], at=at).stdout.strip()


def test_readme_query_and_mapping_work_as_printed(demo: tuple[Path, dict[str, object]]) -> None:
    from adapters.mapping import load
    from hub.clock import now
    from hub.settings import Settings
    from hub.store import access
    from hub.store.engine import writing
    from hub.web.app import create_app
    from hub.wiring import Hub

    at, _ = demo
    text = (ROOT / "README.md").read_text("utf-8")
    hub = Hub(Settings(dir=at))
    with writing(hub.engine) as connection:
        key = access.issue(connection, access.Principal("reader", "reader"), now())
    query = text.split("```graphql")[1].split("```")[0]
    with create_app(hub).test_client() as client:
        answer = client.post("/graphql", json={"query": query}, headers={"Authorization": f"Bearer {key}"}).get_json()
    hub.engine.dispose()
    assert answer["data"]["byKey"]["label"] == "Concordia Europe GmbH"
    shop = load(text.split("```yaml")[1].split("```")[0], "README.md")
    row = {
        "customer_id": "7",
        "company": "Acorn",
        "mail": "a@acorn.example",
        "town": "Leeds",
        "country": "UK",
        "newsletter": "y",
    }
    record = shop.translate(row, now()).records[0]
    assert record.values["billing_address"] == {"city": "Leeds", "country": "GB"}


def test_walk_fits_one_screen_and_names_every_station(demo: tuple[Path, dict[str, object]]) -> None:
    at, _ = demo
    shown = run("walk", "crm:account:0013X0000000001", at=at).stdout
    assert [line.split()[1] for line in shown.splitlines() if line[:1].isdigit()] == [
        "payload",
        "translate",
        "gather",
        "judge",
        "resolve",
        "publish",
    ]
    assert len(shown.splitlines()) <= 50


def test_help_is_light(tmp_path: Path) -> None:
    code = "import sys; from hub.cli import cli\ntry: cli.main(['--help'], prog_name='hub')\nexcept SystemExit: pass\nprint([m for m in ('sqlalchemy', 'graphene', 'flask', 'alembic') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[]")


BROKEN = [
    (("record", "show", "acc_NOSUCH"), 1, "HUB-4101"),
    (("record", "show", "nonsense:key"), 1, "HUB-2003"),
    (("record", "why", "erp:legal_entity:2000", "curency"), 1, "Did you mean 'currency'?"),
    (("ingest", "nosystem", "README.md"), 1, "HUB-4001"),
    (("ingest", "crm", "nofile.csv"), 1, "HUB-3002"),
    (("explain", "HUB-9999"), 1, "HUB-4101"),
    (("publish", "apply", "P-999"), 1, "HUB-4101"),
    (("publish", "plan", "sap", "--as", "me"), 1, "HUB-4001"),
    (("review", "decide", "no-task", "same", "--reason", "x", "--as", "me"), 1, "HUB-4101"),
    (("model", "acount"), 1, "account"),
    (("frobnicate",), 2, "No such command"),
]


@pytest.mark.promise("A-18")
@pytest.mark.parametrize(("arguments", "code", "words"), BROKEN, ids=[" ".join(b[0]) for b in BROKEN])
def test_broken_input_is_told_without_a_traceback(
    demo: tuple[Path, dict[str, object]],
    arguments: tuple[str, ...],
    code: int,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    from hub.cli import main

    monkeypatch.setenv("HUB_DIR", str(demo[0]))
    monkeypatch.chdir(ROOT)
    with pytest.raises(SystemExit) as ended:  # in this process: starting one for each costs seconds and shows no more
        main(list(arguments))
    said = capfd.readouterr()
    assert ended.value.code == code
    assert words in said.err
    assert "Traceback" not in said.err
    assert said.out == ""


def test_doctor_names_each_check_and_fails_without_a_store(
    demo: tuple[Path, dict[str, object]], tmp_path: Path
) -> None:
    at, _ = demo
    found = json.loads(run("doctor", "--format", "json", at=at).stdout)
    assert {f["check"]: f["state"] for f in found} == dict.fromkeys(
        ("python", "compiler", "packages", "rules", "database"), "ok"
    )
    assert "hub migrate" in run("doctor", at=tmp_path / "nothing", ok=1).stdout


def test_every_code_is_explained(demo: tuple[Path, dict[str, object]]) -> None:
    at, _ = demo
    raised = {
        code
        for package in ("canonical", "rules", "adapters", "hub")
        for path in (ROOT / package).rglob("*.py")
        for code in re.findall(r"HUB-\d{4}", path.read_text("utf-8"))
    }
    from hub.doctor import explanation

    for code in sorted(raised - {"HUB-1000"}):
        assert all(explanation(code)), code
    assert "HUB-3102" in run("explain", "HUB-3102", at=at).stdout


def test_check_and_audit_pass_on_the_demo(demo: tuple[Path, dict[str, object]]) -> None:
    at, _ = demo
    assert "0 that do not add up" in run("check", at=at).stdout
    assert "holds" in run("audit", "verify", at=at).stderr


def test_rules_are_simulated_promoted_replayed_and_rolled_back(demo: tuple[Path, dict[str, object]]) -> None:
    from rules.ruleset import shipped

    at, _ = demo
    old = shipped()["account"]
    (at / "account.yaml").write_text(old.text.replace("  match: 9\n", "  match: 8\n"), "utf-8")
    text = run("rules", "simulate", str(at / "account.yaml"), "--as", "kim", at=at).stdout
    assert text.startswith("S-1  ")
    assert "matching.match: 9.0 -> 8.0" in text
    [made] = json.loads(run("rules", "simulations", "S-1", "--format", "json", at=at).stdout)
    assert made["counts"]["merges"] == len(made["report"]["merges"])
    alone = run("rules", "promote", "account", "S-1", "--as", "kim", "--reason", "fewer questions", at=at, ok=6)
    assert "somebody else" in alone.stderr
    run("rules", "promote", "account", "S-1", "--as", "ben", "--reason", "fewer questions", at=at)
    refused = run("rules", "promote", "account", "S-1", "--as", "ben", "--reason", "again", at=at, ok=6)
    assert "HUB-4403" in refused.stderr
    proof = json.loads(run("replay", "--verify", "--format", "json", at=at).stdout)
    assert (proof["differences"], proof["records"] > 1000) == (0, True)
    run("rules", "rollback", "account", old.version, "--as", "lee", "--reason", "too bold", at=at)
    rows = json.loads(run("rules", "ls", "--entity", "account", "--format", "json", at=at).stdout)
    assert [(r["author"], r["state"]) for r in rows] == [("lee", "live"), ("ben", "retired")]


@pytest.mark.promise("A-42")
def test_configuration_is_exported_compared_rehearsed_and_applied(demo: tuple[Path, dict[str, object]]) -> None:
    at, _ = demo
    files = at / "config"
    run("config", "export", str(files), at=at)
    assert "nothing differs" in run("config", "diff", str(files), at=at).stderr
    listed = files / "schedules.yaml"
    listed.write_text(listed.read_text("utf-8").replace("0 2 * * *", "0 3 * * *"), "utf-8")
    document = files / "rules" / "product.yaml"
    document.write_text(document.read_text("utf-8").replace("  match: 10\n", "  match: 9\n"), "utf-8")
    found = json.loads(run("config", "diff", str(files), "--format", "json", at=at).stdout)
    assert [change["part"] for change in found["changes"]] == ["rules", "schedule"]
    apply = ("config", "apply", str(files), "--as", "ben", "--reason", "as agreed", "--base")
    assert "HUB-4402" in run(*apply, found["base"], at=at, ok=5).stderr
    run("rules", "simulate", str(files / "rules"), "--as", "kim", at=at)
    assert "HUB-4220" in run(*apply, "0123456789abcdef", at=at, ok=6).stderr
    assert "matching.match: 10.0 -> 9.0" in run(*apply, found["base"], at=at).stdout
    assert "nothing differs" in run(*apply, found["base"], at=at).stderr
    listed.write_text(listed.read_text("utf-8").replace("0 3 * * *", "0 99 * * *"), "utf-8")
    assert "HUB-6001" in run("config", "diff", str(files), at=at, ok=1).stderr


def test_record_is_shown_as_it_was_believed_and_as_it_was_asserted(demo: tuple[Path, dict[str, object]]) -> None:
    at, _ = demo
    first = json.loads(run("review", "ls", "--format", "json", at=at).stdout)[0]
    key = f"{first['left_system']}:{first['entity']}:{first['left_key']}"
    for option, says in (("--as-of", "believed"), ("--asserted", "never stood")):
        assert says in run("record", "show", key, option, "2099-01-01", at=at).stdout
        run("record", "show", key, option, "1999-01-01", at=at, ok=1)
