"""What can go wrong with rules: the document is not one, or a rule cannot be evaluated."""

from __future__ import annotations

from canonical.errors import MasterDataError


class RuleSetInvalid(MasterDataError):
    """A rule document does not say what its schema allows, or contradicts the catalogue."""

    code = "HUB-2101"
    hint = "Correct the place named; the rules in force are unchanged. `hub rules check FILE` tries it."


class RuleFailed(MasterDataError):
    """A condition could not be evaluated, or the two evaluators disagree about it."""

    code = "HUB-2102"
    hint = "This is a fault of the hub, not of the data: report the rule and the facts named."
