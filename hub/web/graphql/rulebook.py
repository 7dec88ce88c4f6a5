"""Rules over GraphQL: which are in force, what a draft would change, putting one in force, and the proof of it all."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import graphene

from canonical.document import place_in
from canonical.errors import MasterDataError
from hub.errors import InvalidRequest
from hub.flow import promote as promotion
from hub.flow import replay
from hub.flow import simulate as rehearsal
from hub.flow.promote import Will
from hub.store import rulesets, simulations
from hub.store.engine import reading
from hub.web import auth
from hub.web.graphql.context import hub_of, principal_of
from hub.web.graphql.facts import Json, listed
from hub.web.graphql.payloads import guarded, user_errors
from rules.check import remarks
from rules.ruleset import load

LONGEST = 200_000  # characters of a rule document
MAY_CHANGE = ("engineer", "steward", "approver")


class RuleVersion(graphene.ObjectType):
    """A version of an entity's rules, and a time at which it was put in force."""

    entity = graphene.NonNull(graphene.String)
    version = graphene.NonNull(graphene.String)
    state = graphene.NonNull(graphene.String, description="live or retired")
    since = graphene.NonNull(graphene.String)
    author = graphene.String(description="Empty for the rules that came with the hub")
    reason = graphene.String()
    simulation = graphene.Int(description="The simulation that it was promoted on")
    document = graphene.NonNull(graphene.String, description="The YAML as it was written, comments too")

    @staticmethod
    def resolve_document(row: dict[str, Any], info: graphene.ResolveInfo) -> str:
        """The text of the version."""
        with reading(hub_of(info).engine) as connection:
            return rulesets.document_of(connection, row["entity"], row["version"]) or ""


class Remark(graphene.ObjectType):
    """Something in a rule document that cannot be meant."""

    line = graphene.NonNull(graphene.Int)
    column = graphene.NonNull(graphene.Int)
    rule = graphene.NonNull(graphene.String)
    words = graphene.NonNull(graphene.String)


class Checked(graphene.ObjectType):
    """A rule document, read and looked through."""

    version = graphene.String(description="What it would be called; empty when it is no rule document")
    remarks = listed(Remark)
    error = graphene.String(description="Why it is no rule document, with its place")


class Simulation(graphene.ObjectType):
    """What a draft would change, exactly, over all live records."""

    id = graphene.NonNull(graphene.Int)
    entity = graphene.NonNull(graphene.String)
    base = graphene.NonNull(graphene.String, description="The version in force when it was made")
    version = graphene.NonNull(graphene.String, description="Of the draft")
    records = graphene.NonNull(graphene.Int)
    counts = Json(required=True)
    report = Json(description="The full lists; only of a simulation that is asked for by its id")
    created_at = graphene.NonNull(graphene.String)
    created_by = graphene.NonNull(graphene.String)


class Difference(graphene.ObjectType):
    """Something that stands otherwise than it would be rebuilt."""

    subject = graphene.NonNull(graphene.String)
    field = graphene.NonNull(graphene.String)
    stored = Json()
    rebuilt = Json()


class Proof(graphene.ObjectType):
    """Everything golden, rebuilt from the log and compared."""

    records = graphene.NonNull(graphene.Int)
    golden = graphene.NonNull(graphene.Int)
    tasks = graphene.NonNull(graphene.Int)
    differences = graphene.NonNull(graphene.Int)
    first = listed(Difference)


class SimulateRules(graphene.Mutation):
    """Judge all live records with a draft and save what would change. Nothing else changes."""

    class Arguments:
        """The draft."""

        document = graphene.NonNull(graphene.String)

    simulation = graphene.Field(Simulation)
    user_errors = user_errors()

    @staticmethod
    def mutate(_root: None, info: graphene.ResolveInfo, document: str) -> SimulateRules:
        """Simulate, or say why not."""

        def act() -> SimulateRules:
            auth.require(principal_of(info), *MAY_CHANGE)
            hub, draft = hub_of(info), load(_short(document), "draft.yaml")
            made = rehearsal.simulate(hub.engine, draft, principal_of(info).name, hub.clock())
            return SimulateRules(simulation=_simulation(info, made), user_errors=[])

        return guarded(act, SimulateRules)


class PromoteRules(graphene.Mutation):
    """Put a draft in force that somebody else has simulated; what then changes is what the simulation said."""

    class Arguments:
        """Which simulation, and why."""

        entity = graphene.NonNull(graphene.String)
        simulation = graphene.NonNull(graphene.Int)
        reason = graphene.NonNull(graphene.String)

    version = graphene.String(description="The version in force now")
    user_errors = user_errors()

    @staticmethod
    def mutate(_root: None, info: graphene.ResolveInfo, entity: str, simulation: int, reason: str) -> PromoteRules:
        """Promote, or say why not."""

        def act() -> PromoteRules:
            hub = hub_of(info)
            made = promotion.promote(hub.engine, entity, simulation, _will(info, reason), hub.clock())
            return PromoteRules(version=made.version, user_errors=[])

        return guarded(act, PromoteRules)


