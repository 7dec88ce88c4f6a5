"""A whole delivery, in chunks: read, translate, take in, resolve. Each chunk is one transaction.

A delivery is known by its content and its mapping. Interrupted, it goes on after the last chunk that
was committed; sent again, it changes nothing. Small deliveries are one transaction, or several of them share one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import islice
from pathlib import Path

from adapters.decode import Payload, read_payloads
from adapters.mapping import MappedSource
from canonical.catalogue import ENTITIES
from canonical.findings import Finding, Severity
from hub.clock import Clock
from hub.flow.intake import take_in
from hub.flow.quiet import seldom_collected
from hub.flow.resolve import resolve
from hub.store import cases, codes, journal, waiting
from hub.store.engine import Connection, Engine, writing
from hub.store.journal import Delivered
from rules.ruleset import RuleSet

CHUNK = 2000  # payloads between two commits


@dataclass(slots=True)
class Report:
    """What became of a delivery."""

    origin: str
    payloads: int = 0
    accepted: int = 0
    rejected: int = 0
    failed: int = 0
    repeated: int = 0
    late: int = 0
    skipped: int = 0  # taken in by an earlier run
    findings: dict[str, int] = field(default_factory=dict)
    examples: list[tuple[str, Finding]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Delivery:
    """Payloads under one name, with what tells this delivery from every other."""

    origin: str
    fingerprint: str
    payloads: Iterable[Payload]


def file_delivery(path: Path, source: MappedSource, form: str | None = None) -> Delivery:
    """A file as a delivery. Raises UnreadableFile when it is opened."""
    digest = sha256(source.fingerprint.encode())
    if path.is_file():
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return Delivery(path.name, digest.hexdigest(), read_payloads(path, form))


@dataclass(frozen=True, slots=True)
class Parcel:
    """A delivery of a few payloads that have been read, and the source that knows its words."""

    source: MappedSource
    delivery: Delivery
    payloads: Sequence[tuple[int, Payload]]  # numbered from 1


def ingest(
    engine: Engine,
    rulesets: Mapping[str, RuleSet],
    source: MappedSource,
    delivery: Delivery,
    *,
    clock: Clock,
    later: bool = False,
    progress: Callable[[int], None] = lambda _count: None,
) -> Report:
    """Take a delivery in, chunk by chunk; what became of it. With `later`, its records wait to be judged."""
    chunks = _chunks(enumerate(delivery.payloads, 1), CHUNK)
    chunk = next(chunks, [])
    with seldom_collected():
        if len(chunk) < CHUNK:
            [report] = at_once(engine, rulesets, [Parcel(source, delivery, chunk)], clock=clock, later=later)
            progress(report.payloads)
            return report
        with writing(engine) as connection:
            batch = _Batch(connection, source, delivery, clock)
        while chunk:
            if delivered := batch.read(chunk):
                with writing(engine) as connection:
                    _take(connection, rulesets, [(batch, delivered)], clock, later=later)
            progress(batch.report.payloads)
            chunk = next(chunks, [])
    with writing(engine) as connection:
        journal.close_batch(connection, batch.id, clock())
    return batch.report


def at_once(
    engine: Engine, rulesets: Mapping[str, RuleSet], parcels: Sequence[Parcel], *, clock: Clock, later: bool = False
) -> list[Report]:
    """Take small deliveries in, all in one transaction; what became of each."""
    with writing(engine) as connection:
        opened = {  # in one order everywhere, or two who bring the same deliveries wait for each other
            k: _Batch(connection, parcels[k].source, parcels[k].delivery, clock)
            for k in sorted(range(len(parcels)), key=lambda k: parcels[k].delivery.fingerprint)
        }
        batches = [opened[k] for k in range(len(parcels))]
        taken = [(batch, batch.read(parcel.payloads)) for batch, parcel in zip(batches, parcels, strict=True)]
        _take(connection, rulesets, taken, clock, later=later)
        for batch in batches:
            journal.close_batch(connection, batch.id, clock())
    return [batch.report for batch in batches]


class _Batch:
    """A delivery under way: how far it was when it was opened, and what became of it so far."""

    def __init__(self, connection: Connection, source: MappedSource, delivery: Delivery, clock: Clock) -> None:
        self.report = Report(delivery.origin)
        self.id, self._position, self._done = journal.open_batch(
            connection, delivery.origin, delivery.fingerprint, clock(), mapping=source.fingerprint
        )
        codes.keep_mapping(connection, source.fingerprint, source.name, source.text, clock())
        self._translator = Translator(source.with_codes(codes.in_force(connection)), clock, self.report)

    def read(self, chunk: Sequence[tuple[int, Payload]]) -> list[Delivered]:
        """What of these payloads no earlier run has taken in, translated."""
        fresh = [(place, payload) for place, payload in chunk if place > self._position and not self._done]
        self.report.skipped += len(chunk) - len(fresh)
        self.report.payloads += len(chunk)
        return [self._translator.translate(place, payload) for place, payload in fresh]


def _take(
    connection: Connection,
    rulesets: Mapping[str, RuleSet],
    read: Sequence[tuple[_Batch, list[Delivered]]],
    clock: Clock,
    *,
    later: bool,
) -> None:
    """Store what was read and judge what it touches, or have it wait."""
    _claim(connection, (one for _, delivered in read for one in delivered))
    touched: dict[str, set[int]] = {}
    for batch, delivered in read:
        taken = take_in(connection, batch.id, delivered, clock())
        batch.report.repeated += taken.repeated
        batch.report.late += taken.late
        for entity, ids in taken.touched.items():
            touched.setdefault(entity, set()).update(ids)
    if not later:
        resolve(connection, rulesets, touched, clock())
        return
    for entity, ids in touched.items():
        waiting.add(connection, entity, ids)


def _claim(connection: Connection, delivered: Iterable[Delivered]) -> None:
    """Take one's turn before anything is written: who judges the same entities meanwhile may touch the same rows."""
    spoken = {record.key.entity for one in delivered for record in one.records}
    for name in ENTITIES:
        if name in spoken:
            cases.claim(connection, name)


