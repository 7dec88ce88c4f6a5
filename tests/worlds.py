"""Small worlds for tests: payloads in a plain shape, a mapping for them, and what came of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import StringIO
from typing import Any

import sqlalchemy as sa
from ruamel.yaml import YAML

from adapters.decode import decode
from adapters.mapping import MappedSource, load
from canonical.catalogue import ENTITIES
from canonical.entity import EntityType
from hub.flow.ingest import Delivery, Report, ingest
from hub.store.engine import reading, writing
from hub.store.tables import metadata
from hub.wiring import Hub
from rules.ruleset import load as load_rules
from rules.ruleset import shipped

MAPPING = """
system: {path: system, codes: {crm: crm, billing: billing, support: support, erp: erp, shop: shop, usage: usage}}
entities:
  - entity: account
    when: {path: kind, is: account}
    key: key
    version: version
    asserted_at: at
    deleted: {path: gone, is: true}
    replaced_by: {path: replaced_by, empty: absent}
    fields:
      legal_name: name
      trading_name: trading_name
      email: email
      phone: phone
      domain: domain
      status: status
      industry: industry
      payment_terms: terms
      parent: {reference: account, key: parent}
      external_number: number
      billing_address: {object: {line1: street, city: city, postcode: postcode, country: country}}
      tax_id: {object: {number: tax, country: country}, needs: number}
  - entity: invoice
    when: {path: kind, is: invoice}
    key: key
    version: version
    asserted_at: at
    fields:
      number: number
      status: status
      issued_on: issued
      account: {reference: account, key: account}
      subscription: {reference: subscription, key: contract}
      subtotal: {money: {amount: net, currency: currency}}
      total: {money: {amount: gross, currency: currency}}
      currency: currency
      lines: {each: lines, as: {key: id, amount: {money: {amount: net, currency: $.currency}}}}
"""


def _plain(entity: EntityType, field: str) -> str:
    """A field in the system's own keys and canonical words."""
    target = entity.references.get(field)
    return f"{field}: {{reference: {target}, key: {field}}}" if target else f"{field}: {field}"


PLAIN = "".join(  # the other entities, in canonical words
    f"""
  - entity: {name}
    when: {{path: kind, is: {name}}}
    key: key
    asserted_at: at
    fields: {{{", ".join(_plain(entity, field) for field in entity.fields)}}}
"""
    for name, entity in ENTITIES.items()
    if name not in ("account", "invoice")
)
SOURCE: MappedSource = load(MAPPING + PLAIN, "tests.yaml")
_serial = iter(range(10**9))


@dataclass(frozen=True)
class Outcome:
    """What a hub has come to: who is who, and what is agreed; golden ids left out."""

    clusters: frozenset[frozenset[str]]
    values: Mapping[frozenset[str], str]
    provenance: Mapping[frozenset[str], str]
    tasks: frozenset[tuple[str, str, str]]


def account(system: str, key: str, **fields: Any) -> dict[str, Any]:
    """The payload of an account."""
    return {"system": system, "kind": "account", "key": key, "at": "2026-01-01T00:00:00Z", **fields}


def invoice(system: str, key: str, **fields: Any) -> dict[str, Any]:
    """The payload of an invoice."""
    return {"system": system, "kind": "invoice", "key": key, "at": "2026-01-01T00:00:00Z", **fields}


def deliver(hub: Hub, payloads: Iterable[Mapping[str, Any]]) -> Report:
    """Take payloads in as one delivery."""
    lines = [decode(json.dumps(payload), number) for number, payload in enumerate(payloads, 1)]
    delivery = Delivery("test", f"delivery {next(_serial)}", lines)
    return ingest(hub.engine, hub.rulesets, SOURCE, delivery, clock=hub.clock)


def rules_text(entity: str, parts: Mapping[str, Any]) -> str:
    """The shipped document of an entity with these parts in place of its own."""
    reader = YAML(typ="safe")
    with StringIO() as written:
        reader.dump({**reader.load(shipped()[entity].text), **parts}, written)
        return written.getvalue()


def enforce(hub: Hub, entity: str, parts: Mapping[str, Any]) -> None:
    """Put the shipped rules of an entity in force with these parts of the document in place of theirs."""
    made = load_rules(rules_text(entity, parts), f"{entity}.yaml")
    with writing(hub.engine) as connection:
        table = metadata.tables["ruleset"]
        connection.execute(sa.update(table).where(table.c.entity == entity).values(state="retired"))
        connection.execute(sa.delete(table).where(table.c.version == made.version))
        row = {"version": made.version, "entity": entity, "document": made.text, "state": "live"}
        connection.execute(sa.insert(table).values(**row, activated_at=hub.clock()))


def outcome(hub: Hub) -> Outcome:
    """What the hub has come to."""
    text = sa.text
    with reading(hub.engine) as connection:
        links = connection.execute(
            text(
                "select l.golden_id, r.system || ':' || r.entity || ':' || r.key "
                "from link l join record r on r.id = l.record_id join golden g on g.id = l.golden_id "
                "where l.until is null and g.state = 'live' and r.state = 'live'"
            )
        ).all()
        members: dict[str, set[str]] = {}
        for golden_id, key in links:
            members.setdefault(golden_id, set()).add(key)
        tables = metadata.tables
        version, golden = tables["golden_version"], tables["golden"]
        query = sa.select(golden.c.id, version.c["values"], version.c.provenance)
        query = query.join(version, sa.and_(version.c.golden_id == golden.c.id, version.c.version == golden.c.version))
        rows = connection.execute(query.where(golden.c.state == "live")).all()
        asked = connection.execute(
            text(
                "select t.kind, l.system || ':' || l.key, r.system || ':' || r.key "
                "from task t join record l on l.id = t.left_id "
                "join record r on r.id = t.right_id where t.state = 'open'"
            )
        ).all()
    held = {golden_id: frozenset(keys) for golden_id, keys in members.items()}
    return Outcome(
        clusters=frozenset(held.values()),
        values={held[row[0]]: json.dumps(row[1], sort_keys=True) for row in rows},
        provenance={held[row[0]]: json.dumps(row[2], sort_keys=True) for row in rows},
        tasks=frozenset((kind, *sorted((left, right))) for kind, left, right in asked),
    )


def golden_of(hub: Hub, key: str) -> Mapping[str, Any]:
    """The golden record that holds a source record."""
    from hub import queries

    return queries.record(hub.engine, key).golden


def empty(hub: Hub) -> None:
    """Forget everything but the rules."""
    with writing(hub.engine) as connection:
        names = [table.name for table in metadata.sorted_tables if table.name != "ruleset"]
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("truncate " + ", ".join(f'"{name}"' for name in names) + " restart identity"))
            return
        connection.execute(sa.text("pragma defer_foreign_keys = on"))
        for name in reversed(names):
            connection.execute(sa.text(f'delete from "{name}"'))
