"""How the dashboard feels: first paint, keys, curves, memory, and what it costs while it is looked at.

`python benchmarks/dashboard.py [--runs 10000] [--points 1000000] [--seconds 10] [--folder DIR]` runs `lovt-tui` in a
pseudo-terminal of 120x40 on workspaces that it writes (into DIR, kept and used again, else a temporary folder), and
prints each figure beside its target. Ten trainings at work are ten run directories whose locks this script holds and
whose events it writes. Peers, as far as they are installed: Textual's stock DataTable, plotext, textual-plot.
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
import tempfile
import termios
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil
from manager import make_long_run, make_many_runs, metric_line, say

from lovt_core.config.experiment import SelftestExperiment
from lovt_core.runs.control import append_control, record
from lovt_core.runs.directory import create_run
from lovt_core.runs.indexing.index import Index
from lovt_core.runs.lines import encode_line
from lovt_core.runs.workspace import Workspace, find_workspace
from lovt_tui.widgets.chart_drawing import draw_chart
from lovt_tui.widgets.chart_layers import Layer
from lovt_tui.widgets.chart_options import ChartOptions

LOVT_TUI = (sys.executable, "-c", "from lovt_tui.main import main; main()")
ROWS, COLUMNS = 40, 120
LIMIT_SECONDS = 60.0
QUIET_SECONDS = 0.08
"""A frame is whole when the terminal has got nothing for so long."""
KEY_SECONDS = 0.05
NUM_TRAINING = 10
STEP_SECONDS = 0.25


class Terminal:
    """A dashboard in a pseudo-terminal."""

    def __init__(self, workspace: Workspace, *options: str) -> None:
        self._controller, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        environment = {**os.environ, "LOVT_HOME": str(workspace.path), "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
        self.began = time.perf_counter()
        self.process = subprocess.Popen(
            [*LOVT_TUI, *options], env=environment, stdin=terminal, stdout=terminal, stderr=terminal,
            start_new_session=True,
        )  # fmt: skip
        os.close(terminal)

    def wait_for(self, text: str) -> float:
        """Seconds from now, or from the start, until the terminal has got this."""
        seen, wanted = b"", text.encode()
        while wanted not in seen:
            ready, _, _ = select.select([self._controller], [], [], LIMIT_SECONDS)
            if not ready:
                raise TimeoutError(f"no {text!r} after {LIMIT_SECONDS:.0f} s")
            seen += os.read(self._controller, 1 << 20)
        return time.perf_counter() - self.began

    def drain(self, seconds: float) -> int:
        """Bytes that arrive within that time."""
        end, count = time.perf_counter() + seconds, 0
        while (left := end - time.perf_counter()) > 0:
            if select.select([self._controller], [], [], left)[0]:
                count += len(os.read(self._controller, 1 << 20))
        return count

    def press(self, key: str) -> tuple[float, float]:
        """Seconds from a key to the first bytes of what it draws, and to the last."""
        began = time.perf_counter()
        os.write(self._controller, key.encode())
        if not select.select([self._controller], [], [], LIMIT_SECONDS)[0]:
            raise TimeoutError(f"nothing is drawn after {key!r}")
        first = last = time.perf_counter()
        while select.select([self._controller], [], [], QUIET_SECONDS)[0]:
            os.read(self._controller, 1 << 20)
            last = time.perf_counter()
        return first - began, last - began

    def share_of_core(self, seconds: float) -> tuple[float, int]:
        """Share of one core over that time, and bytes to the terminal."""
        process = psutil.Process(self.process.pid)
        before = sum(process.cpu_times()[:2])
        count = self.drain(seconds)
        return (sum(process.cpu_times()[:2]) - before) / seconds, count

    @property
    def memory(self) -> float:
        """Resident MiB."""
        return psutil.Process(self.process.pid).memory_info().rss / 2**20

    def close(self) -> None:
        """Quit."""
        self.process.kill()
        self.process.wait()
        os.close(self._controller)


class Trainings:
    """Runs at work, as far as a reader can tell."""

    def __init__(self, workspace: Workspace) -> None:
        self._runs = [create_run(workspace, SelftestExperiment(name=f"training-{n}")) for n in range(NUM_TRAINING)]
        self._locks = []
        for run in self._runs:
            append_control(run.control, record("launch", 1, title="CPU"))
            run.events(1).write_bytes(
                encode_line({"t": time.time(), "event": "started", "host": "here", "slot": "CPU"})
            )
            lock = run.worker_lock.open("a")
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._locks.append(lock)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._write)
        self._thread.start()

    def _write(self) -> None:
        step = 0
        while not self._ending.wait(STEP_SECONDS):
            step += 1
            for run in self._runs:
                with run.events(1).open("ab") as file:
                    file.write(metric_line(step, time.time(), 10_000))

    def end(self) -> None:
        """Stop writing."""
        self._ending.set()
        self._thread.join()
        for lock in self._locks:
            lock.close()


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--points", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=10.0, help="how long idle and busy dashboards are watched")
    parser.add_argument("--repeats", type=int, default=5, help="starts, and presses of each key")
    parser.add_argument("--folder", type=Path, help="where the workspaces are written, and kept")
    return parser.parse_args()


def measure_first_paint(workspace: Workspace, text: str, repeats: int) -> float:
    """Median seconds until the frame with this has arrived."""
    times = []
    for _ in range(repeats + 1):
        terminal = Terminal(workspace)
        times.append(terminal.wait_for(text))
        terminal.close()
    return statistics.median(times[1:])


def measure_keys(what: str, terminal: Terminal, keys: Sequence[str], repeats: int) -> None:
    """From keys to what they draw; the first round loads what it needs."""
    for key in keys:
        terminal.press(key)
    times = [terminal.press(key) for _ in range(repeats) for key in keys]
    first, last = (statistics.median(column) for column in zip(*times, strict=True))
    value = f"{1000 * first:.0f} ms (all of it {1000 * last:.0f} ms)"
    say(what, value, f"{1000 * KEY_SECONDS:.0f} ms", first <= KEY_SECONDS)


def report(what: str, seconds: float, target: float) -> None:
    say(what, f"{1000 * seconds:.0f} ms", f"{1000 * target:.0f} ms", seconds <= target)


def measure_many(workspace: Workspace, arguments: argparse.Namespace) -> None:
    Index(workspace).sync()
    report(f"first paint, {arguments.runs:,} runs", measure_first_paint(workspace, "lovt-tui", arguments.repeats), 0.6)
    report("  until the runs are listed", measure_first_paint(workspace, "finished", arguments.repeats), 1.5)
    terminal = Terminal(workspace)
    terminal.wait_for("finished")
    terminal.drain(3.0)
    measure_keys(f"a row down, {arguments.runs:,} runs", terminal, "jk", arguments.repeats)
    measure_keys("a page down", terminal, ["\x1b[6~"], 4 * arguments.repeats)
    measure_keys("the last row, the first", terminal, "Gg", arguments.repeats)
    measure_keys("switching screens (1 to 5)", terminal, "12131415", arguments.repeats)
    say("memory", f"{terminal.memory:.0f} MiB", "150 MiB", terminal.memory <= 150)
    seconds = 4 * arguments.seconds  # all runs are looked through about once in that time
    share, count = terminal.share_of_core(seconds)
    say("idle: share of a core", f"{100 * share:.1f} %", "3 %", share <= 0.03)
    say("idle: to the terminal", f"{count / seconds:.0f} bytes/s", "the gauges only", count / seconds < 400)
    terminal.close()


def measure_busy(workspace: Workspace, seconds: float) -> None:
    trainings = Trainings(workspace)
    try:
        for options, target in (((), 4096), (("--slow-link",), 2048)):
            terminal = Terminal(workspace, *options)
            terminal.wait_for("running")
            terminal.drain(4.0)
            share, count = terminal.share_of_core(seconds)
            name = " ".join(("ten runs train", *options))
            say(f"{name}: share of a core", f"{100 * share:.1f} %", "15 %", share <= 0.15)
            rate = count / seconds
            say(f"{name}: to the terminal", f"{rate / 1024:.2f} KB/s", f"{target // 1024} KB/s", rate <= target)
            terminal.close()
    finally:
        trainings.end()


def timed(work: Callable[[], object], repeats: int = 5) -> float:
    """Median seconds."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def measure_curve(workspace: Workspace, num_points: int) -> None:
    index = Index(workspace)
    index.sync()
    run_id = index.runs()[0].id
    curve = index.curve(run_id, "train/metric9")
    layers, size = (Layer((curve,)),), (COLUMNS, ROWS - 8)
    reading = timed(lambda: index.curve(run_id, "train/metric9"))
    drawing = timed(lambda: draw_chart(layers, ChartOptions(), size))
    smoothed = timed(lambda: draw_chart(layers, ChartOptions(smoothing=50), size))
    report(f"a curve of {num_points:,} points, read and drawn", reading + drawing, 0.3)
    report("  drawn again", drawing, 0.03)
    report("  drawn again, smoothed", smoothed, 0.1)
    measure_plotting_peers(curve.steps, curve.values)


