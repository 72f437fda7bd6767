"""The next batch is made while the training computes with the present one."""

import threading
from collections.abc import Generator
from contextlib import closing
from queue import Full, Queue
from typing import TypeVar

T = TypeVar("T")
_AHEAD = 1
"""Batches that lie ready; one more is being made."""
_PATIENCE = 0.1
"""Seconds between two looks at whether anybody still waits for a batch."""


def prefetch(batches: Generator[T, None, None]) -> Generator[T, None, None]:
    """The same batches in the same order, made by a thread that ends when this generator is closed.

    They may not draw from global random generators, which the training draws from at the same time. What making them
    raises is raised here in its place.
    """
    ready: Queue[T | _End] = Queue(_AHEAD)
    is_closed = threading.Event()
    thread = threading.Thread(target=_make, args=(batches, ready, is_closed), name="prefetch", daemon=True)
    thread.start()
    try:
        while not isinstance(item := ready.get(), _End):
            yield item
            del item  # else a batch would be kept while the next one is awaited
        if item.error is not None:
            raise item.error
    finally:
        is_closed.set()
        thread.join()


class _End:
    """Behind the last batch; `error` is why there are no more, None where all are made."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


def _make(batches: Generator[T, None, None], ready: "Queue[T | _End]", is_closed: threading.Event) -> None:
    try:
        with closing(batches):
            for batch in batches:
                if not _hand_over(batch, ready, is_closed):
                    return
        end = _End()
    except BaseException as error:  # whatever it is, the training has to hear of it
        end = _End(error)
    _hand_over(end, ready, is_closed)


def _hand_over(item: "T | _End", ready: "Queue[T | _End]", is_closed: threading.Event) -> bool:
    """Wait for room; False where nobody wants any more."""
    while not is_closed.is_set():
        try:
            ready.put(item, timeout=_PATIENCE)
        except Full:
            continue
        return True
    return False
