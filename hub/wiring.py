"""The one composition root: settings → a hub that is ready to be asked."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import chain, islice
from pathlib import Path

from adapters.base import Target
from adapters.mapping import MappedSource, load
from adapters.registry import books, connections, source, target
from hub import clock
from hub.adoption import Adoption, adopt
from hub.attending import Attending
from hub.clock import Clock
from hub.desk import Desk
from hub.flow import configuration, relations
from hub.flow import ingest as ingestion
from hub.flow.configuration import Change
from hub.flow.gates import Shared
from hub.flow.promote import Will
from hub.flow.together import Together
from hub.flow.trial import Bench
from hub.flow.wording import TARGETS, Configuration
from hub.hearing import hear
from hub.settings import Settings
from hub.store import codes, drift, migrate, schedules
from hub.store import rulesets as stored
from hub.store.access import Principal
from hub.store.beside import engine_beside
from hub.store.engine import Engine, connect, reading, writing
from rules.ruleset import RuleSet, shipped

SMALL = 200  # payloads; a delivery of fewer may share a transaction
DATES = {"id": "dates", "job": "dates", "target": None, "cron": "*/5 * * * *", "timezone": "UTC", "paused": False}
WEBHOOKS = {**DATES, "id": "webhooks", "job": "webhooks", "cron": "* * * * *"}
RELATIONS = {**DATES, "id": "relations", "job": "relations", "cron": "* * * * *"}
RETENTION = {**DATES, "id": "retention", "job": "retention", "cron": "17 3 * * *"}
RETRIES = {**DATES, "id": "retries", "job": "retries", "cron": "* * * * *"}


@dataclass(frozen=True)
class Hub:
    """Everything wired together. Cheap to make; the database is opened when it is first needed."""

    settings: Settings
    clock: Clock = clock.now

    @cached_property
    def engine(self) -> Engine:
        """The database, brought up to this version's tables by `prepare`."""
        return connect(self.settings.url)

    @cached_property
    def beside(self) -> Engine:
        """Where small notes are kept that no answer may wait for."""
        return engine_beside(self.engine)

    def prepare(self) -> None:
        """Create or migrate the store, put the shipped rules in force where there are none, and follow dates."""
        migrate.upgrade(self.settings.url)
        with writing(self.engine) as connection:
            stored.activate(connection, shipped(), self.clock())
            kept = (RETENTION,) if self.settings.read_audit_days else ()
            for standing in (DATES, WEBHOOKS, RELATIONS, RETRIES, *kept):
                schedules.put_if_none(connection, standing)

    @property
    def rulesets(self) -> dict[str, RuleSet]:
        """The rules in force."""
        with reading(self.engine) as connection:
            return stored.in_force(connection, shipped())

    def source(self, system: str, mapping: Path | None = None) -> MappedSource:
        """The source as it is configured, or the one that a mapping file describes."""
        if mapping is not None:
            return load(mapping.read_text("utf-8"), mapping.name)
        with reading(self.engine) as connection:
            own = codes.readings(connection).get(system)
        return load(own[1], own[0]) if own else source(system)

    def configuration(self) -> Configuration:
        """What this hub is configured with."""
        with reading(self.engine) as connection:
            return configuration.current(connection, self.settings.dir)

    def configure(self, wanted: Configuration, seal: str, will: Will) -> list[Change]:
        """Make this hub what is wanted, if it is still the one of the seal; what was changed."""
        changes = configuration.apply(self.engine, wanted, seal, will, self.clock(), folder=self.settings.dir)
        if wanted.targets is not None and any(change.part == "targets" for change in changes):
            path = self.settings.dir / TARGETS
            path.with_suffix(".new").write_text(wanted.targets, "utf-8")
            path.with_suffix(".new").replace(path)
        return changes

    def target(self, name: str) -> Target:
        """A target by name."""
        return target(name, self.settings.dir, partial(Shared, self.engine, self.clock))

    @property
    def targets(self) -> tuple[str, ...]:
        """The names of the configured targets."""
        return tuple(connections(self.settings.dir))

    def bench(self, system: str, mapping: Path | None = None) -> Bench:
        """What a trial is made with: the rules in force, a source, and every target."""
        return Bench(
            self.rulesets, self.source(system, mapping), {name: self.target(name) for name in self.targets}, self.clock
        )

    def adopt(self, drift_id: int, principal: Principal, reason: str) -> str:
        """Take over an edit that was made in a target, as a statement of that system; its source key."""
        with reading(self.engine) as connection:
            row = drift.get(connection, drift_id) or {"target": "none"}
        made = Adoption(self.engine, self.desk(principal), books(row["target"]), self.clock)
        return adopt(made, drift_id, reason)

    def hear(self, name: str) -> dict[str, int]:
        """Take in what was edited in a target since it was heard last; how many records were what."""
        desk = self.desk(Principal(f"books of {name}", "steward"))
        heard = hear(Adoption(self.engine, desk, books(name), self.clock), self.target(name))
        relations.settle(self.engine, self.clock())
        return dict(heard)

    def attending(self, principal: Principal) -> Attending:
        """What a person may do beside deciding, now."""
        return Attending(self.engine, principal, self.clock())

    def desk(self, principal: Principal) -> Desk:
        """The desk of a person, now."""
        return Desk(self.engine, self.rulesets, principal, self.clock())

    def ingest_file(
        self, made: MappedSource, path: Path, form: str | None = None, **options: object
    ) -> ingestion.Report:
        """Take a file in."""
        delivery = ingestion.file_delivery(path, made, form)
        report = ingestion.ingest(self.engine, self.rulesets, made, delivery, clock=self.clock, **options)  # type: ignore[arg-type]
        relations.settle(self.engine, self.clock())
        return report

    def take_in(self, made: MappedSource, delivery: ingestion.Delivery) -> ingestion.Report:
        """Take in a delivery that came by itself; a small one together with others of the same moment."""
        first = list(islice(payloads := iter(delivery.payloads), SMALL))
        if len(first) < SMALL:
            return self._together(ingestion.Parcel(made, delivery, list(enumerate(first, 1))))
        whole = replace(delivery, payloads=chain(first, payloads))
        return ingestion.ingest(self.engine, self.rulesets, made, whole, clock=self.clock)

    @cached_property
    def _together(self) -> Together:
        return Together(lambda some: ingestion.at_once(self.engine, self.rulesets, some, clock=self.clock))

    @cached_property
    def secret(self) -> str:
        """What console sessions are signed with: from the settings, or made once and kept in the folder."""
        if self.settings.secret is not None:
            return self.settings.secret.get_secret_value()
        path = self.settings.dir / "secret"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(32))
        return path.read_text()
