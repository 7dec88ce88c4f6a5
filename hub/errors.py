"""What can go wrong in the hub itself, named by what the caller should do."""

from __future__ import annotations

from collections.abc import Iterable

from canonical.errors import MasterDataError


class NotFound(MasterDataError):
    """There is no such thing here."""

    code = "HUB-4101"
    hint = "Check the id. A merged golden id still resolves; a source key is written system:entity:key."


class Ambiguous(MasterDataError):
    """More than one record has these values, so none of them is named by it."""

    code = "HUB-4102"
    hint = "Add another value, or list them and choose."


class Conflict(MasterDataError):
    """Somebody else was faster: what you saw has changed, and nothing was done."""

    code = "HUB-4220"
    hint = "Look again and decide on what is there now."


class Contradiction(MasterDataError):
    """The decision contradicts earlier ones."""

    code = "HUB-4221"
    hint = "Undo one of the decisions on the path first."


class KeyReused(MasterDataError):
    """The idempotency key came with another request before; nothing was done."""

    code = "HUB-4222"
    hint = "A new request takes a new Idempotency-Key; the same request is repeated byte for byte."


class StillRunning(MasterDataError):
    """The first request with this idempotency key is under way."""

    code = "HUB-4223"
    retryable = True
    hint = "Repeat it in a moment, with the same key: the answer is kept."


class AnswerLost(MasterDataError):
    """A request was cut off after it had an effect and before its answer was kept; it is not done a second time."""

    code = "HUB-4224"
    hint = "Look at what is there; the audit log has what was done. What is still to do takes a new Idempotency-Key."


class NotPermitted(MasterDataError):
    """The caller's role may not do this."""

    code = "HUB-4302"
    hint = "Ask somebody with the role that is named."


class NotAuthenticated(MasterDataError):
    """No valid API key came with the request."""

    code = "HUB-4301"
    hint = "Send `Authorization: Bearer <API key>`; `hub demo` prints one key per role."


class AllowanceSpent(MasterDataError):
    """The key has asked for as much as it may; nothing was done."""

    code = "HUB-4290"
    retryable = True
    hint = "Come again after the seconds that `Retry-After` says; `RateLimit` tells what is left with each answer."


class OutOfSight(MasterDataError):
    """The scope of the key does not reach this: an entity that it does not see, or a field that is masked for it."""

    code = "HUB-4303"
    hint = "Ask without it, or with a key whose scope has it: `hub keys issue NAME ROLE --entity … --hide …`."


class IssuerUnavailable(MasterDataError):
    """Who signs tokens cannot be asked, so none can be checked."""

    code = "HUB-4304"
    retryable = True
    hint = "Is HUB_OIDC_ISSUER right and reachable? API keys work meanwhile."


class PlanStale(MasterDataError):
    """What the plan was made from has changed; nothing was sent."""

    code = "HUB-4401"
    hint = "Make a new plan: `hub publish plan TARGET`."


class NotApproved(MasterDataError):
    """The plan waits for an approval; nothing was sent."""

    code = "HUB-4402"
    hint = "`hub publish approve PLAN` by somebody else than its author."


class SimulationStale(MasterDataError):
    """The simulation is not of this draft and of what the store holds now; nothing was changed."""

    code = "HUB-4403"
    hint = "Simulate again: `hub rules simulate FILE`; then look at what has changed."


class CursorUnknown(MasterDataError):
    """The cursor is none of this feed, so what comes after it cannot be told without a gap."""

    code = "HUB-4404"
    hint = "Ask for `changesCursor`, read everything once, and go on from that cursor."


class StoreUnavailable(MasterDataError):
    """The database cannot be reached."""

    code = "HUB-1201"
    retryable = True
    hint = "Is it running? HUB_DATABASE_URL says where it is; `hub doctor` looks again."


class StoreBehind(MasterDataError):
    """The database has not the tables of this version."""

    code = "HUB-1202"
    hint = "Run `hub migrate`."


class IngestRefused(MasterDataError):
    """The file cannot be taken in at all; nothing was stored."""

    code = "HUB-3001"
    hint = "Correct what is named and run the same command again."


class InvalidRequest(MasterDataError):
    """The request is not one that can be answered."""

    code = "HUB-6001"
    hint = "Read the message; `hub explain HUB-6001` lists the usual causes."


class RequestTooLarge(MasterDataError):
    """The body of the request is larger than what is read; nothing was done."""

    code = "HUB-6002"
    hint = "Send it in parts: deliveries may be cut between any two lines."


class TookTooLong(MasterDataError):
    """The query was ended because it took longer than one may."""

    code = "HUB-6003"
    retryable = True
    hint = "Ask for fewer records with `first`, or by a filter; HUB_QUERY_SECONDS sets the limit."


class DocumentUnknown(MasterDataError):
    """No document is registered under this hash."""

    code = "HUB-6004"
    hint = "`hub documents add FILE` registers it; `hub documents ls` lists what is there."


class DocumentNotTrusted(MasterDataError):
    """This hub answers registered documents alone."""

    code = "HUB-6005"
    hint = "`hub documents add FILE` registers it; HUB_TRUSTED_ONLY=false answers any."


class IntrospectionOff(MasterDataError):
    """This hub does not tell its schema by queries."""

    code = "HUB-6006"
    hint = "The schema is the file hub/web/graphql/schema.graphql; HUB_INTROSPECTION=true tells it."


class EngineMissing(MasterDataError):
    """What an engine stands on is not installed here."""

    code = "HUB-1203"
    hint = "`pip install concord-hub[spark]`, and Java 17 (JAVA_HOME says where); or leave --engine out."


class TableUnreadable(MasterDataError):
    """A file of records to match cannot be read as a table."""

    code = "HUB-2010"
    hint = "CSV with a header line, JSON Lines or Parquet; nothing was written."


class SpecUnfit(MasterDataError):
    """A matching spec does not fit the table."""

    code = "HUB-2011"
    hint = "`hub match FILE --propose spec.yaml --out clusters.csv` writes one that fits."


def require_reason(reason: str, what: str, hint: str = "Say in a few words why.") -> None:
    """Raise InvalidRequest unless a reason is given for what somebody does."""
    if not reason.strip():
        raise InvalidRequest(f"{what} needs a reason.", hint=hint)


def require_role(role: str, able: Iterable[str]) -> None:
    """Raise NotPermitted unless the role is one of those who may."""
    named = tuple(able)
    if role not in named:
        raise NotPermitted(f"{role} may not do this; {' or '.join(named)} may.")
