"""Records that changed → golden records as they should be now, in the caller's transaction.

Gather the closed case, ask the judge once, write the whole answer: links, golden versions, tasks and
what is owed to the targets, or nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from canonical.catalogue import ENTITIES
from hub.flow.gather import gather
from hub.store import cases, confirming, lapsing
from hub.store import rulesets as stored
from hub.store.engine import Connection
from hub.store.verdicts import Verdict, write
from rules.judge import judge
from rules.judgement import Judgement
from rules.ruleset import RuleSet


def resolve(
    connection: Connection, rulesets: Mapping[str, RuleSet], touched: Mapping[str, Iterable[int]], now: datetime
) -> dict[str, Judgement]:
    """Judge these records again, parents' entities before their children's. Gives what was decided.

    The rules are those in force when it is this transaction's turn, whatever the caller had in hand.
    Decisions about pairs whose evidence has changed are asked about again; those that lapse with it end,
    and their records are judged once more. Values set on them that have ended are asked about.
    """
    decided = _judge(connection, rulesets, touched, now)
    lapsed = {name: confirming.ask_again(connection, name, touched[name], now) for name in decided}
    if any(lapsed.values()):
        decided |= _judge(connection, rulesets, {name: ids for name, ids in lapsed.items() if ids}, now)
    for name in decided:
        lapsing.ask(connection, name, touched[name], now)
    return decided


def _judge(
    connection: Connection, rulesets: Mapping[str, RuleSet], touched: Mapping[str, Iterable[int]], now: datetime
) -> dict[str, Judgement]:
    decided: dict[str, Judgement] = {}
    for name in ENTITIES:
        if name in touched:
            cases.claim(connection, name)
            ruleset = stored.current(connection, rulesets[name])
            gathered = gather(connection, ruleset, touched[name])
            decided[name] = judge(gathered.case, ruleset, now)
            write(connection, Verdict(ruleset, gathered.case, gathered.core, decided[name], now))
    return decided