class RollBackRules(graphene.Mutation):
    """Put a version in force again that was in force once; it is simulated first."""

    class Arguments:
        """Which version, and why."""

        entity = graphene.NonNull(graphene.String)
        version = graphene.NonNull(graphene.String)
        reason = graphene.NonNull(graphene.String)

    simulation = graphene.Int(description="What it was promoted on")
    user_errors = user_errors()

    @staticmethod
    def mutate(_root: None, info: graphene.ResolveInfo, entity: str, version: str, reason: str) -> RollBackRules:
        """Go back, or say why not."""

        def act() -> RollBackRules:
            hub = hub_of(info)
            made = promotion.rollback(hub.engine, entity, version, _will(info, reason), hub.clock())
            return RollBackRules(simulation=made, user_errors=[])

        return guarded(act, RollBackRules)


class Query:
    """Rules and their proof."""

    rule_versions = graphene.Field(
        listed(RuleVersion), entity=graphene.String(), description="Every version of the rules, the newest first."
    )
    check_rules = graphene.Field(
        graphene.NonNull(Checked),
        document=graphene.NonNull(graphene.String),
        description="Read a rule document and say what in it cannot be meant.",
    )
    simulations = graphene.Field(listed(Simulation), description="The newest simulations, without their lists.")
    simulation = graphene.Field(Simulation, id=graphene.NonNull(graphene.Int), description="One with its full lists.")
    prove = graphene.Field(
        graphene.NonNull(Proof),
        entity=graphene.String(),
        description="Rebuild everything golden from the log and compare. Takes as long as there are records.",
    )

    @staticmethod
    def resolve_rule_versions(
        _root: None, info: graphene.ResolveInfo, entity: str | None = None
    ) -> list[dict[str, Any]]:
        """Versions with each time that they were put in force."""
        with reading(hub_of(info).engine) as connection:
            rows = [row for row in rulesets.history(connection) if entity in (None, row["entity"])]
        return [row | {"since": row["at"].isoformat(), "simulation": row["simulation_id"]} for row in rows]

    @staticmethod
    def resolve_check_rules(_root: None, _info: graphene.ResolveInfo, document: str) -> dict[str, Any]:
        """Remarks with their places, or why it cannot be read."""
        try:
            made = load(_short(document), "draft.yaml")
        except MasterDataError as error:
            return {"version": None, "remarks": [], "error": f"{error.message} {error.hint}"}
        found = [(*place_in(document, one.path), one) for one in remarks(made)]
        lines = [{"line": at, "column": column, "rule": one.rule, "words": one.words} for at, column, one in found]
        return {"version": made.version, "remarks": lines, "error": None}

    @staticmethod
    def resolve_simulations(_root: None, info: graphene.ResolveInfo) -> list[dict[str, Any]]:
        """The newest, without their lists."""
        with reading(hub_of(info).engine) as connection:
            rows = simulations.latest(connection)
        return [row | {"created_at": row["created_at"].isoformat()} for row in rows]

    @staticmethod
    def resolve_simulation(_root: None, info: graphene.ResolveInfo, id: int) -> dict[str, Any]:
        """One in full."""
        return _simulation(info, id)

    @staticmethod
    def resolve_prove(_root: None, info: graphene.ResolveInfo, entity: str | None = None) -> replay.Proof:
        """The proof of one entity or of all."""
        auth.require(principal_of(info), "engineer", "operator", "approver")
        engine = hub_of(info).engine
        return replay.verify(engine) if entity is None else replay.verify(engine, [entity])


class Mutation:
    """Changing rules."""

    simulate_rules = SimulateRules.Field()
    promote_rules = PromoteRules.Field()
    roll_back_rules = RollBackRules.Field()


def _simulation(info: graphene.ResolveInfo, simulation_id: int) -> dict[str, Any]:
    with reading(hub_of(info).engine) as connection:
        found = rehearsal.get(connection, simulation_id)
    names = ("id", "entity", "base", "version", "records", "counts", "report", "created_by")
    return {name: getattr(found, name) for name in names} | {"created_at": _told(found.created_at)}


def _told(moment: datetime) -> str:
    return moment.isoformat()


def _short(document: str) -> str:
    """The document, if it is one that a person could have written. Raises InvalidRequest."""
    if len(document) > LONGEST:
        raise InvalidRequest(f"a rule document has at most {LONGEST:,} characters.")
    return document


def _will(info: graphene.ResolveInfo, reason: str) -> Will:
    """Who changes rules, and why. Raises NotPermitted."""
    auth.require(principal_of(info), *MAY_CHANGE)
    return Will(principal_of(info).name, reason)
