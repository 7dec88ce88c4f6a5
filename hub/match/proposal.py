"""The spec that a run found, as a document to read, edit and use again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import orjson

from rules.match.fit import Weights
from rules.match.profile import Profile
from rules.match.spec import Spec, model_of


class Found(Protocol):
    """What a run found out."""

    @property
    def spec(self) -> Spec:
        """What it was told."""

    @property
    def profiles(self) -> Mapping[str, Profile]:
        """What the columns hold."""

    @property
    def weights(self) -> Weights:
        """The fitted model."""

    @property
    def once(self) -> bool:
        """Whether sources hold each thing once."""


def proposal(found: Found) -> str:
    """YAML with a comment for each column and the fitted model at the end."""
    lines = [
        "# How to match this table. Edit it and pass it with --spec; leave a line out and it is found out again.",
        f"kind: {found.spec.kind}",
        "columns:  # column: what it holds (or: ignore)",
    ]
    for name, one in found.profiles.items():
        seen = f"{one.why}; filled {one.filled:.0%}, {one.distinct:.0%} different"
        lines.append(f"  {_text(name)}: {one.kind if one.kind != 'empty' else 'ignore'}  # {seen}")
    lines += [
        f"match: {found.spec.match:g}  # log-odds from which two records are joined",
        f"review: {found.spec.review:g}  # log-odds from which a pair is shown to a person",
        f"must: {_list(found.spec.must)}  # columns whose equal values join, whatever else differs",
        f"must_not: {_list(found.spec.must_not)}  # columns whose different values forbid to join",
        "# sources taken to hold each thing once: " + ("all" if found.once else "none"),
        f"seed: {found.spec.seed}",
        "model:  # fitted weights, in log-odds by level, equality last; delete it to fit again",
    ]
    model = model_of(found.weights, found.spec.seed)
    lines += [f"  prior: {model.prior}", f"  seed: {model.seed}", "  levels:"]
    lines += [f"    {_text(name)}: {_list(one)}" for name, one in model.levels.items()]
    lines += ["  u:", *(f"    {_text(name)}: {_list(one)}" for name, one in model.u.items())]
    return "\n".join(lines) + "\n"


def _text(text: str) -> str:
    return orjson.dumps(text).decode()


def _list(values: object) -> str:
    return orjson.dumps(list(values)).decode()  # type: ignore[call-overload]
