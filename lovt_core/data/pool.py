"""A function over many arguments in several processes: results in order, memory flat, no orphans."""

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection, get_context, parent_process
from typing import TypeVar

from lovt_core.errors import LovtError

A = TypeVar("A")
R = TypeVar("R")

_WAITING_PER_WORKER = 4
_MIN_TO_START_PROCESSES = 16
"""Starting processes costs more than working on fewer arguments here."""


def count_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def map_in_order(function: Callable[[A], R], arguments: Sequence[A], workers: int | None) -> Generator[R, None, None]:
    """Yield `function(argument)` in the order of the arguments; only a few results wait at a time.

    Closing the generator ends its processes.

    Raises LovtError when a process dies (most likely for lack of memory).
    """
    workers = min(workers or count_cores(), len(arguments))
    if workers <= 1 or len(arguments) < _MIN_TO_START_PROCESSES:
        yield from map(function, arguments)
        return
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_start_worker)
    waiting: deque[Future[R]] = deque()
    try:
        for argument in arguments:
            waiting.append(pool.submit(function, argument))
            if len(waiting) >= workers * _WAITING_PER_WORKER:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as error:
        raise LovtError("a worker process was killed, most likely for lack of memory; try --workers 1") from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _start_worker() -> None:
    """Leave ctrl-c to the parent, and end with it however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)
