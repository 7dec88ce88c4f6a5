"""Documents that people write: YAML read strictly into a Pydantic model, each error with its place.

An unknown key, a wrong type or a broken line is one error that names file, line and column, and the
nearest known word. Rule documents and mappings are both read here.
"""

from __future__ import annotations

from difflib import get_close_matches
from io import StringIO
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from canonical.errors import MasterDataError

Model = TypeVar("Model", bound=BaseModel)
Place = tuple[int, int]


class DocumentInvalid(MasterDataError):
    """A document is not what its schema says."""

    code = "HUB-2004"
    hint = "Correct the place named; nothing was loaded."


def read_document(text: str, model: type[Model], *, name: str, error: type[MasterDataError] = DocumentInvalid) -> Model:
    """The document as its model. `name` is what the message calls it; raises `error` with file:line:column."""
    try:
        tree = YAML(typ="rt").load(text)
    except MarkedYAMLError as problem:
        mark = problem.problem_mark
        place = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise failure(error, name, place, str(problem.problem or "not YAML")) from None
    except YAMLError as problem:  # a character that no document may hold
        raise failure(error, name, (1, 1), str(problem).splitlines()[0]) from None
    if not isinstance(tree, dict):
        raise failure(error, name, (1, 1), "a document is a mapping of keys to values")
    try:
        return model.model_validate(plain(tree))
    except ValidationError as problem:
        found = problem.errors(include_url=False)
        first = next(
            (one for one in found if one["type"] == "extra_forbidden"), found[0]
        )  # a misspelt key explains the rest
        path = tuple(part for part in first["loc"])
        raise failure(error, name, place_of(tree, path), _words(first, path, model)) from None


def written(tree: dict[str, Any]) -> str:
    """A tree of plain values as the text of a document."""
    with StringIO() as out:
        YAML(typ="rt").dump(tree, out)
        return out.getvalue()


def amended(text: str, section: str, changes: dict[str, Any]) -> str:
    """The document with some entries of a section set; everything else, comments too, as it is written."""
    yaml = YAML(typ="rt")
    yaml.width, yaml.preserve_quotes = 120, True
    tree = yaml.load(text)
    tree[section] |= changes
    with StringIO() as out:
        yaml.dump(tree, out)
        return out.getvalue()


def place_in(text: str, path: tuple[int | str, ...]) -> Place:
    """Line and column (from 1) of the deepest node on the path that the document has."""
    return place_of(YAML(typ="rt").load(text), path)


def failure(error: type[MasterDataError], name: str, place: Place, words: str) -> MasterDataError:
    """The error, saying where."""
    line, column = place
    return error(f"{name}:{line}:{column} {words}", file=name, line=line, column=column)


def place_of(tree: Any, path: tuple[int | str, ...]) -> Place:
    """Line and column (from 1) of the deepest node on the path that the document has."""
    place = (1, 1)
    for part in path:
        marks = getattr(tree, "lc", None)
        try:
            if isinstance(tree, dict) and part in tree and marks is not None:
                line, column = marks.key(part)
            elif isinstance(tree, list) and isinstance(part, int) and marks is not None:
                line, column = marks.item(part)
            else:
                continue  # a part that Pydantic adds, such as the branch of a union
            tree = tree[part]
        except (KeyError, IndexError, TypeError):
            break
        place = (line + 1, column + 1)
    return place


def plain(node: Any) -> Any:
    """The tree without its marks: dicts, lists and scalars only."""
    if isinstance(node, dict):
        return {str(key): plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [plain(value) for value in node]
    return node


def _words(first: Any, path: tuple[int | str, ...], model: type[BaseModel]) -> str:
    where = ".".join(str(part) for part in path)
    if first["type"] != "extra_forbidden":
        return f"{where}: {first['msg']}"
    near = get_close_matches(str(path[-1]), _words_of(model), n=1)
    return f"{where}: unknown key." + (f" Did you mean {near[0]!r}?" if near else "")


def _words_of(model: type[BaseModel]) -> list[str]:
    """Every key that the document may hold anywhere, for suggestions."""
    schema = model.model_json_schema()
    parts = [schema, *schema.get("$defs", {}).values()]
    return sorted({name for part in parts for name in part.get("properties", {})})
