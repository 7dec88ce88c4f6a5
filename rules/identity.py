"""Which golden id a cluster carries: the stated rule for joins, splits and new records.

An id goes to the cluster that holds most of the records it held before (ties: the smaller key). A
cluster that several ids claim keeps the published one, then the oldest, then the smaller id; the
others retire and redirect to where most of their records went. A cluster without a claim is founded
on its smallest key, as the next generation of it, so that no id ever names two things. A retired
record whose source comes back is that record again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from canonical.ids import SourceKey, golden_id
from rules.case import Case, Prior
from rules.judgement import Cluster, Retirement


@dataclass(frozen=True, slots=True)
class Identity:
    """The golden id of a cluster; `prior` is what stood under that id until now."""

    id: str
    founder: SourceKey
    generation: int
    prior: Prior | None


def identify(case: Case, clusters: Sequence[Cluster], prefix: str) -> tuple[list[Identity], tuple[Retirement, ...]]:
    """An identity for each cluster, in order, and the ids that nothing holds any more."""
    shares = [Counter(id_ for key in found.members for id_ in _held(case, key)) for found in clusters]
    claims = sorted(
        (_strength(case.priors[id_], share[id_]), clusters[index].members[0], id_, index)
        for index, share in enumerate(shares)
        for id_ in share
    )
    holder: dict[int, str] = {}
    given: set[str] = set()
    for _, _, id_, index in claims:
        if id_ not in given and index not in holder:
            holder[index] = id_
            given.add(id_)
    identities = [
        _kept(case.priors[holder[index]]) if index in holder else _founded(case, found, prefix)
        for index, found in enumerate(clusters)
    ]
    return identities, _retired(case, shares, identities)


def _held(case: Case, key: SourceKey) -> tuple[str, ...]:
    """The ids that a record brings along: its own, and those of keys that it replaced."""
    own = (case.links[key],) if key in case.links else ()
    return tuple(id_ for id_ in (*own, *case.inherited.get(key, ())) if id_ in case.priors)


def _strength(prior: Prior, share: int) -> tuple[bool, float, int, str]:
    return not prior.published, prior.created_at.timestamp(), -share, prior.id


def _kept(prior: Prior) -> Identity:
    return Identity(prior.id, prior.founder, 0, prior)


def _founded(case: Case, found: Cluster, prefix: str) -> Identity:
    founder = found.members[0]
    generation = case.founded.get(founder, 0)
    return Identity(golden_id(prefix, founder, generation), founder, generation, None)


def _retired(case: Case, shares: Sequence[Counter[str]], identities: Sequence[Identity]) -> tuple[Retirement, ...]:
    live = {identity.id for identity in identities}
    retired = []
    for id_ in sorted(id_ for id_, prior in case.priors.items() if prior.live and id_ not in live):
        where = [(-share[id_], identity.id) for share, identity in zip(shares, identities, strict=True) if share[id_]]
        retired.append(Retirement(id_, min(where)[1] if where else None))
    return tuple(retired)
