"""What is known about a golden record besides its values: reasons, sources, links, findings, versions, targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import graphene
from graphene.types.generic import GenericScalar

from hub import queries
from hub.store import related
from hub.web.graphql.cohort import Cohort, Node
from rules.why import Why, explain

MOST_VERSIONS = 100  # of one answer about a record's history
Row = Mapping[str, Any]


class Json(GenericScalar):
    """A value as it is kept: text, a number, yes or no, a list or an object."""

    class Meta:
        """Its name."""

        name = "JSON"


def listed(kind: Any) -> graphene.NonNull:
    """A list without gaps."""
    return graphene.NonNull(graphene.List(graphene.NonNull(kind)))


class Loser(graphene.ObjectType):
    """A system's value that did not win, and why."""

    source = graphene.NonNull(graphene.String, description="Source key")
    reason = graphene.NonNull(graphene.String)


class Candidate(graphene.ObjectType):
    """One who spoke of a field, and what became of it."""

    system = graphene.NonNull(graphene.String, description="`steward` for an override")
    key = graphene.NonNull(graphene.String, description="Source key, or the override")
    value = graphene.String(description="As a person reads it; empty when the source says that it is empty")
    asserted_at = graphene.NonNull(graphene.String)
    outcome = graphene.NonNull(graphene.String, description="won, agreed, joined, lost or set aside")
    reason = graphene.NonNull(graphene.String)


class Provenance(graphene.ObjectType):
    """Where a field's value comes from."""

    field = graphene.NonNull(graphene.String)
    source = graphene.String(description="The winning source key; empty when a steward's override decides")
    rule = graphene.NonNull(graphene.String, description="The survivorship rule that decided")
    asserted_at = graphene.String(description="When the source said so")
    losers = listed(Loser)
    candidates = graphene.List(
        graphene.NonNull(Candidate), description="Everybody who spoke, the winner first; asked of the rules that judged"
    )
    flip = graphene.String(
        description="The smallest change under which another value would stand, and that value; "
        "a page that asks for it holds at most 20 records"
    )

    @staticmethod
    def resolve_candidates(parent: Row, _info: Any) -> list[dict[str, Any]] | None:
        """The candidates as the rules placed them; null when the rules that judged are gone."""
        found = _explained(parent, flips=False)
        if found is None:
            return None
        hidden = _hidden(parent)
        return [
            {
                "system": one.system, "key": one.key,
                "value": None if one.value is None or hidden else queries.shown(one.value),
                "asserted_at": one.asserted_at.isoformat(), "outcome": one.outcome.value, "reason": one.reason,
            }
            for one in found.candidates
        ]  # fmt: skip

    @staticmethod
    def resolve_flip(parent: Row, _info: Any) -> str | None:
        """The smallest change, in words."""
        found = None if _hidden(parent) else _explained(parent, flips=True)
        return queries.flip_words(found) if found else None


def _explained(parent: Row, *, flips: bool) -> Why | None:
    ruling = parent["cohort"].rulings().get(parent["id"])
    return explain(ruling, parent["field"], flips=flips) if ruling else None


def _hidden(parent: Row) -> bool:
    cohort: Cohort = parent["cohort"]
    return cohort.hides(parent["id"], parent["field"])


class FieldValue(graphene.ObjectType):
    """A field and what it holds."""

    field = graphene.NonNull(graphene.String)
    value = Json(description="As it is kept")


class Member(graphene.ObjectType):
    """A source record that belongs to the golden record."""

    source_key = graphene.NonNull(graphene.String)
    version = graphene.String(description="The source's own version, if it states one")
    system = graphene.NonNull(graphene.String)
    state = graphene.String(description="live, or tombstone when the source says that it is gone")
    status = graphene.String(description="linked, review or failed")
    asserted_at = graphene.String(description="When the source said what it says now")
    received_at = graphene.String(description="When the hub received it")
    says = graphene.List(graphene.NonNull(FieldValue), description="What the source says now, translated")

    @staticmethod
    def resolve_says(parent: Row, _info: Any) -> list[dict[str, Any]] | None:
        """What the source says now."""
        said = _now(parent).get("values")
        return None if said is None else [{"field": name, "value": value} for name, value in said.items()]

    @staticmethod
    def resolve_state(parent: Row, _info: Any) -> str | None:
        """Whether the source still has it."""
        return _now(parent).get("state")

    @staticmethod
    def resolve_status(parent: Row, _info: Any) -> str | None:
        """Where it stands in the hub."""
        return _now(parent).get("status")

    @staticmethod
    def resolve_asserted_at(parent: Row, _info: Any) -> str | None:
        """When the source said so."""
        return _time(_now(parent).get("asserted_at"))

    @staticmethod
    def resolve_received_at(parent: Row, _info: Any) -> str | None:
        """When it came in."""
        return _time(_now(parent).get("received_at"))


