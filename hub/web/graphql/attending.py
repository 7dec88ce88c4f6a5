"""Stewards at one queue: claims, putting off, comments; many answers at once; parting what was merged."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import graphene

from hub.attending import Attending
from hub.errors import InvalidRequest
from hub.web.graphql.context import desk_of, hub_of, principal_of
from hub.web.graphql.payloads import guarded, user_errors

MOST = 200  # questions of one batch


class Skipped(graphene.ObjectType):
    """A question that was not answered with its batch, and why."""

    task = graphene.NonNull(graphene.ID)
    reason = graphene.NonNull(graphene.String)


class DecideAll(graphene.Mutation):
    """Answer many questions alike; `undoBatch` takes all answers back at once."""

    class Arguments:
        """What is decided."""

        tasks = graphene.NonNull(graphene.List(graphene.NonNull(graphene.ID)))
        answer = graphene.NonNull(graphene.String)
        reason = graphene.NonNull(graphene.String)

    batch = graphene.ID()
    decisions = graphene.List(graphene.NonNull(graphene.ID))
    skipped = graphene.List(graphene.NonNull(Skipped))
    user_errors = user_errors()

    @staticmethod
    def mutate(_root: None, info: graphene.ResolveInfo, tasks: list[str], answer: str, reason: str) -> DecideAll:
        """Decide, or say why not."""

        def act() -> DecideAll:
            if len(tasks) > MOST:
                raise InvalidRequest(f"a batch has up to {MOST} questions, this one has {len(tasks)}.")
            made = desk_of(info).answer_all(tasks, answer, reason)
            left = [Skipped(task=task, reason=why) for task, why in made.skipped]
            return DecideAll(batch=made.id, decisions=made.decisions, skipped=left, user_errors=[])

        return guarded(act, DecideAll)


class UndoBatch(graphene.Mutation):
    """Take back all decisions of a batch that are in force."""

    class Arguments:
        """Which batch."""

        batch = graphene.NonNull(graphene.ID)
        seen = graphene.String(description="ID@VERSION of a golden record that it is about, as you saw it")

    undone = graphene.Int(description="How many")
    user_errors = user_errors()

    @staticmethod
    def mutate(_root: None, info: graphene.ResolveInfo, batch: str, seen: str | None = None) -> UndoBatch:
        """Undo, or say why not."""
        return guarded(lambda: UndoBatch(undone=desk_of(info, seen).undo_batch(batch), user_errors=[]), UndoBatch)


class UndoMerge(graphene.Mutation):
    """Part what was one golden record, merged into another since, from what it is merged with."""

    class Arguments:
        """Which one, why, and for how long."""

        golden = graphene.NonNull(graphene.ID, description="The id that was merged away")
        reason = graphene.NonNull(graphene.String)
        block = graphene.Boolean(default_value=True, description="For good, or only until the evidence changes")

    batch = graphene.ID()
    decisions = graphene.List(graphene.NonNull(graphene.ID))
    user_errors = user_errors()

    @staticmethod
    def mutate(_root: None, info: graphene.ResolveInfo, golden: str, reason: str, *, block: bool) -> UndoMerge:
        """Part them, or say why not."""

        def act() -> UndoMerge:
            made = desk_of(info).undo_merge(golden, reason, block=block)
            return UndoMerge(batch=made.id, decisions=made.decisions, user_errors=[])

        return guarded(act, UndoMerge)


class Attend(graphene.Mutation):
    """Hold a question for ten minutes, put it off, or say something of it; only what is given is done."""

    class Arguments:
        """Which one, and what."""

        task = graphene.NonNull(graphene.ID)
        claim = graphene.Boolean(description="Hold it for ten minutes")
        take_over = graphene.Boolean(description="Even if somebody else holds it")
        snooze_until = graphene.DateTime()
        comment = graphene.String()

    held_until = graphene.DateTime()
    taken_from = graphene.String()
    user_errors = user_errors()

    @staticmethod
    def mutate(_root: None, info: graphene.ResolveInfo, task: str, **wanted: Any) -> Attend:
        """Do what is wanted, or say why not."""

        def act() -> Attend:
            desk, made = _attending(info), Attend(user_errors=[])
            if wanted.get("comment"):
                desk.say(task, wanted["comment"])
            if wanted.get("claim") or wanted.get("take_over"):
                held = desk.claim(task, take_over=bool(wanted.get("take_over")))
                made.held_until, made.taken_from = held.until, held.taken_from
            if wanted.get("snooze_until"):
                desk.snooze(task, _aware(wanted["snooze_until"]))
            return made

        return guarded(act, Attend)


def _attending(info: graphene.ResolveInfo) -> Attending:
    return hub_of(info).attending(principal_of(info))


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise InvalidRequest(f"{moment.isoformat()} names no zone.", hint="Write it with Z or an offset.")
    return moment


class Mutation:
    """What stewards do together."""

    decide_all = DecideAll.Field()
    undo_batch = UndoBatch.Field()
    undo_merge = UndoMerge.Field()
    attend = Attend.Field()
