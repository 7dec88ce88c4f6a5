"""What mutations answer with: what they did, or why they did nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import graphene

from canonical.errors import MasterDataError


class UserError(graphene.ObjectType):
    """Why a mutation did nothing."""

    code = graphene.NonNull(graphene.String)
    field = graphene.String()
    message = graphene.NonNull(graphene.String)
    hint = graphene.NonNull(graphene.String)


def user_errors() -> graphene.NonNull:
    """The field that every payload has: empty when the mutation did what it says."""
    return graphene.NonNull(graphene.List(graphene.NonNull(UserError)))


def guarded(act: Callable[[], Any], payload: type[Any], **nothing: Any) -> Any:
    """What the act answers, or the payload with the reason why it did nothing."""
    try:
        return act()
    except MasterDataError as error:
        why = UserError(code=error.code, message=error.message, hint=error.hint)
        return payload(user_errors=[why], **nothing)
