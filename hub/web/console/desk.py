"""Pages of the desk: the queue, a question seen whole, what was decided, and how to take it back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from canonical.catalogue import ENTITIES
from canonical.errors import MasterDataError
from canonical.ids import SourceKey
from hub import backlog, queries
from hub.attending import MAY_ATTEND
from hub.comparing import comparison
from hub.hours import aged
from hub.store import queue
from hub.store.access import Principal
from hub.store.engine import reading
from hub.web import auth
from hub.web.console import charts
from hub.web.console.acting import attempt, said, whole

routes = Blueprint("desk", __name__)
PAGE = 50
LOOKED = "looked at side by side"
WORDS = {"same": "merged", "different": "kept apart", "related": "kept apart as related"}


@routes.get("/review")
def review() -> str | Response:
    """The queue: open questions by what they hold up, then money, then time; filters, counts, ages."""
    who = auth.visitor()
    hub, now = auth.hub(), auth.hub().clock()
    wanted = _wanted()
    found = backlog.backlog(hub.engine, wanted, who.name, now)
    if "next" in request.args and found.questions:
        return _to_next(found, who.name)
    start = max(0, request.args.get("from", 0, int))
    page = found.questions[start : start + PAGE]
    return render_template(
        "review.html", title="Review", found=found, page=page, start=start, wanted=wanted, now=now, kept=_kept(),
        details=backlog.details(hub.engine, [one.id for one in page]), ages=charts.bars(_ages(found)),
        any_records=_any_records(), aged=aged, sorts=backlog.SORTS,
        more=start + PAGE if len(found.questions) > start + PAGE else None,
    )  # fmt: skip


@routes.get("/review/numbers")
def numbers() -> str:
    """The queue in numbers: opened and answered per day, and how the scores and the answers go together."""
    auth.visitor()
    hub, now = auth.hub(), auth.hub().clock()
    entity = request.args.get("entity", "account")
    if entity not in ENTITIES:
        entity = "account"
    bands = hub.rulesets[entity].document.matching
    with reading(hub.engine) as connection:
        rows, scored = queue.settled(connection, now - timedelta(days=15)), queue.scored(connection, entity)
    return render_template(
        "numbers.html", title="The queue in numbers", entity=entity, days=charts.backlog(rows, now),
        scores=charts.histogram(scored, (bands.review, bands.match)), bands=bands,
    )  # fmt: skip


@routes.get("/review/<task>")
def question(task: str) -> str:
    """Two records side by side, what they would be as one, what speaks for it, and who would be told."""
    who = auth.visitor()
    hub, now = auth.hub(), auth.hub().clock()
    if who.role in MAY_ATTEND and session.get("claims", True):
        _hold(who, task)
    seen = comparison(hub.engine, hub.rulesets, task, now)
    proof = seen.evidence
    return render_template(
        "question.html", title="Same or not?", seen=seen, task=seen.task, now=now, kept=_kept(), letters=_letters,
        chart=charts.waterfall(proof["parts"], proof["score"], (seen.review, seen.match)) if proof else None,
        due=seen.task["opened_at"] + backlog.LEVELS[seen.task["kind"]], aged=aged,
        holder=seen.attention.held_by(now),
    )  # fmt: skip


@routes.post("/review/<task>")
def decide(task: str) -> Response:
    """Answer a question and go to the next, with a way to take it back."""

    def act(who: Principal) -> str:
        answer = said("answer")
        made = auth.hub().desk(who).answer(task, answer, said("reason") or LOOKED, seen=said("seen") or None)
        left = backlog.backlog(auth.hub().engine, _wanted(), who.name, auth.hub().clock())
        return f"{WORDS[answer].capitalize()}. {len(left.questions)} left.|undo:{made}"

    if said("answer") in ("snooze", "comment", "claim", "release", "wake"):
        return _attend(task, said("answer"))
    return _undoable(act, ("desk.review", {"next": task, **_kept()}), ("desk.question", {"task": task, **_kept()}))


@routes.post("/review/bulk")
def bulk() -> Response:
    """Answer the questions that were ticked, in one step."""

    def act(who: Principal) -> str:
        chosen = request.form.getlist("task")[:PAGE]
        made = auth.hub().desk(who).answer_all(chosen, said("answer"), said("reason") or LOOKED)
        told = "".join(f" Skipped: {why}" for _, why in made.skipped[:3])
        return f"{len(made.made)} of {len(chosen)} {WORDS[said('answer')]}.{told}|batch:{made.id}"

    return _undoable(act, ("desk.review", _kept()), ("desk.review", _kept()))


@routes.post("/undo/<decision>")
def undo(decision: str) -> Response:
    """Take a decision back."""

    def act(who: Principal) -> str:
        auth.hub().desk(who).undo(decision)
        return "Undone. Everything is as it was."

    return attempt(act, "desk.decisions" if said("back") == "decisions" else "desk.review", **_kept())


@routes.post("/undo/batch/<batch>")
def undo_batch(batch: str) -> Response:
    """Take a batch of decisions back."""

    def act(who: Principal) -> str:
        count = auth.hub().desk(who).undo_batch(batch)
        return f"{count} decisions undone. Everything is as it was."

    return attempt(act, "desk.decisions" if said("back") == "decisions" else "desk.review", **_kept())


@routes.post("/detach")
def detach() -> Response:
    """Take a source record out of its golden record."""

    def act(who: Principal) -> str:
        made = auth.hub().desk(who).detach(SourceKey.parse(said("key")), said("reason"), block=said("block") != "no")
        return f"Detached: {len(made)} decision{'s' if len(made) != 1 else ''}, each of which can be undone."

    return attempt(act, "console.record", entity=said("entity"), asked=said("golden"))


@routes.post("/split")
def split() -> Response:
    """Take several source records out of their golden record together."""

    def act(who: Principal) -> str:
        keys = [SourceKey.parse(key) for key in request.form.getlist("key")]
        made = auth.hub().desk(who).split(keys, said("reason"), block=said("block") != "no")
        return f"Split by {len(made.made)} decisions.|batch:{made.id}"

    where = {"entity": said("entity"), "asked": said("golden")}
    return _undoable(act, ("console.record", where), ("console.record", where))


@routes.post("/unmerge")
def unmerge() -> Response:
    """Part what was merged."""

    def act(who: Principal) -> str:
        made = auth.hub().desk(who).undo_merge(said("merged"), said("reason"), block=said("block") != "no")
        return f"Parted by {len(made.made)} decisions.|batch:{made.id}"

    where = {"entity": said("entity"), "asked": said("golden")}
    return _undoable(act, ("console.record", where), ("console.record", where))


@routes.get("/decisions")
def decisions() -> str:
    """What people decided, the newest first; each, and each batch, can be taken back."""
    who = auth.visitor()
    rows = queries.decisions(auth.hub().engine)
    mine, kind = "mine" in request.args, request.args.get("kind", "")
    shown = [row for row in rows if (not mine or row["author"] == who.name) and kind in ("", row["kind"])]
    return render_template("decisions.html", title="Decisions", rows=shown, all=len(rows), mine=mine, kind=kind)


def _attend(task: str, what: str) -> Response:
    def act(who: Principal) -> str:
        desk = auth.hub().attending(who)
        match what:
            case "snooze":
                until = auth.hub().clock() + timedelta(days=whole("days") or 1)
                desk.snooze(task, until, said("reason"))
                return f"Put off until {until:%-d %b %H:%M} UTC."
            case "wake":
                desk.wake(task)
                return "Asked again."
            case "comment":
                desk.say(task, said("body"))
                return "Said; it stays with the two records."
            case "release":
                desk.release(task)
                return "Anybody may answer it now."
            case _:
                taken = desk.claim(task, take_over=True, note=said("body"))
                return f"Yours until {taken.until:%H:%M} UTC" + (
                    f"; {taken.taken_from} is told." if taken.taken_from else "."
                )

    if what == "snooze":
        return attempt(act, "desk.review", **{"next": task, **_kept()})
    return attempt(act, "desk.question", task=task, **_kept())


def _hold(who: Principal, task: str) -> None:
    """Hold the question for whoever opens it, unless somebody else holds it or it is closed: the page says so."""
    try:
        auth.hub().attending(who).claim(task)
    except MasterDataError as error:
        if error.code not in ("HUB-4220", "HUB-4101"):
            raise


def _undoable(
    act: Callable[[Principal], str], done: tuple[str, dict[str, Any]], kept: tuple[str, dict[str, Any]]
) -> Response:
    """Act, say what came of it with a button that takes it back, and go on; or stay and say why not."""
    auth.check_form()
    try:
        message, _, undo = act(auth.visitor()).partition("|")
    except MasterDataError as error:
        flash(f"{error.message} {error.hint} ({error.code})", "problem")
        return _go(*kept)
    session["undo"] = undo
    flash(message, undo)
    return _go(*done)


def _wanted() -> backlog.Filter:
    given = request.args
    return backlog.Filter(
        entity=given.get("entity", ""), kind=given.get("kind", ""), age=given.get("age", ""), who=given.get("who", ""),
        blocks=given.get("blocks", ""), asleep="asleep" in given, text=given.get("q", "").strip(),
        sort=given.get("sort", "priority"),
    )  # fmt: skip


def _kept() -> dict[str, str]:
    """The filter, to stay in it."""
    names = ("entity", "kind", "age", "who", "blocks", "asleep", "q", "sort")
    return {name: request.args[name] for name in names if request.args.get(name)}


def _to_next(found: backlog.Backlog, me: str) -> Response:
    """The next question that was not skipped and that nobody else holds; with none of those, the first."""
    if "skip" in request.args:
        session["skipped"] = [*session.get("skipped", []), request.args["next"]][-PAGE:]
    passed = {*session.get("skipped", []), request.args["next"]}
    free = [one.id for one in found.questions if one.holder in (None, me)]
    following = next((id_ for id_ in free if id_ not in passed), None)
    if following is None:
        session.pop("skipped", None)
        following = next(iter(free), found.questions[0].id)
    return _go("desk.question", {"task": following, **_kept()})


def _go(page: str, where: dict[str, Any]) -> Response:
    return redirect(url_for(page, **where))


def _any_records() -> bool:
    with reading(auth.hub().engine) as connection:
        return queue.any_records(connection)


def _ages(found: backlog.Backlog) -> dict[str, float]:
    return {name: found.ages.get(name, 0) for name, _ in backlog.AGES}


def _letters(left: Any, right: Any) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    return charts.letters(queries.shown(left), queries.shown(right))
