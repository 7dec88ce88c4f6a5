"""Work on several processors by forking: what the parent holds is not copied, only answers travel."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterable
from typing import Any

_task: Callable[[Any], Any] | None = None
_things: list[Any] = []


def spread(task: Callable[[Any], Any], things: Iterable[Any]) -> list[Any]:
    """The task's answer for each thing, in order; on one processor where there is only one or none can be forked."""
    global _task, _things
    listed = list(things)
    processors = min(
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, len(listed)
    )
    if processors < 2 or "fork" not in multiprocessing.get_all_start_methods() or _task is not None:
        return [task(one) for one in listed]
    _task, _things = task, listed
    try:
        with multiprocessing.get_context("fork").Pool(processors) as pool:
            return pool.map(_do, range(len(listed)), chunksize=1)
    finally:
        _task, _things = None, []


def _do(number: int) -> Any:
    if _task is None:
        raise RuntimeError("a worker was started without a task")
    return _task(_things[number])
