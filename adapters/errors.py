"""What can go wrong at the edge, named by what the caller should do."""

from __future__ import annotations

from canonical.errors import MasterDataError


class MappingInvalid(MasterDataError):
    """A mapping names something that is not there, or says something that mappings cannot say."""

    code = "HUB-2104"
    hint = "Correct the place named; nothing was loaded. `hub map check FILE` tries it."


class UnknownSystem(MasterDataError):
    """No source or target of that name is registered."""

    code = "HUB-4001"
    hint = "`hub sources ls` lists them; for a file of your own pass --mapping."


class UnreadableFile(MasterDataError):
    """The file cannot be read at all; nothing was stored."""

    code = "HUB-3002"
    hint = "CSV, JSON Lines and JSON are read; --as names the format if the file's ending does not."


class TargetUnavailable(MasterDataError):
    """The target does not answer; nothing is known to have reached it."""

    code = "HUB-5001"
    retryable = True
    hint = "It is tried again by itself; `hub doctor` says since when."


class TargetRefuses(MasterDataError):
    """The target answers, and does not let us in or does not let us do what we must."""

    code = "HUB-5004"
    hint = "Correct the credentials or the rights of the user that the hub has there; nothing was sent."


class ConnectionInvalid(MasterDataError):
    """A target is configured in a way that cannot work."""

    code = "HUB-5005"
    hint = "Correct the place named in targets.yaml; nothing was sent."


class TargetDamaged(MasterDataError):
    """What the target keeps cannot be read; nothing was sent to it.

    A file in the target's folder was changed or cut off by somebody else.
    """

    code = "HUB-5002"
    hint = "Restore the file named from a copy, or move it away and publish again."


class UnknownOutcome(MasterDataError):
    """The connection was lost after sending; the target may or may not have it.

    Sending the same message again is safe: it carries the same key, and has one effect.
    """

    code = "HUB-5003"
    retryable = True
    hint = "The run goes on where it was; what was being sent is sent again under the same key."