def _now(parent: Row) -> Row:
    """The source record behind a member, if it still belongs to the same golden record."""
    rows = parent["cohort"].once("sources", related.sources)[parent["id"]]
    return next((row for row in rows if _key(row) == parent["source_key"]), {})


class Comparison(graphene.ObjectType):
    """What one comparison added to the evidence."""

    name = graphene.NonNull(graphene.String)
    similarity = graphene.NonNull(graphene.Float, description="0 to 1")
    weight = graphene.NonNull(graphene.Float, description="In log-odds")


class Evidence(graphene.ObjectType):
    """Why two source records are thought to be one."""

    left = graphene.NonNull(graphene.String, description="Source key")
    right = graphene.NonNull(graphene.String, description="Source key")
    score = graphene.NonNull(graphene.Float, description="Log-odds that the two are the same")
    comparisons = listed(Comparison)


class Link(graphene.ObjectType):
    """Why a source record belongs to the golden record."""

    source_key = graphene.NonNull(graphene.String)
    reason = graphene.NonNull(graphene.String)
    rule_set = graphene.NonNull(graphene.String)
    since = graphene.NonNull(graphene.String)
    evidence = listed(Evidence)


class Finding(graphene.ObjectType):
    """A problem in the data of a golden record or of one of its sources."""

    code = graphene.NonNull(graphene.String)
    severity = graphene.NonNull(graphene.String)
    field = graphene.String()
    message = graphene.NonNull(graphene.String)
    source_key = graphene.String(description="The source record that it stands with; empty for the golden record's own")
    doc_url = graphene.NonNull(graphene.String)


class Change(graphene.ObjectType):
    """A field that was something else before."""

    field = graphene.NonNull(graphene.String)
    before = Json()
    after = Json()
    rule = graphene.String(description="The survivorship rule that decided what it is now")
    source = graphene.String(description="The source key that it came from")


class Version(graphene.ObjectType):
    """A golden record as it stood for a time, with what had changed."""

    version = graphene.NonNull(graphene.Int)
    valid_from = graphene.NonNull(graphene.String)
    valid_to = graphene.String(description="Empty for the version in force")
    rule_set = graphene.NonNull(graphene.String)
    changes = listed(Change)
    values = listed(FieldValue)
    sources = graphene.NonNull(
        graphene.List(graphene.NonNull(graphene.String)), description="The source keys that were its members"
    )


class Publication(graphene.ObjectType):
    """What a target has of a golden record, and what it has still to hear."""

    target = graphene.NonNull(graphene.String)
    state = graphene.NonNull(
        graphene.String, description="never sent, in step, behind, or gone when the target was told to deactivate it"
    )
    acknowledged_version = graphene.Int(description="The version that the target has confirmed")
    versions_behind = graphene.Int()
    acknowledged_at = graphene.String()
    remote_id = graphene.String(description="The target's own id")
    owed_version = graphene.Int(description="The newest version that it has still to hear of")
    waits_for = graphene.String(description="The role whose approval it waits for")
    held_by = graphene.String(description="The rule that holds it back")
    diff = listed(Change)


def provenance(record: Node, fields: Sequence[str] | None) -> list[dict[str, Any]]:
    """All fields' provenance, or that of the named ones (in either spelling)."""
    wanted = None if fields is None else {_snake(name) for name in fields}
    cohort: Cohort = record["cohort"]
    return [
        {
            "cohort": cohort, "id": record["id"], "field": name, "source": source, "rule": rule, "asserted_at": at,
            "losers": [{"source": loser, "reason": reason} for loser, reason in losers],
        }
        for name, (source, rule, at, losers) in cohort.reasons(record["id"])["provenance"].items()
        if wanted is None or name in wanted
    ]  # fmt: skip


def members(record: Node) -> list[dict[str, Any]]:
    """The source records of the version that is shown."""
    cohort: Cohort = record["cohort"]
    return [
        {
            "cohort": cohort, "id": record["id"], "source_key": key, "version": version or None,
            "system": key.split(":")[0],
        }
        for key, version in cohort.reasons(record["id"])["members"]
    ]  # fmt: skip


