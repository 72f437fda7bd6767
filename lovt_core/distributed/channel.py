"""The line between the worker and the first process of a training: values go up, and each is answered.

It is a pair of sockets, one end of which all processes have as their standard input. The first one sends a value and
waits until whoever consumes it has done so, as a generator would; the answer says whether to end. The others only
look whether the worker still has its end.
"""

import json
import os
import select
import socket
import threading
from collections.abc import Iterator

from lovt_core.runs.events import decode_value, encode_value
from lovt_core.runs.lines import encode_line
from lovt_core.values import EndReason, Value

_ASK = "ask"
_SIZE = 1 << 16
PARENT_MILLISECONDS = 1000
"""How often to look whether the parent is still there."""


def leave_with_worker() -> None:
    """End this process, whatever it is doing, once the worker has closed its end or died, or the parent has died."""
    threading.Thread(target=_wait_for_the_end, args=(os.getppid(),), name="worker watch", daemon=True).start()


def _wait_for_the_end(parent: int) -> None:
    poll = select.poll()
    poll.register(0, 0)  # hanging up is always reported, and nothing is read
    while not poll.poll(PARENT_MILLISECONDS) and os.getppid() == parent:
        pass
    os._exit(1)


class Reporting:
    """The first process's end."""

    def __init__(self) -> None:
        self._socket = socket.socket(fileno=os.dup(0))
        self._answers = _read_lines(self._socket)

    def send(self, value: Value) -> None:
        """Give a value to the worker; returns when it has been taken."""
        kind, data = encode_value(value)
        self._exchange({"event": kind, **data})

    def ask_to_end(self) -> EndReason | None:
        """Why to end, or None."""
        return self._exchange({"event": _ASK})

    def _exchange(self, record: dict[str, object]) -> EndReason | None:
        self._socket.sendall(encode_line(record))
        reason: EndReason | None = json.loads(next(self._answers))["reason"]
        return reason


class Receiving:
    """The worker's end."""

    def __init__(self, end: socket.socket) -> None:
        self._socket = end
        self._lines = _read_lines(end)

    def read(self) -> Value | None:
        """The next value, to be answered; None where only an answer is asked for. Raises EOFError at the end."""
        line = next(self._lines, None)
        if line is None:
            raise EOFError
        record = json.loads(line)
        kind = record.pop("event")
        return None if kind == _ASK else decode_value(kind, record)

    def answer(self, reason: EndReason | None) -> None:
        """Let the first process go on."""
        self._socket.sendall(encode_line({"reason": reason}))


def _read_lines(end: socket.socket) -> Iterator[bytes]:
    """Complete lines until the other side hangs up."""
    pending = b""
    while True:
        *lines, pending = pending.split(b"\n")
        yield from lines
        try:
            received = end.recv(_SIZE)
        except ConnectionError:
            return
        if not received:
            return
        pending += received
