"""Code lists that the hub keeps beside the mappings: a mapping's own tables with entries added or replaced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from adapters.mapping_document import EntityMapping

Place = tuple[str, str, str]  # system, entity, canonical field
Codes = Mapping[Place, Mapping[str, Any]]  # the system's code -> the canonical one


def listed(mapped: EntityMapping, system: str, codes: Codes) -> EntityMapping:
    """The mapping of an entity with the entries for one system added to each code table of the field they are for."""
    fields = {
        name: _with(made, codes.get((system, mapped.entity, name), {})) if codes else made
        for name, made in mapped.fields.items()
    }
    return mapped.model_copy(update={"fields": fields})


def _with(made: Any, more: Mapping[str, Any]) -> Any:
    """A source of a value with the entries in all code tables inside it; one without a table stays as it is."""
    if not more:
        return made
    if isinstance(made, dict):
        return {name: _with(part, more) for name, part in made.items()}
    if isinstance(made, list):
        return [_with(part, more) for part in made]
    if not isinstance(made, BaseModel):
        return made
    parts = {name: _with(getattr(made, name), more) for name in made.model_fields_set if name != "codes"}
    if getattr(made, "codes", None) is not None:
        parts["codes"] = {**getattr(made, "codes"), **more}  # noqa: B009 (not every source of a value has a table)
    return made.model_copy(update=parts)