def measure_plotting_peers(steps: Sequence[int], values: Sequence[float]) -> None:
    """The same points, drawn by others, as far as they are installed."""
    try:
        import plotext
    except ImportError:
        say("plotext, the same points", "not installed")
        return
    if not hasattr(plotext, "clf"):
        say("plotext, the same points", "not a 5.x, which it is measured with")
        return

    def draw() -> None:
        plotext.clf()
        plotext.plotsize(COLUMNS, ROWS - 8)
        plotext.plot(list(steps), list(values), marker="braille")
        plotext.build()

    say("plotext, the same points", f"{1000 * timed(draw, 1):.0f} ms")


def measure_stock_table(count: int) -> None:
    """Textual's DataTable with as many rows."""
    import asyncio

    from textual.app import App, ComposeResult
    from textual.widgets import DataTable

    class Stock(App[None]):
        def compose(self) -> ComposeResult:
            yield DataTable()

    async def fill() -> float:
        async with Stock().run_test(size=(COLUMNS, ROWS)) as pilot:
            began = time.perf_counter()
            table = pilot.app.query_one(DataTable)
            table.add_columns("state", "run", "what", "progress", "left", "best", "loss", "slot", "age")
            for number in range(count):
                table.add_row("finished", f"one-of-many-{number}", "selftest", "100%", "", "0.24", "0.25", "CPU", "1d")
            await pilot.pause()
            return time.perf_counter() - began

    say(f"stock DataTable, {count:,} rows filled", f"{1000 * asyncio.run(fill()):.0f} ms")


def measure(folder: Path, arguments: argparse.Namespace) -> None:
    empty = find_workspace(folder / "empty" / "lovt-workspace")
    report("first paint, empty workspace", measure_first_paint(empty, "lovt-tui", arguments.repeats), 0.4)
    measure_many(make_many_runs(folder, arguments.runs), arguments)
    measure_stock_table(arguments.runs)
    measure_curve(make_long_run(folder, arguments.points), arguments.points)
    with tempfile.TemporaryDirectory() as busy:
        measure_busy(find_workspace(Path(busy) / "lovt-workspace"), arguments.seconds)


def main() -> int:
    arguments = parse_arguments()
    if arguments.folder is not None:
        measure(arguments.folder, arguments)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main())
