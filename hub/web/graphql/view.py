"""POST /graphql: parsed within limits, validated once per document, executed, answered.

The order matters: size, then tokens, then depth, then validation. Each limit is cheaper than what it
protects (a kilobyte of nested fragments costs a naive depth rule a minute).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import orjson
from flask import Blueprint, Response, request
from graphql import DocumentNode, FieldNode, FragmentDefinitionNode, FragmentSpreadNode, GraphQLError, parse, validate
from graphql.execution import execute

from canonical.errors import MasterDataError
from hub.errors import InvalidRequest
from hub.log import logger
from hub.web import auth
from hub.web.graphql.schema import build

MOST_TOKENS = 2000
DEEPEST = 12
LONGEST = 64 * 1024  # characters of a query
routes = Blueprint("graphql", __name__)
_schema = lru_cache(maxsize=1)(lambda: build().graphql_schema)


@routes.post("/graphql")
def answer() -> Response:
    """The answer to a GraphQL request; errors carry code, hint and request id."""
    principal = auth.asking()
    sent = request.get_json(silent=True)
    if not isinstance(sent, dict) or not isinstance(sent.get("query"), str):
        raise InvalidRequest("a GraphQL request is JSON with a `query`.")
    document, errors = _prepared(sent["query"])
    if document is None:
        return _reply({"errors": [_said(error) for error in errors]}, 400)
    context = {"hub": auth.hub(), "principal": principal}
    variables = sent.get("variables") if isinstance(sent.get("variables"), dict) else None
    result: Any = execute(
        _schema(), document, context_value=context, variable_values=variables, operation_name=sent.get("operationName")
    )
    body: dict[str, Any] = {"data": result.data}
    if result.errors:
        body["errors"] = [_said(error) for error in result.errors]
    return _reply(body, 200)


@lru_cache(maxsize=500)
def _prepared(query: str) -> tuple[DocumentNode | None, tuple[GraphQLError, ...]]:
    """The document, if it is small enough, shallow enough and valid; else why not."""
    if len(query) > LONGEST:
        return None, (GraphQLError(f"The query has {len(query)} characters; at most {LONGEST} are read."),)
    try:
        document = parse(query, max_tokens=MOST_TOKENS)
        depth = _depth(document)
    except (GraphQLError, RecursionError) as error:
        return None, (error if isinstance(error, GraphQLError) else GraphQLError("The query is nested too deeply."),)
    if depth > DEEPEST:
        return None, (GraphQLError(f"The query is {depth} levels deep; at most {DEEPEST} are answered."),)
    errors = validate(_schema(), document, max_errors=5)
    return (None, tuple(errors)) if errors else (document, ())


def _depth(document: DocumentNode) -> int:
    """The deepest selection, each fragment measured once."""
    fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
    known: dict[str, int] = {}

    def of(node: Any, within: tuple[str, ...]) -> int:
        deepest = 0
        for inner in node.selection_set.selections if getattr(node, "selection_set", None) else ():
            if isinstance(inner, FragmentSpreadNode):
                name = inner.name.value
                if name not in known and name in fragments and name not in within:
                    known[name] = of(fragments[name], (*within, name))
                deepest = max(deepest, known.get(name, 0))
            else:
                deepest = max(deepest, of(inner, within) + isinstance(inner, FieldNode))
        return deepest

    return max((of(definition, ()) for definition in document.definitions), default=0)


def _said(error: GraphQLError) -> dict[str, Any]:
    """An error for the caller: never an exception's own text unless it is one of ours."""
    cause = error.original_error
    known = cause if isinstance(cause, MasterDataError) else None
    if cause is not None and known is None:
        logger().error("graphql_failed", request_id=request.environ["hub.request_id"], exc_info=cause)
    told = {
        "message": known.message if known else "Internal error." if cause else error.message,
        "locations": [{"line": at.line, "column": at.column} for at in error.locations or ()],
        "extensions": {
            "code": known.code if known else "HUB-1000" if cause else "HUB-6001",
            "hint": known.hint if known else MasterDataError.hint if cause else InvalidRequest.hint,
            "requestId": request.environ["hub.request_id"],
        },
    }
    return told | ({"path": error.path} if error.path else {})


def _reply(body: dict[str, Any], status: int) -> Response:
    return Response(orjson.dumps(body), status, mimetype="application/json")