class Translator:
    """Payloads of one delivery into what the journal keeps; counts and samples findings on the way."""

    def __init__(self, source: MappedSource, clock: Clock, report: Report) -> None:
        self.source, self.report = source, report
        self.received_at = clock()  # one delivery arrives at one time
        self._said: set[str] = set()  # unmapped fields are said once per delivery

    def translate(self, place: int, payload: Payload) -> Delivered:
        """One payload, whatever it holds."""
        if payload.content is None:
            made = Delivered(place, self.source.name, self._entity(), payload.body, (), payload.findings)
        else:
            found = self.source.translate(payload.content, self.received_at)
            findings = tuple(f for f in (*payload.findings, *found.findings) if self._new(f))
            made = Delivered(place, found.system, found.entity, payload.body, found.records, findings)
        self._count(made, payload.line)
        return made

    def _entity(self) -> str:
        return self.source.entities[0] if len(self.source.entities) == 1 else "unknown"

    def _new(self, finding: Finding) -> bool:
        if finding.code != "HUB-3201" or finding.field is None:
            return True
        if finding.field in self._said:
            return False
        self._said.add(finding.field)
        return True

    def _count(self, made: Delivered, line: int) -> None:
        report = self.report
        setattr(report, made.outcome, getattr(report, made.outcome) + 1)
        for finding in (*made.findings, *(f for record in made.records for f in record.findings)):
            report.findings[finding.code] = report.findings.get(finding.code, 0) + 1
            if report.findings[finding.code] <= 3 and finding.severity is not Severity.INFO:
                report.examples.append((f"line {line}", finding))


def _chunks(numbered: Iterator[tuple[int, Payload]], size: int) -> Iterator[list[tuple[int, Payload]]]:
    while chunk := list(islice(numbered, size)):
        yield chunk
