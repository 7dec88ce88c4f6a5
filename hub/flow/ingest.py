"""A whole delivery, in chunks: read, translate, take in, resolve. Each chunk is one transaction.

A delivery is known by its content and its mapping. Interrupted, it goes on after the last chunk that
was committed; sent again, it changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
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
    report = Report(delivery.origin)
    with writing(engine) as connection:
        batch_id, position, done = journal.open_batch(
            connection, delivery.origin, delivery.fingerprint, clock(), mapping=source.fingerprint
        )
        codes.keep_mapping(connection, source.fingerprint, source.name, source.text, clock())
        translator = Translator(source.with_codes(codes.in_force(connection)), clock, report)
    numbered = enumerate(delivery.payloads, 1)
    with seldom_collected():
        for chunk in _chunks(numbered, CHUNK):
            fresh = [(place, payload) for place, payload in chunk if place > position and not done]
            report.skipped += len(chunk) - len(fresh)
            if fresh:
                delivered = [translator.translate(place, payload) for place, payload in fresh]
                with writing(engine) as connection:
                    _claim(connection, delivered)
                    taken = take_in(connection, batch_id, delivered, clock())
                    if later:
                        for entity, ids in taken.touched.items():
                            waiting.add(connection, entity, ids)
                    else:
                        resolve(connection, rulesets, taken.touched, clock())
                report.repeated += taken.repeated
                report.late += taken.late
            report.payloads += len(chunk)
            progress(report.payloads)
    with writing(engine) as connection:
        journal.close_batch(connection, batch_id, clock())
    return report


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
