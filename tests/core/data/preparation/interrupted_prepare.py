"""A preparation in a process of its own that stops at a chosen moment, says so, and waits to be killed or released.

    python -m tests.core.data.preparation.interrupted_prepare SOURCE ROOT MOMENT

Moments: `decoding` (some images written), `meta` (all images written), `publishing` (the finished folder not yet in
place), `current` (in place, not yet current), `none`.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lovt_core import files
from lovt_core.data.preparation import prepare as module
from lovt_core.values import Progress


def wait() -> None:
    sys.stdout.write("waiting\n")
    sys.stdout.flush()
    sys.stdin.readline()


def waiting_before(function: Callable[..., Any]) -> Callable[..., Any]:
    def wrapped(*arguments: Any) -> Any:
        wait()
        return function(*arguments)

    return wrapped


def main(source: str, root: str, moment: str) -> None:
    match moment:
        case "meta":
            module.write_meta = waiting_before(module.write_meta)
        case "publishing":
            files.sync_folder = waiting_before(files.sync_folder)
        case "current":
            module.make_current = waiting_before(module.make_current)

    def on_progress(progress: Progress) -> None:
        if moment == "decoding" and progress.done == 3:
            wait()

    options = module.PrepareOptions(size=32, workers=1)
    data = module.prepare("covid-rural", Path(source), Path(root), options, on_progress)
    sys.stdout.write(f"{data.fingerprint}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
