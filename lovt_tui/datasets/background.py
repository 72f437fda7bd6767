"""Work that may take long, in a thread that nobody waits for when the dashboard is left."""

import contextlib
import threading
from collections.abc import Callable

from textual.message import Message
from textual.message_pump import MessagePump


def answer_later(asker: MessagePump, work: Callable[[], Message]) -> None:
    """Do it in a thread and post the message that comes of it to `asker`. `work` must not raise."""

    def run() -> None:
        answer = work()
        with contextlib.suppress(RuntimeError):  # the app has ended meanwhile
            asker.post_message(answer)

    threading.Thread(target=run, daemon=True).start()
