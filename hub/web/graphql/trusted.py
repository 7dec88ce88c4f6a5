"""Documents by their SHA-256: a caller names one that is registered, and by a setting nothing else is answered.

They are files `<sha256>.graphql` in the folder `documents` of the hub, deployed like its configuration.
A caller sends `documentId` (the hash, also as `sha256:<hash>`) or Apollo's `extensions.persistedQuery.sha256Hash`
instead of `query`. Nothing that a caller sends is ever registered.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
from graphql import GraphQLError, GraphQLSchema, NoSchemaIntrospectionCustomRule, parse, validate

from hub.errors import DocumentNotTrusted, DocumentUnknown, IntrospectionOff, InvalidRequest
from hub.settings import Settings

_HASH = re.compile(r"(?:sha256:)?([0-9a-f]{64})")
_SUGGESTED = re.compile(r" Did you mean .*?\?")


def query_of(settings: Settings, sent: Mapping[str, Any]) -> str | None:
    """The text that a request asks to be executed. Raises DocumentUnknown, DocumentNotTrusted, InvalidRequest."""
    query, named = sent.get("query"), _named(sent)
    text = None
    if named is not None:
        text = _registered(settings.dir, named)
        if query is not None and sha256(query.encode()).hexdigest() != named:
            raise InvalidRequest("the document is not the one that its hash names.", hint="Send one of the two.")
        if text is None and query is None:
            raise DocumentUnknown(f"no document is registered under {named}.")
    elif settings.trusted_only and query is not None:
        text = _registered(settings.dir, sha256(query.encode()).hexdigest())
    if settings.trusted_only and text is None and (query or named):
        raise DocumentNotTrusted("this hub answers registered documents alone, and this is none.")
    return text if text is not None else query


def introspects(settings: Settings, schema: GraphQLSchema, query: str) -> tuple[GraphQLError, ...]:
    """Why a query that asks for the schema is not answered; nothing where the schema may be asked for."""
    if settings.introspection or not _asks_schema(schema, query):
        return ()
    return (GraphQLError("", original_error=IntrospectionOff("this hub does not tell its schema.")),)


def unsuggested(settings: Settings, message: str) -> str:
    """A message that does not tell by suggestions what the schema would not."""
    return message if settings.introspection else _SUGGESTED.sub("", message)


def register(folder: Path, schema: GraphQLSchema, path: Path) -> list[str]:
    """Register what a file holds: a document, or a map of documents as Relay, Apollo or graphql-codegen write it.

    The hashes, in the order of the file. Raises InvalidRequest; nothing is registered then.
    """
    texts = list(_texts(path))
    for text in texts:
        try:
            errors = validate(schema, parse(text))
        except GraphQLError as error:
            errors = [error]
        if errors:
            raise InvalidRequest(f"{path.name}: {errors[0].message}", hint="Nothing was registered.")
    (folder / "documents").mkdir(parents=True, exist_ok=True)
    hashes = [sha256(text.encode()).hexdigest() for text in texts]
    for name, text in zip(hashes, texts, strict=True):
        _path(folder, name).write_bytes(text.encode())
    return hashes


def registered(folder: Path) -> list[tuple[str, str]]:
    """All documents: hash and first line, by hash."""
    found = [(path.stem, path.read_text("utf-8")) for path in sorted((folder / "documents").glob("*.graphql"))]
    return [(name, text.strip().partition("\n")[0][:80]) for name, text in found]


def withdraw(folder: Path, name: str) -> bool:
    """Answer a document no longer; whether it was registered."""
    known = _HASH.fullmatch(name) is not None and _path(folder, name).exists()
    if known:
        _path(folder, name).unlink()
    return known


def _named(sent: Mapping[str, Any]) -> str | None:
    persisted = (sent.get("extensions") or {}).get("persistedQuery")
    named = sent.get("documentId") or (persisted.get("sha256Hash") if isinstance(persisted, dict) else None)
    if named is None:
        return None
    found = _HASH.fullmatch(named) if isinstance(named, str) else None
    if found is None:
        raise InvalidRequest("a document is named by its SHA-256 in 64 hexadecimal digits, small letters.")
    return found[1]


def _registered(folder: Path, name: str) -> str | None:
    try:
        text = _path(folder, name).read_bytes()
    except FileNotFoundError:
        return None
    return text.decode() if sha256(text).hexdigest() == name else None


def _path(folder: Path, name: str) -> Path:
    return folder / "documents" / f"{name}.graphql"


def _texts(path: Path) -> Iterator[str]:
    if path.suffix != ".json":
        yield path.read_bytes().decode()
        return
    held = orjson.loads(path.read_bytes())
    if isinstance(held, dict) and isinstance(held.get("operations"), list):  # Apollo's manifest
        held = {one.get("id"): one.get("body") for one in held["operations"]}
    if not isinstance(held, dict) or not all(isinstance(text, str) for text in held.values()):
        raise InvalidRequest(f"{path.name} is no map of documents.", hint="Hash → text, in one JSON object.")
    for name, text in held.items():
        if sha256(text.encode()).hexdigest() != str(name).removeprefix("sha256:"):
            raise InvalidRequest(f"{path.name}: {name} is not the SHA-256 of its document.", hint="Choose SHA-256.")
        yield text


@lru_cache(maxsize=500)
def _asks_schema(schema: GraphQLSchema, query: str) -> bool:
    return bool(validate(schema, parse(query), [NoSchemaIntrospectionCustomRule]))
