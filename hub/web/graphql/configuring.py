"""The configuration over GraphQL, as the texts of its files: read it, compare, apply."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import graphene

from hub.flow.configuration import Change, compare
from hub.flow.promote import Will
from hub.flow.wording import Configuration, configuration_of, texts_of
from hub.web import auth
from hub.web.graphql.context import hub_of, principal_of
from hub.web.graphql.facts import listed
from hub.web.graphql.payloads import guarded, user_errors
from hub.worker import require_fit


class ConfigurationFile(graphene.ObjectType):
    """One file of the configuration."""

    name = graphene.NonNull(graphene.String, description="rules/account.yaml, mappings/crm.yaml, codes.yaml …")
    text = graphene.NonNull(graphene.String)


class ConfigurationFileInput(graphene.InputObjectType):
    """One file of a configuration that is wanted; what no file names stays as it is."""

    name = graphene.NonNull(graphene.String)
    text = graphene.NonNull(graphene.String)


class ConfigurationState(graphene.ObjectType):
    """What this hub is configured with."""

    base = graphene.NonNull(graphene.String, description="Differs as soon as anything does; `applyConfiguration` asks")
    files = listed(ConfigurationFile)


class ConfigurationChange(graphene.ObjectType):
    """One part of the configuration that differs."""

    part = graphene.NonNull(graphene.String, description="rules, mapping, codes, schedule or targets")
    name = graphene.NonNull(graphene.String)
    words = listed(graphene.String)


class ConfigurationDifference(graphene.ObjectType):
    """What would change, and the base that it was compared with."""

    base = graphene.NonNull(graphene.String)
    changes = listed(ConfigurationChange)


class ApplyConfiguration(graphene.Mutation):
    """Make the hub what the files say, whole or not at all. Rules need a simulation by somebody else."""

    class Arguments:
        """The files, the base that was looked at, and why."""

        files = graphene.NonNull(graphene.List(graphene.NonNull(ConfigurationFileInput)))
        base = graphene.NonNull(graphene.String)
        reason = graphene.NonNull(graphene.String)

    base = graphene.String(description="The base from now on")
    changes = graphene.List(graphene.NonNull(ConfigurationChange))
    user_errors = user_errors()

    @staticmethod
    def mutate(
        _root: None, info: graphene.ResolveInfo, files: Sequence[Mapping[str, str]], base: str, reason: str
    ) -> ApplyConfiguration:
        """Apply, or say why not."""

        def act() -> ApplyConfiguration:
            auth.require(principal_of(info), "engineer", "operator")
            hub = hub_of(info)
            changes = hub.configure(_wanted(info, files), base, Will(principal_of(info).name, reason))
            after = hub.configuration().seal
            return ApplyConfiguration(base=after, changes=_told(changes), user_errors=[])

        return guarded(act, ApplyConfiguration)


class Query:
    """The configuration."""

    configuration = graphene.Field(
        graphene.NonNull(ConfigurationState), description="Rules, mappings, code lists, schedules and targets as files."
    )
    configuration_diff = graphene.Field(
        graphene.NonNull(ConfigurationDifference),
        files=graphene.NonNull(graphene.List(graphene.NonNull(ConfigurationFileInput))),
        description="What would change if the hub were what these files say. Changes nothing.",
    )

    @staticmethod
    def resolve_configuration(_root: None, info: graphene.ResolveInfo) -> dict[str, Any]:
        """All files as they would be exported."""
        auth.require(principal_of(info), "engineer", "operator", "steward", "approver")
        here = hub_of(info).configuration()
        return {"base": here.seal, "files": [{"name": n, "text": text} for n, text in texts_of(here).items()]}

    @staticmethod
    def resolve_configuration_diff(
        _root: None, info: graphene.ResolveInfo, files: Sequence[Mapping[str, str]]
    ) -> dict[str, Any]:
        """What differs."""
        auth.require(principal_of(info), "engineer", "operator", "steward", "approver")
        here = hub_of(info).configuration()
        return {"base": here.seal, "changes": _told(compare(here, _wanted(info, files)))}


class Mutation:
    """Applying a configuration."""

    apply_configuration = ApplyConfiguration.Field()


def _wanted(info: graphene.ResolveInfo, files: Sequence[Mapping[str, str]]) -> Configuration:
    wanted = configuration_of({one["name"]: one["text"] for one in files})
    for name, one in wanted.schedules.items():
        require_fit(name, one.model_dump(), hub_of(info).targets)
    return wanted


def _told(changes: Sequence[Change]) -> list[dict[str, Any]]:
    return [{"part": one.part, "name": one.name, "words": list(one.words)} for one in changes]
