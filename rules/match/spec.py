"""What a person may say about matching a table: the kinds of its columns, the bands, hard rules, a fitted model.

`hub match --propose` writes one, commented; `--spec` takes it. Everything left out is found out.
"""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from rules.match.fit import Weights

Log = Annotated[float, Field(ge=-40, le=40)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Model(_Part):
    """Fitted weights: log-odds of each level of each comparison, the highest level being equality."""

    prior: Log = Field(description="Log-odds that two records drawn by chance are one")
    levels: dict[str, tuple[Log, ...]]
    seed: int = 1
    u: dict[str, tuple[float, ...]] = Field(
        description="How often each level occurs between two records drawn by chance"
    )


class Spec(_Part):
    """How to match a table."""

    columns: dict[str, str] = Field(default_factory=dict, description="Column → kind; `ignore` leaves one out")
    kind: Literal["dedupe", "link", "multi"] | None = Field(
        default=None, description="One list, two lists to link, several"
    )
    match: Log = Field(default=0.0, description="Joined from this evidence on (log-odds)")
    review: Log = Field(default=-3.0, description="Shown to a person from this evidence on (log-odds)")
    must: tuple[str, ...] = Field(default=(), description="Equal values in such a column join, whatever else differs")
    must_not: tuple[str, ...] = Field(default=(), description="Different values in such a column forbid to join")
    review_always: tuple[str, ...] = Field(default=(), description="Different values in such a column ask a person")
    once: tuple[str, ...] | None = Field(default=None, description="Sources that hold each thing once")
    alone: bool = Field(default=False, description="Compare nothing that needs the whole table to be weighed")
    seed: int = 1
    model: Model | None = Field(default=None, description="Weights to use as they are instead of fitting")


def model_of(weights: Weights, seed: int) -> Model:
    """The weights as a document."""
    return Model(
        prior=round(weights.prior, 4),
        levels={name: tuple(round(float(x), 4) for x in one) for name, one in weights.levels.items()},
        seed=seed,
        u={name: tuple(float(f"{x:.6g}") for x in one) for name, one in weights.u.items()},
    )


def weights_of(model: Model) -> Weights:
    """The document as weights."""
    return Weights(
        {name: np.array(one, np.float32) for name, one in model.levels.items()},
        model.prior,
        u={name: np.array(one) for name, one in model.u.items()},
    )
