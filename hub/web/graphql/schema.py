"""The schema: put together from topics, each a module with a `Query` mixin, a `Mutation` mixin, or both."""

from __future__ import annotations

from pathlib import Path

import graphene

from canonical.catalogue import ENTITIES
from hub.web.graphql import (
    asking,
    attending,
    books,
    changes,
    codes,
    configuring,
    delegating,
    drift,
    failing,
    keyring,
    overrides,
    publishing,
    reach,
    records,
    rulebook,
    stewardship,
    submitting,
)
from hub.web.graphql.accounting import account
from hub.web.graphql.types import record_type

PRINTED = Path(__file__).with_name("schema.graphql")  # what consumers may rely on; a test compares
TOPICS = (
    records,
    asking,
    stewardship,
    attending,
    overrides,
    codes,
    rulebook,
    configuring,
    drift,
    keyring,
    publishing,
    failing,
    changes,
    books,
    delegating,
    submitting,
)


def build() -> graphene.Schema:
    """The schema of all topics. A new topic is a module beside this one and a line in `TOPICS`."""
    query = _root("Query", "Golden records and what there is to know about them.")
    mutation = _root("Mutation", "What stewards, operators and engineers may do.")
    return account(
        reach.guard(graphene.Schema(query=query, mutation=mutation, types=[record_type(name) for name in ENTITIES]))
    )


def _root(name: str, said: str) -> type[graphene.ObjectType]:
    mixins = [vars(topic)[name] for topic in TOPICS if name in vars(topic)]
    return type(name, (*mixins, graphene.ObjectType), {"__doc__": said})


if __name__ == "__main__":
    PRINTED.write_text(f"{build()}\n", "utf-8")
