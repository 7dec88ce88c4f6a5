"""The judge: match, cluster, survive, validate, approve. One pure function, one screen.

Replay, simulation, the playground, "why" and the tests call it with other inputs; the hub calls it
for a batch, and one record at a time is a batch of one. The evidence of the case's pairs comes from
`rules.matching.weigh`, which the gatherer calls first, because only it can tell who else belongs here.
"""

from __future__ import annotations

from datetime import datetime

import numpy as np

from rules.approval import Leaving, publications
from rules.case import Case
from rules.clustering import cluster
from rules.contest import contests, questions_of
from rules.draft import Context, content_of, facts_about, overridden, question_about
from rules.identity import Identity, identify
from rules.judgement import Change, Cluster, Draft, Judgement, Question
from rules.matching import bounds
from rules.ruleset import RuleSet
from rules.survivorship import Setting, survive
from rules.validation import validate


def judge(case: Case, ruleset: RuleSet, now: datetime) -> Judgement:
    """Who is who, what is agreed, what may leave, what a person must decide. Same input, same answer."""
    context = Context(case, ruleset, now)
    limits = bounds(ruleset, context.values, context.published)
    live = np.array([not record.tombstone for record in case.records], bool)
    clusters, questions = cluster(list(context.records), case.ties.among(live), case.decisions, limits)
    identities, retirements = identify(case, clusters, ruleset.entity.prefix)
    drafts = []
    for found, identity in zip(clusters, identities, strict=True):
        draft, asked = _golden(context, found, identity)
        drafts.append(draft)
        questions += asked
    return Judgement(tuple(drafts), retirements, tuple(questions))


def _golden(context: Context, found: Cluster, identity: Identity) -> tuple[Draft, list[Question]]:
    members = [context.records[key] for key in found.members]
    before = identity.prior
    known = {"known": before is not None, "published": bool(before and before.published)}
    facts = facts_about(context.ruleset, members, **known)
    applicable = context.ruleset.applicable(facts)
    setting = Setting(context.ruleset, applicable, context.now, context.case.published)
    values, provenance = overridden(context, found.members, *survive(members, setting))
    failed = validate(context.ruleset, values, applicable)
    against = contests(members, setting, [name for name, one in provenance.items() if one.source is None])
    findings = (*(finding for _, finding in failed), *(one.finding for one in against))
    leaving = Leaving(facts, values, before.sent if before else {})
    outgoing = publications(context.ruleset, applicable, [rule for rule, _ in failed], leaving)
    content = content_of(values, provenance, found.members, findings)
    change = Change.CREATE if before is None else Change.UPDATE
    if before is not None and before.live and before.content_hash == content:
        change = Change.UNCHANGED
    draft = Draft(
        id=identity.id,
        founder=identity.founder,
        generation=identity.generation,
        version=(before.version if before else 0) + (change is not Change.UNCHANGED),
        change=change,
        cluster=found,
        values=values,
        provenance=provenance,
        findings=findings,
        publications=outgoing,
        content_hash=content,
    )
    asked = [question_about(found, rule) for rule, _ in failed if rule.effect == "review"]
    return draft, asked + questions_of(against)
