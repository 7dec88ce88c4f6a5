"""Something done again and again while other work lasts, such as extending the lease under which it is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread


@contextmanager
def meanwhile(act: Callable[[], bool], seconds: float) -> Iterator[None]:
    """Do it in a thread of its own, so many seconds apart, until the work ends or it answers that it is no use."""
    ended = Event()

    def repeat() -> None:
        while not ended.wait(seconds) and act():
            pass

    keeper = Thread(target=repeat, daemon=True)
    keeper.start()
    try:
        yield
    finally:
        ended.set()
        keeper.join()
