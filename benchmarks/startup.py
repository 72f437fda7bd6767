"""Seconds until something can be seen: `lovt --help`, `lovt runs`, and the first paint of `lovt-tui`.

`python benchmarks/startup.py [--repeats N] [--cold]` starts each command in a process of its own and prints the median
(and the fastest, which other work on the machine disturbs least). The commands end on their own; the dashboard runs on
a terminal of 120x40 that this script draws nothing of, and its first paint is when the frame with its title has
arrived. `--cold` adds one start each with Python's files dropped from the page cache. Targets, with a warm cache:
0.3 s for `lovt --help`, 0.6 s for the first paint.
"""

import argparse
import fcntl
import os
import pty
import select
import statistics
import struct
import subprocess
import sys
import sysconfig
import tempfile
import termios
import time
from collections.abc import Callable
from pathlib import Path

LOVT = (sys.executable, "-c", "from lovt_tui.cli.main import main; main()")
LOVT_TUI = (sys.executable, "-c", "from lovt_tui.main import main; main()")
"""What the installed commands do."""
TARGETS = {"lovt --help": 0.3, "lovt runs": None, "lovt-tui, first paint": 0.6}
ROWS, COLUMNS = 40, 120
LIMIT_SECONDS = 30.0
HEAVY = {"torch", "nvidia", "triton", "transformers", "scipy", "sklearn", "skimage"}
"""Packages that nothing measured here reads, so they may stay in the page cache."""


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=9, help="starts of each command")
    parser.add_argument("--cold", action="store_true", help="also start once with a cold page cache")
    return parser.parse_args()


def time_command(environment: dict[str, str], *arguments: str) -> float:
    """From the start of a `lovt` command to its end."""
    began = time.perf_counter()
    subprocess.run([*LOVT, *arguments], env=environment, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def time_first_paint(environment: dict[str, str]) -> float:
    """From the start of `lovt-tui` to the frame that shows its title."""
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    began = time.perf_counter()
    process = subprocess.Popen(
        LOVT_TUI, env=environment, stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True
    )
    os.close(terminal)
    try:
        seen = b""
        while b"lovt-tui" not in seen:
            ready, _, _ = select.select([controller], [], [], LIMIT_SECONDS)
            if not ready:
                raise TimeoutError(f"no first paint after {LIMIT_SECONDS:.0f} s; the terminal got {seen!r}")
            seen += os.read(controller, 65536)
        return time.perf_counter() - began
    finally:
        process.kill()
        process.wait()
        os.close(controller)


def drop_from_cache() -> None:
    """Have the kernel forget the files of Python and of the light packages."""
    folders = {Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib")} | {Path(__file__).parents[1]}
    for folder in folders:
        for path in folder.rglob("*"):
            if path.suffix in (".py", ".pyc", ".so") and not HEAVY.intersection(path.relative_to(folder).parts):
                with path.open("rb") as file:
                    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def report(name: str, measure: Callable[[], float], repeats: int, cold: bool) -> None:
    """Print the figures of one command."""
    first = None
    if cold:
        drop_from_cache()
        first = measure()
    else:
        measure()
    times = [measure() for _ in range(repeats)]
    target = TARGETS[name]
    line = f"{name:24s} median {statistics.median(times):5.2f} s   fastest {min(times):5.2f} s"
    line += f"   cold {first:5.2f} s" if first is not None else ""
    line += f"   target {target} s: {'met' if statistics.median(times) <= target else 'missed'}" if target else ""
    print(line, flush=True)


def main() -> int:
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "LOVT_HOME": str(Path(folder) / "lovt-workspace"), "TERM": "xterm-256color"}
        measures: dict[str, Callable[[], float]] = {
            "lovt --help": lambda: time_command(environment, "--help"),
            "lovt runs": lambda: time_command(environment, "runs"),
            "lovt-tui, first paint": lambda: time_first_paint(environment),
        }
        for name, measure in measures.items():
            report(name, measure, arguments.repeats, arguments.cold)
    return 0


if __name__ == "__main__":
    sys.exit(main())
