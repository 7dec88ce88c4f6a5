"""A model for the rules of an entity, learned from what the hub holds, written as a draft to be rehearsed.

Nothing is put in force here: the draft goes the way of every other change of rules, through a simulation
that counts what it would change and a promotion that says why.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log

import numpy as np

from canonical.document import amended
from hub.errors import InvalidRequest
from hub.store import journal, simulations, standing
from hub.store.engine import Connection
from rules.document import Fitted
from rules.match.calibrate import calibrated
from rules.match.frozen import Frozen, columns_of, learn, texts_of
from rules.ruleset import RuleSet

PAGE = 5000  # records read at once
TYPES = 20_000  # records that are asked which types of identifiers there are
FEWEST = 50  # records to learn anything from
ANSWERS = 10  # of stewards, before they move the bands


@dataclass(frozen=True, slots=True)
class Costs:
    """What goes wrong costs, in reviews: joining two that are not one, and missing that two are."""

    wrong: float = 20.0
    missed: float = 5.0

    @property
    def match(self) -> float:
        """The log-odds from which joining costs less than asking."""
        return log(max(self.wrong - 1, 1e-3))

    @property
    def review(self) -> float:
        """The log-odds from which asking costs less than letting it be."""
        return -log(max(self.missed - 1, 1e-3))


@dataclass(frozen=True, slots=True)
class Proposal:
    """A draft of the entity's rules with a fitted model in it."""

    text: str
    fitted: Fitted
    match: float
    review: float
    answers: int
    every: int  # records of the entity


def fit(connection: Connection, ruleset: RuleSet, most: int, costs: Costs, seed: int = 1) -> Proposal:
    """Learn from at most `most` records, those with the smallest ids, which are hashes. Raises InvalidRequest."""
    entity, texts, read, every = ruleset.entity, dict[str, list[str]](), 0, 0
    kinds: dict[str, str] = {}
    after = -1
    while page := standing.ids_after(connection, entity.name, after, PAGE):
        every, after = every + len(page), page[-1]
        if read >= most:
            continue
        values = [one.values for one in journal.load_records(connection, page).values() if not one.tombstone]
        for path, kind in columns_of(entity, values if read < TYPES else ()).items():
            kinds.setdefault(path, kind)
            texts.setdefault(path, [""] * read)
        for path, said in texts_of(entity, texts, values).items():
            texts[path] += said
        read += len(values)
    if read < FEWEST:
        raise InvalidRequest(f"{read} records of {entity.name} are too few to learn from.", hint="Take in more first.")
    limit = ruleset.document.matching.key_limit
    fitted = learn({path: (kinds[path], said) for path, said in texts.items()}, every, limit, seed)
    shift, answers = _answered(connection, ruleset, fitted)
    match, review = round(costs.match + shift, 2), round(min(costs.review, costs.match) + shift, 2)
    return Proposal(_draft(ruleset, fitted, match, review), fitted, match, review, answers, every)


def _answered(connection: Connection, ruleset: RuleSet, fitted: Fitted) -> tuple[float, int]:
    """How far stewards' answers move the evidence that means even odds, and how many there are."""
    pairs = simulations.pairs_decided(connection, ruleset.entity.name)
    records = journal.load_records(connection, sorted({id_ for _, *both in pairs for id_ in both}))
    known = [(answer, a, b) for answer, a, b in pairs if a in records and b in records]
    if len(known) < ANSWERS:
        return 0.0, len(known)
    place = {id_: row for row, id_ in enumerate(records)}
    i = np.array([place[a] for _, a, _ in known], np.int64)
    j = np.array([place[b] for _, _, b in known], np.int64)
    odds, _ = Frozen(ruleset.entity, fitted).weigh([one.values for one in records.values()], i, j)
    same = np.array([answer == "same" for answer, _, _ in known])
    return calibrated(odds.astype(np.float64), same, 0.0).match, len(known)


def _draft(ruleset: RuleSet, fitted: Fitted, match: float, review: float) -> str:
    """The document in force with the model and its bands; everything else, comments too, as it is."""
    changes = {"fitted": fitted.model_dump(mode="json"), "match": match, "review": review}
    return amended(ruleset.text, "matching", changes)
