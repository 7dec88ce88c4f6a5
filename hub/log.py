"""Structured logs on standard error: event name, ids and codes; never a person's values."""

from __future__ import annotations

import logging
import sys

import structlog


def configure(*, verbose: bool = False) -> None:
    """One JSON line per event, or readable lines on a terminal. Call once, at the start of a process."""
    renderer = structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG if verbose else logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def bind(**ids: str) -> None:
    """Have every line of this thread carry these ids, and none of before."""
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(**ids)


def logger() -> structlog.stdlib.BoundLogger:
    """The log, with whatever the request or the job has bound to it."""
    return structlog.get_logger()  # type: ignore[no-any-return]
