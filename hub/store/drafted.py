"""What rules that are rehearsed would leave standing: golden records, references and links, beside the store's own.

The tables are temporary and belong to an overlay. Read as a world (`hub.store.relations`), they stand before what the
store has of the same golden records and source records, and whatever they do not speak of is as it is.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from canonical.ids import SourceKey
from hub.store import bulk, plans
from hub.store.engine import Prepared
from hub.store.tables import golden, golden_reference, link
from hub.store.verdicts import Verdict, holders

_own = sa.MetaData()
_golden = sa.Table(
    "drafted_golden",
    _own,
    sa.Column("golden_id", sa.String(24), primary_key=True),
    sa.Column("entity", sa.Text, nullable=False),
    sa.Column("values", sa.JSON(none_as_null=True)),  # none: the golden record would be no more
    prefixes=["TEMPORARY"],
)
_reference = sa.Table(
    "drafted_reference",
    _own,
    sa.Column("golden_id", sa.String(24), primary_key=True),
    sa.Column("field", sa.Text, primary_key=True),
    sa.Column("parent_id", sa.BigInteger, nullable=False, index=True),
    prefixes=["TEMPORARY"],
)
_link = sa.Table(
    "drafted_link",
    _own,
    sa.Column("record_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("golden_id", sa.String(24), nullable=False, index=True),
    prefixes=["TEMPORARY"],
)
TABLES = (_golden, _reference, _link)


def keep(connection: sa.Connection, verdict: Verdict) -> None:
    """Note what a verdict would write; of each golden record and each source record one verdict speaks."""
    entity = verdict.ruleset.entity
    rows: list[tuple[str, str, Any]] = [(draft.id, entity.name, dict(draft.values)) for draft in verdict.changed]
    rows += [(gone.id, entity.name, None) for gone in verdict.judgement.retirements]
    bulk.insert(connection, _golden, ("golden_id", "entity", "values"), rows)
    references = (
        (draft.id, field, SourceKey.parse(draft.values[field]).record_id)
        for draft in verdict.changed
        for field in entity.references
        if draft.values.get(field)
    )
    bulk.insert(connection, _reference, ("golden_id", "field", "parent_id"), references)
    moved = (
        (key.record_id, golden_id)
        for key, (golden_id, _) in sorted(holders(verdict).items())
        if verdict.case.links.get(key) != golden_id
    )
    bulk.insert(connection, _link, ("record_id", "golden_id"), moved)


def touched(connection: sa.Connection) -> list[str]:
    """The golden records that would change, come, go, gain or lose a source record, in order."""
    lost = sa.select(link.c.golden_id).join(_link, _link.c.record_id == link.c.record_id).where(link.c.until.is_(None))
    every = sa.union(sa.select(_golden.c.golden_id), sa.select(_link.c.golden_id), lost).subquery()
    return list(connection.execute(sa.select(every.c.golden_id).order_by(every.c.golden_id)).scalars())


def step(connection: sa.Connection, here: Sequence[str], name: str) -> list[tuple[str, str]]:
    """Pairs of golden records: these, and where one step leads from each."""
    child, _, field = name.partition(".")
    if not field:
        led = [(row[0], row[1]) for row in _LED(connection, here, field=name)]
        held = {row[0]: row[1] for row in _HELD(connection, sorted({parent for _, parent in led}))}
        return [(start, held[parent]) for start, parent in led if parent in held]
    mine = {row[0]: row[1] for row in _HOLDS(connection, here)}
    rows = _REFERRING(connection, sorted(mine), field=field, entity=child)
    return [(mine[parent], golden_id) for golden_id, parent in rows]


def values(connection: sa.Connection, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The values of golden records that would stand; references are golden ids, None while the other is not here."""
    drafted: Mapping[str, Any] = {row[0]: row[1] for row in _VALUES(connection, ids)}
    stored = plans.goldens(connection, [id_ for id_ in ids if id_ not in drafted], live=True)
    said = {id_: one.values for id_, one in stored.items()} | {id_: v for id_, v in drafted.items() if v is not None}
    led = _parents(connection, sorted(said))
    return {id_: {**own, **led.get(id_, {})} for id_, own in said.items()}


def _parents(connection: sa.Connection, ids: Collection[str]) -> dict[str, dict[str, str | None]]:
    """Golden id → reference field → the golden record that would hold what it refers to."""
    rows = [(row[0], row[1], row[2]) for row in _REFERENCES(connection, ids)]
    held = {row[0]: row[1] for row in _HELD(connection, sorted({parent for _, _, parent in rows}))}
    found: dict[str, dict[str, str | None]] = {}
    for golden_id, field, parent in rows:
        found.setdefault(golden_id, {})[field] = held.get(parent)
    return found


_G, _R, _L = golden_reference.c, _reference.c, _link.c
_AS_IT_IS = ~sa.exists().where(_golden.c.golden_id == _G.golden_id)
_WHERE_IT_IS = sa.and_(link.c.until.is_(None), ~sa.exists().where(_L.record_id == link.c.record_id))
_FIELD, _ENTITY = sa.bindparam("field", type_=sa.Text), sa.bindparam("entity", type_=sa.Text)
_LED = Prepared(
    lambda among: sa.union_all(
        sa.select(_G.golden_id, _G.parent_id).where(among(_G.golden_id), _G.field == _FIELD, _AS_IT_IS),
        sa.select(_R.golden_id, _R.parent_id).where(among(_R.golden_id), _R.field == _FIELD),
    )
)
_REFERRING = Prepared(
    lambda among: sa.union_all(
        sa.select(_G.golden_id, _G.parent_id)
        .join(golden, golden.c.id == _G.golden_id)
        .where(
            among(_G.parent_id), _G.field == _FIELD, golden.c.entity == _ENTITY, golden.c.state == "live", _AS_IT_IS
        ),
        sa.select(_R.golden_id, _R.parent_id)
        .join(_golden, _golden.c.golden_id == _R.golden_id)
        .where(among(_R.parent_id), _R.field == _FIELD, _golden.c.entity == _ENTITY),
    )
)
_REFERENCES = Prepared(
    lambda among: sa.union_all(
        sa.select(_G.golden_id, _G.field, _G.parent_id).where(among(_G.golden_id), _AS_IT_IS),
        sa.select(_R.golden_id, _R.field, _R.parent_id).where(among(_R.golden_id)),
    )
)
_HELD = Prepared(
    lambda among: sa.union_all(
        sa.select(link.c.record_id, link.c.golden_id).where(among(link.c.record_id), _WHERE_IT_IS),
        sa.select(_L.record_id, _L.golden_id).where(among(_L.record_id)),
    )
)
_HOLDS = Prepared(
    lambda among: sa.union_all(
        sa.select(link.c.record_id, link.c.golden_id).where(among(link.c.golden_id), _WHERE_IT_IS),
        sa.select(_L.record_id, _L.golden_id).where(among(_L.golden_id)),
    )
)
_VALUES = Prepared(lambda among: sa.select(_golden.c.golden_id, _golden.c["values"]).where(among(_golden.c.golden_id)))
