"""/graphql by the GraphQL-over-HTTP specification: parsed within limits, validated once, measured, executed, answered.

The order matters: size, then tokens, then depth and cost, then validation. Each limit is cheaper than what
it protects. POST takes JSON; GET answers queries, never mutations. With `application/graphql-response+json`
a document that cannot be executed is a 400; with `application/json` every well-formed request is a 200.
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any

import orjson
from flask import Blueprint, Response, g, request
from graphql import (
    DocumentNode,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    get_operation_ast,
    parse,
    validate,
)

from canonical.errors import MasterDataError
from hub.errors import InvalidRequest
from hub.log import logger
from hub.store.access import Principal
from hub.store.engine import within
from hub.web import auth
from hub.web.graphql.accounting import note_read
from hub.web.graphql.budget import Measure, measured, refuse
from hub.web.graphql.compiled import Compiled
from hub.web.graphql.schema import build
from hub.web.graphql.trusted import introspects, query_of, unsuggested
from hub.web.limits import spend
from hub.web.once import FAILED, once

MOST_TOKENS = 2000
LONGEST = 64 * 1024  # characters of a query
MODERN, PLAIN = "application/graphql-response+json", "application/json"
routes = Blueprint("graphql", __name__)
_schema = lru_cache(maxsize=1)(lambda: build().graphql_schema)


class _Refused(Exception):
    """A request that is no GraphQL request."""

    def __init__(self, status: int, message: str, *, cause: MasterDataError | None = None) -> None:
        super().__init__(message)
        self.status, self.cause = status, cause


@routes.route("/graphql", methods=["GET", "POST"])
def answer() -> Response:
    """The answer to a GraphQL request; errors carry code, hint, where they are explained, and the request id."""
    form = _form()
    try:
        if form is None:
            raise _Refused(406, f"the answer is {MODERN} or {PLAIN}.")
        principal = auth.asking()
        asked = _asked()
    except _Refused as refused:
        told = {"errors": [_said(GraphQLError(str(refused), original_error=refused.cause))]}
        return _reply(told, refused.status, form or PLAIN)
    compiled, errors = _prepared(asked["query"])
    cost = 0
    if compiled is not None:
        cost, errors = _fits(compiled.document, asked)
    spend(auth.hub(), principal, cost)
    if compiled is None or errors:
        return _reply({"errors": [_said(error) for error in errors]}, 400 if form == MODERN else 200, form)
    run = partial(_executed, compiled, asked, principal, form=form, cost=cost)
    operation = get_operation_ast(compiled.document, asked["operationName"])
    if operation is None or operation.operation is not OperationType.MUTATION:
        with within(auth.hub().settings.query_seconds):
            answered = run()
        name = operation.name.value if operation and operation.name else None
        note_read(auth.hub(), principal, _schema(), asked["query"], name)
        return answered
    return once(auth.hub(), principal, run)


def _executed(compiled: Compiled, asked: dict[str, Any], principal: Principal, *, form: str, cost: int) -> Response:
    context = {"hub": auth.hub(), "principal": principal}
    result = compiled.execute(asked["operationName"], asked["variables"], context)
    body: dict[str, Any] = {"data": result.data, "extensions": {"cost": cost}}
    if result.errors:
        body["errors"] = [_said(error) for error in result.errors]
    started = "data" in body and (result.data is not None or not result.errors)
    return _reply(body, 200 if started or form == PLAIN else 400, form)


def _form() -> str | None:
    """The media type that the caller wants; None when it takes neither."""
    wanted = request.accept_mimetypes
    if not wanted or MODERN in [value for value, _ in wanted]:
        return MODERN if wanted else PLAIN
    best = wanted.best_match([PLAIN, MODERN])
    return best or None


def _asked() -> dict[str, Any]:
    """Query, variables and operation name as they were sent. Raises _Refused."""
    if request.method == "POST" and request.mimetype != PLAIN:
        raise _Refused(415, f"a GraphQL request is sent as {PLAIN}.")
    sent: Any = _in_address() if request.method == "GET" else request.get_json(silent=True)
    if not isinstance(sent, dict):
        raise _Refused(400, "a GraphQL request is one JSON object; batches are not answered.")
    kinds = {"query": str, "operationName": str, "variables": dict, "extensions": dict, "documentId": str}
    for name, kind in kinds.items():
        if sent.get(name) is not None and not isinstance(sent[name], kind):
            raise _Refused(400, f"`{name}` is {'a text' if kind is str else 'an object'} in a GraphQL request.")
    try:
        query = query_of(auth.hub().settings, sent)
    except MasterDataError as error:
        raise _Refused(400, error.message, cause=error) from error
    if query is None:
        raise _Refused(400, "a GraphQL request has a `query`.")
    return {name: sent.get(name) for name in kinds} | {"query": query}


def _in_address() -> dict[str, Any]:
    """What a GET says. Raises _Refused."""
    said = request.args
    sent: dict[str, Any] = {name: said[name] for name in ("query", "operationName", "documentId") if name in said}
    for name in {"variables", "extensions"} & said.keys():
        try:
            sent[name] = orjson.loads(said[name])
        except orjson.JSONDecodeError:
            raise _Refused(400, f"`{name}` is no JSON.") from None
    return sent


@lru_cache(maxsize=500)
def _prepared(query: str) -> tuple[Compiled | None, tuple[GraphQLError, ...]]:
    """The document, if it is small enough, shallow enough and valid; else why not."""
    if len(query) > LONGEST:
        return None, (GraphQLError(f"The query has {len(query)} characters; at most {LONGEST} are read."),)
    try:
        document = parse(query, max_tokens=MOST_TOKENS)
        refuse(measured(document))
    except (GraphQLError, RecursionError) as error:
        return None, (error if isinstance(error, GraphQLError) else GraphQLError("The query is nested too deeply."),)
    errors = validate(_schema(), document, max_errors=5)
    return (None, tuple(errors)) if errors else (Compiled(_schema(), document), ())


def _fits(document: DocumentNode, asked: dict[str, Any]) -> tuple[int, tuple[GraphQLError, ...]]:
    """The cost, and what the request adds: an operation that is there, reads only by GET, and is within the budget."""
    operation = get_operation_ast(document, asked["operationName"])
    if not isinstance(operation, OperationDefinitionNode):
        return 0, (GraphQLError("Name one of the document's operations as `operationName`."),)
    if request.method == "GET" and operation.operation is not OperationType.QUERY:
        return 0, (GraphQLError("GET answers queries; send a mutation by POST."),)
    if refused := introspects(auth.hub().settings, _schema(), asked["query"]):
        return 0, refused
    try:
        measure: Measure = measured(document, asked["variables"])
        refuse(measure)
    except GraphQLError as error:
        return 0, (error,)
    return measure.cost, ()


def _said(error: GraphQLError) -> dict[str, Any]:
    """An error for the caller: never an exception's own text unless it is one of ours."""
    cause = error.original_error
    known = cause if isinstance(cause, MasterDataError) else None
    if cause is not None and known is None:
        logger().error("graphql_failed", request_id=request.environ["hub.request_id"], exc_info=cause)
    if cause is not None and (known is None or known.retryable):
        setattr(g, FAILED, True)
    code = known.code if known else "HUB-1000" if cause else "HUB-6001"
    told: dict[str, Any] = {
        "message": known.message
        if known
        else "Internal error."
        if cause
        else unsuggested(auth.hub().settings, error.message),
        "extensions": {
            "code": code,
            "hint": known.hint if known else MasterDataError.hint if cause else InvalidRequest.hint,
            "docUrl": f"{request.url_root}api/errors/{code}",
            "requestId": request.environ["hub.request_id"],
        },
    }
    if error.locations:
        told["locations"] = [{"line": at.line, "column": at.column} for at in error.locations]
    return told | ({"path": error.path} if error.path else {})


def _reply(body: dict[str, Any], status: int, form: str) -> Response:
    return Response(orjson.dumps(body), status, content_type=f"{form}; charset=utf-8")
