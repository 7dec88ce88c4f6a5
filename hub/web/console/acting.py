"""What forms do: act as whoever is signed in, say what came of it, and lead back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from canonical.errors import MasterDataError
from hub.errors import InvalidRequest
from hub.store.access import Principal
from hub.web import auth


def attempt(act: Callable[[Principal], str], page: str, *roles: str, **where: object) -> Response:
    """Act if the role may, tell what came of it or why nothing did, and go to the page."""
    auth.check_form()
    principal = auth.visitor()
    try:
        if roles:
            auth.require(principal, *roles)
        flash(act(principal), "done")
    except MasterDataError as error:
        flash(f"{error.message} {error.hint} ({error.code})", "problem")
    return redirect(url_for(page, **where))  # type: ignore[arg-type]


def whole(name: str, *, most: int = 365) -> int:
    """A whole number from the form, 0 where the field is empty. Raises InvalidRequest."""
    text = said(name)
    if text and not (text.isascii() and text.isdigit() and int(text[:9]) <= most):
        raise InvalidRequest(
            f"{text[:20]!r} is no whole number from 0 to {most}; nothing was changed.", hint="Write a whole number."
        )
    return int(text or 0)


def day_of(name: str) -> date:
    """A day from the form. Raises InvalidRequest."""
    try:
        return date.fromisoformat(said(name))
    except ValueError:
        raise InvalidRequest(
            f"{said(name)[:20]!r} is no day; nothing was changed.", hint="Such as 2026-09-30."
        ) from None


def said(name: str) -> str:
    """A field of the form."""
    return request.form.get(name, "").strip()
