"""What a source record may only repeat: values that the hub itself sent to where the record stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from canonical.ids import SourceKey
from canonical.record import SourceRecord
from hub.store.engine import Prepared
from hub.store.tables import golden_version, publication


def published_there(
    connection: sa.Connection, records: Mapping[int, SourceRecord]
) -> dict[SourceKey, Mapping[str, Any]]:
    """Of records in a system that is also a target: what the hub itself published under that key.

    What the hub has of that very record it has not told it, though it was sent back there.
    """
    mine = {(one.key.system, one.key.key): one.key for one in records.values()}
    systems, keys = sorted({system for system, _ in mine}), sorted({key for _, key in mine})
    rows = [row for row in _THERE(connection, keys, systems=systems) if (row[0], row[1]) in mine]
    return {mine[row[0], row[1]]: told(mine[row[0], row[1]], row[2], row[3]) for row in rows}


def told(key: SourceKey, values: Mapping[str, Any], provenance: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Values that were sent, without those which are the word of the record that they were sent to."""
    own = {name for name, one in (provenance or {}).items() if one[0] == str(key)}
    return {name: value for name, value in values.items() if name not in own} if own else values


_SENT = sa.and_(
    golden_version.c.golden_id == publication.c.golden_id,
    golden_version.c.version == publication.c.acknowledged_version,
)
_THERE = Prepared(  # by the index of targets and their keys
    lambda among: (
        sa.select(publication.c.target, publication.c.remote_id, publication.c["values"], golden_version.c.provenance)
        .join(golden_version, _SENT, isouter=True)
        .where(publication.c.target.in_(sa.bindparam("systems", expanding=True)), among(publication.c.remote_id))
    )
)
