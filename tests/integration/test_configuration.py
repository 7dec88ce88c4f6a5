"""Configuration as files: what comes out goes into another hub, once, against the base that was looked at."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.registry import SOURCES
from canonical.document import DocumentInvalid
from hub.errors import Conflict, InvalidRequest, NotApproved, SimulationStale
from hub.flow import configuration
from hub.flow.configuration import Change
from hub.flow.promote import Will
from hub.flow.replay import verify
from hub.flow.simulate import simulate
from hub.flow.wording import Configuration, Schedule
from hub.settings import Settings
from hub.store import audit, schedules
from hub.store.engine import reading, writing
from hub.wiring import Hub
from hub.worker import require_fit
from rules.errors import RuleSetInvalid
from tests.worlds import account, deliver, golden_of

OWNER = "fields: [legal_name, trading_name, kind, status, parent, domain, industry, segment], system: "
NIGHTLY = {"id": "nightly", "job": "publish", "target": "erp", "cron": "0 2 * * *", "timezone": "UTC", "paused": False}
BEN = Will("ben", "as in the other hub")


@pytest.fixture
def world(hub: Hub) -> Hub:
    """A hub with a customer of whom two systems say different things, and a nightly run."""
    deliver(hub, [
        account("crm", "a", name="Acorn Foods Ltd", industry="Food", tax="GB980780684", country="GB"),
        account("billing", "b", name="Acorn Foods Limited", industry="Meals", tax="GB980780684", country="GB"),
    ])  # fmt: skip
    with writing(hub.engine) as connection:
        schedules.put(connection, NIGHTLY)
    return hub


def here(hub: Hub) -> Configuration:
    with reading(hub.engine) as connection:
        return configuration.current(connection)


@pytest.fixture
def files(world: Hub, tmp_path: Path) -> Path:
    """The configuration of the hub, exported and then changed: billing owns the names, the run is an hour later."""
    made = tmp_path / "files"
    configuration.export(here(world), made)
    replace(made / "rules" / "account.yaml", OWNER + "crm", OWNER + "billing")
    replace(made / "schedules.yaml", "0 2 * * *", "0 3 * * *")
    return made


def replace(path: Path, before: str, after: str) -> None:
    text = path.read_text("utf-8")
    assert before in text
    path.write_text(text.replace(before, after), "utf-8")


def rehearse(hub: Hub, wanted: Configuration, author: str = "kim") -> None:
    simulate(hub.engine, wanted.rulesets["account"], author, hub.clock())


@pytest.mark.promise("A-42")
def test_export_applied_to_an_empty_hub_differs_in_nothing(world: Hub, files: Path, tmp_path: Path) -> None:
    wanted = configuration.read(files)
    rehearse(world, wanted)
    configuration.apply(world.engine, wanted, here(world).seal, BEN, world.clock())
    configuration.export(here(world), tmp_path / "again")
    wanted = configuration.read(tmp_path / "again")
    other = Hub(Settings(dir=tmp_path / "other"), world.clock)
    other.prepare()
    try:
        rehearse(other, wanted)
        changed = configuration.apply(other.engine, wanted, here(other).seal, BEN, other.clock())
        assert [(one.part, one.name) for one in changed] == [("rules", "account"), ("schedule", "nightly")]
        assert configuration.compare(here(other), wanted) == []
        assert here(other).seal == here(world).seal == wanted.seal
    finally:
        other.engine.dispose()


def test_export_keeps_the_documents_as_they_were_written(world: Hub, tmp_path: Path) -> None:
    made = configuration.export(here(world), tmp_path / "files")
    assert len(made) == len(world.rulesets) + len(SOURCES) + 1
    assert (tmp_path / "files/rules/account.yaml").read_text("utf-8") == world.rulesets["account"].text
    assert configuration.read(tmp_path / "files").seal == here(world).seal


def test_compare_says_each_place_in_the_words_of_the_document(world: Hub, files: Path) -> None:
    wanted = configuration.read(files)
    rules, schedule = configuration.compare(here(world), wanted)
    assert rules.words[0] == f"{world.rulesets['account'].version} -> {wanted.rulesets['account'].version}"
    assert [words for words in rules.words[1:] if words.endswith(".system: crm -> billing")] == list(rules.words[1:])
    assert schedule == Change("schedule", "nightly", ("cron: 0 2 * * * -> 0 3 * * *",))


def test_compare_leaves_alone_what_the_folder_does_not_name(world: Hub, files: Path) -> None:
    (files / "rules" / "account.yaml").unlink()
    (files / "schedules.yaml").write_text("schedules: {weekly: {job: dates, cron: 0 4 * * 1}}", "utf-8")
    wanted = configuration.read(files)
    assert [one.name for one in configuration.compare(here(world), wanted)] == ["weekly"]
    configuration.apply(world.engine, wanted, here(world).seal, BEN, world.clock())
    assert here(world).schedules["nightly"] == Schedule(job="publish", target="erp", cron="0 2 * * *")


@pytest.mark.promise("A-42")
def test_apply_judges_again_writes_the_log_and_does_nothing_the_second_time(world: Hub, files: Path) -> None:
    wanted, base = configuration.read(files), here(world).seal
    rehearse(world, wanted)
    assert golden_of(world, "crm:account:a")["values"]["industry"] == "Food"
    assert len(configuration.apply(world.engine, wanted, base, BEN, world.clock())) == 2
    assert golden_of(world, "crm:account:a")["values"]["industry"] == "Meals"
    assert here(world).schedules["nightly"].cron == "0 3 * * *"
    assert configuration.apply(world.engine, wanted, base, BEN, world.clock()) == []
    assert verify(world.engine).first == []
    with reading(world.engine) as connection:
        assert audit.verify(connection) is None


@pytest.mark.promise("A-42")
def test_apply_is_refused_on_another_base_and_changes_nothing(world: Hub, files: Path) -> None:
    wanted, base = configuration.read(files), here(world).seal
    rehearse(world, wanted)
    with writing(world.engine) as connection:
        schedules.put(connection, NIGHTLY | {"paused": True})
    moved = here(world).seal
    with pytest.raises(Conflict, match=base):
        configuration.apply(world.engine, wanted, base, BEN, world.clock())
    assert here(world).seal == moved != base


def test_apply_is_refused_without_a_simulation_by_somebody_else(world: Hub, files: Path) -> None:
    wanted, base = configuration.read(files), here(world).seal
    with pytest.raises(NotApproved, match="nobody but ben"):
        configuration.apply(world.engine, wanted, base, BEN, world.clock())
    rehearse(world, wanted, "ben")
    with pytest.raises(NotApproved, match="nobody but ben"):
        configuration.apply(world.engine, wanted, base, BEN, world.clock())
    assert here(world).seal == base


@pytest.mark.promise("A-42")
def test_apply_changes_no_part_when_a_later_one_is_refused(world: Hub, files: Path) -> None:
    replace(files / "rules" / "contact.yaml", "  review: 4", "  review: 1")
    wanted, base = configuration.read(files), here(world).seal
    assert [one.name for one in configuration.compare(here(world), wanted)] == ["account", "contact", "nightly"]
    rehearse(world, wanted)
    with pytest.raises(NotApproved, match="contact@"):
        configuration.apply(world.engine, wanted, base, BEN, world.clock())
    assert here(world).seal == base
    assert golden_of(world, "crm:account:a")["values"]["industry"] == "Food"


def test_apply_is_refused_when_records_have_come_since_the_simulation(world: Hub, files: Path) -> None:
    wanted, base = configuration.read(files), here(world).seal
    rehearse(world, wanted)
    deliver(world, [account("crm", "late", name="Yew Trees")])
    with pytest.raises(SimulationStale):
        configuration.apply(world.engine, wanted, base, BEN, world.clock())
    assert here(world).seal == base


def test_apply_needs_a_reason(world: Hub, files: Path) -> None:
    with pytest.raises(InvalidRequest, match="reason"):
        configuration.apply(world.engine, configuration.read(files), "", Will("ben", " "), world.clock())


def test_read_names_file_and_line_and_refuses_what_says_nothing_or_two_things(files: Path, tmp_path: Path) -> None:
    text = (files / "rules" / "account.yaml").read_text("utf-8")
    (files / "rules" / "zz.yaml").write_text(text, "utf-8")
    with pytest.raises(DocumentInvalid, match="second document about account"):
        configuration.read(files)
    (files / "rules" / "zz.yaml").write_text("entity: account\nmaching: {}\n", "utf-8")
    with pytest.raises(RuleSetInvalid, match=r"zz\.yaml:2:1"):
        configuration.read(files)
    (files / "rules" / "zz.yaml").unlink()
    (files / "schedules.yaml").write_text("schedules:\n  a: {job: dates, corn: x}\n", "utf-8")
    with pytest.raises(DocumentInvalid, match=r"schedules\.yaml:2:.*Did you mean 'cron'"):
        configuration.read(files)
    with pytest.raises(InvalidRequest, match="holds no configuration"):
        configuration.read(tmp_path)


@pytest.mark.parametrize(
    "wrong", [{"job": "dance"}, {"target": "moon"}, {"cron": "0 2 * *"}, {"cron": "61 * * * *"}, {"timezone": "Mars/X"}]
)
def test_schedule_that_no_worker_could_run_is_refused(wrong: dict[str, str]) -> None:
    require_fit("nightly", NIGHTLY, ("erp",))
    with pytest.raises(InvalidRequest, match="schedule nightly"):
        require_fit("nightly", NIGHTLY | wrong, ("erp",))