def links(record: Node) -> list[dict[str, Any]]:
    """Why each source record belongs to it, with the evidence that it has to do with."""
    cohort: Cohort = record["cohort"]
    ties = cohort.once("evidence", related.evidence_among)[record["id"]]
    proofs = [
        {
            "left": f"{one['left_system']}:{one['entity']}:{one['left_key']}",
            "right": f"{one['right_system']}:{one['entity']}:{one['right_key']}",
            "score": one["score"],
            "comparisons": [
                {"name": name, "similarity": like, "weight": weight} for name, like, weight in one["parts"]
            ],
        }
        for one in ties
    ]
    return [
        {
            "source_key": _key(row), "reason": row["reason"], "rule_set": row["ruleset"], "since": _time(row["since"]),
            "evidence": [one for one in proofs if _key(row) in (one["left"], one["right"])],
        }
        for row in cohort.once("sources", related.sources)[record["id"]]
    ]  # fmt: skip


def findings(record: Node) -> list[dict[str, Any]]:
    """The findings that stand with it."""
    rows = record["cohort"].once("findings", related.findings)[record["id"]]
    return [
        {name: row[name] for name in ("code", "severity", "field", "message")}
        | {"source_key": _key(row) if row["system"] else None, "doc_url": doc_url(row["code"])}
        for row in rows
    ]


def history(record: Node, first: int, before: int | None) -> list[dict[str, Any]]:
    """Its newest versions, each with what had changed since the one before."""
    most = max(1, min(first, MOST_VERSIONS))
    rows = record["cohort"].once(
        ("history", most, before), lambda connection, ids: related.histories(connection, ids, most, before)
    )[record["id"]]
    return [_version(row, older) for row, older in zip(rows, [*rows[1:], None], strict=True)][:most]


def publications(record: Node) -> list[dict[str, Any]]:
    """What each target has of it and has still to hear."""
    cohort: Cohort = record["cohort"]
    there = {row["target"]: row for row in cohort.once("publications", related.publications)[record["id"]]}
    owed = {row["target"]: row for row in cohort.once("owed", related.owed)[record["id"]]}
    return [_published(record, name, there.get(name), owed.get(name)) for name in sorted(there.keys() | owed.keys())]


def former_ids(record: Node) -> list[str]:
    """The retired ids that lead to it."""
    found: list[str] = record["cohort"].once("former", related.former_ids)[record["id"]]
    return found


def doc_url(code: str) -> str:
    """Where a code is explained."""
    return f"/api/errors/{code}"


def _version(row: Row, older: Row | None) -> dict[str, Any]:
    before = older["values"] if older else {}
    return {
        "version": row["version"], "valid_from": _time(row["valid_from"]), "valid_to": _time(row["valid_to"]),
        "rule_set": row["ruleset"], "sources": [key for key, _ in row["members"]],
        "changes": _changes(before, row["values"], row["provenance"]),
        "values": [{"field": name, "value": value} for name, value in row["values"].items()],
    }  # fmt: skip


def _changes(before: Row, after: Row, reasons: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    names = [*after, *(name for name in before if name not in after)]
    return [
        {
            "field": name, "before": before.get(name), "after": after.get(name),
            "source": reasons[name][0] if name in reasons else None,
            "rule": reasons[name][1] if name in reasons else None,
        }
        for name in names
        if before.get(name) != after.get(name)
    ]  # fmt: skip


def _published(record: Node, target: str, there: Row | None, owed: Row | None) -> dict[str, Any]:
    sent = there["acknowledged_version"] if there else None
    behind = record["version"] - sent if sent is not None else None
    never = "never sent" if there is None else "gone" if not there["active"] else None
    waiting = owed if owed and not owed["approved_at"] else None
    return {
        "target": target, "state": never or ("behind" if behind else "in step"), "acknowledged_version": sent,
        "versions_behind": behind, "acknowledged_at": _time(there["acknowledged_at"]) if there else None,
        "remote_id": there["remote_id"] if there else None, "owed_version": owed["version"] if owed else None,
        "waits_for": waiting["waits_for"] if waiting else None, "held_by": owed["held"] if owed else None,
        "diff": _changes(there["values"] if there else {}, record["values"], {}),
    }  # fmt: skip


def _key(row: Row) -> str:
    return f"{row['system']}:{row['entity']}:{row['key']}"


def _time(value: Any) -> str | None:
    return value.isoformat() if value else None


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)
