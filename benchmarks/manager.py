"""How fast the run manager is: taking in metric points, reading a long curve, listing many runs.

`python benchmarks/manager.py [--runs 10000] [--points 1000000] [--folder DIR]` writes real run directories (into DIR,
which is kept and used again, else into a temporary folder) and prints wall-clock and processor seconds beside the
targets: 300,000 points/s taken in at 15 metrics a line, a curve of a million points read in 0.3 s, `lovt runs` on
10,000 runs in 0.5 s with a warm cache and an index that is up to date. The first sync has no target.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from lovt_core.config.experiment import SelftestExperiment
from lovt_core.files import write_text_atomic
from lovt_core.runs.control import append_control, record
from lovt_core.runs.directory import RunDirectory, create_run
from lovt_core.runs.events import encode_value
from lovt_core.runs.indexing.index import Index
from lovt_core.runs.lines import encode_line
from lovt_core.runs.workspace import Workspace, find_workspace
from lovt_core.values import Metrics

METRICS_A_LINE = 15
LINES_A_RUN = 20
"""Of each of the many runs."""
POINTS_A_SECOND = 300_000
CURVE_SECONDS = 0.3
LISTING_SECONDS = 0.5
LOVT = (sys.executable, "-c", "from lovt_tui.cli.main import main; main()")
LISTINGS = (
    (),
    ("--json",),
    ("--filter", "state:finished age<9999d"),
    ("--all", "--sort", "best.val/metric0", "--json"),
)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10_000, help="run directories to list")
    parser.add_argument(
        "--points", type=int, default=1_000_000, help="points of each of the 15 metrics of the long run"
    )
    parser.add_argument("--folder", type=Path, help="where the directories are written, and kept")
    parser.add_argument("--repeats", type=int, default=7, help="calls of each listing")
    return parser.parse_args()


def metric_line(step: int, moment: float, total: int) -> bytes:
    """One line of a training's events."""
    values = {f"{'val' if number < 2 else 'train'}/metric{number}": 5.0 / (step + number + 1) for number in range(15)}
    kind, data = encode_value(Metrics(step, step / 100, values, total))
    return encode_line({"t": round(moment, 3), "event": kind, **data})


def write_events(run: RunDirectory, num_lines: int, began: float) -> None:
    """Events of a training of that many steps that has finished."""
    with run.events(1).open("wb") as file:
        file.write(encode_line({"t": began, "event": "started", "host": "here", "slot": "CPU"}))
        for step in range(1, num_lines + 1):
            file.write(metric_line(step, began + step, num_lines))
        file.write(encode_line({"t": began + num_lines + 1, "event": "finished"}))


def make_long_run(folder: Path, num_lines: int) -> Workspace:
    """A workspace with one run of so many steps."""
    workspace = find_workspace(folder / "long" / "lovt-workspace")
    if not any(workspace.runs.iterdir()):
        run = create_run(workspace, SelftestExperiment(name="long"))
        append_control(run.control, record("launch", 1))
        write_events(run, num_lines, time.time() - num_lines)
    return workspace


def make_many_runs(folder: Path, count: int) -> Workspace:
    """A workspace with so many finished runs, copies of one that differ by seed, time and events."""
    workspace = find_workspace(folder / "many" / "lovt-workspace")
    if (there := sum(1 for _ in workspace.runs.iterdir())) >= count:
        return workspace
    first = create_run(workspace, SelftestExperiment(name="one-of-many"))
    append_control(first.control, record("launch", 1))
    texts = {name: (first.path / name).read_text() for name in ("experiment.yaml", "origin.json", "control.jsonl")}
    began = time.time() - count * 60
    created = str(first.origin()["created"])
    write_events(first, LINES_A_RUN, began)
    for number in range(there + 1, count):
        moment = began + number * 60
        run_id = f"{time.strftime('%Y%m%d-%H%M%S', time.localtime(moment))}-one-of-many-{number % 65536:04x}"
        run = RunDirectory(workspace.runs / run_id)
        run.path.mkdir()
        write_text_atomic(
            run.path / "experiment.yaml", texts["experiment.yaml"].replace("seed: 12345", f"seed: {number}")
        )
        (run.path / "origin.json").write_text(texts["origin.json"].replace(created, str(moment)))
        (run.path / "control.jsonl").write_text(texts["control.jsonl"])
        write_events(run, LINES_A_RUN, moment)
    return workspace


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Wall-clock and processor seconds of this process."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - processor


def say(what: str, value: str, target: str = "", met: bool = True) -> None:
    """One line of the report."""
    print(
        f"{what:44s} {value:>34s}   {f'target {target}: ' + ('met' if met else 'missed') if target else ''}", flush=True
    )


def measure_long_run(workspace: Workspace, num_lines: int) -> None:
    """Ingestion, and the curve of one metric."""
    workspace.index.unlink(missing_ok=True)
    index = Index(workspace)
    wall, processor = timed(index.sync)
    rate = METRICS_A_LINE * num_lines / wall
    say(
        "ingestion, 15 metrics a line",
        f"{rate:,.0f} points/s ({processor:.2f} s cpu)",
        "300,000 points/s",
        rate >= POINTS_A_SECOND,
    )
    run_id = index.runs()[0].id
    times = [timed(lambda: index.curve(run_id, "train/metric9"))[0] for _ in range(5)]
    assert len(index.curve(run_id, "train/metric9").values) == num_lines
    seconds = statistics.median(times)
    say(f"reading a curve of {num_lines:,} points", f"{seconds:.3f} s", f"{CURVE_SECONDS} s", seconds <= CURVE_SECONDS)
    say("size of the index", f"{workspace.index.stat().st_size / 2**20:.0f} MiB")
    index.close()


def measure_many_runs(workspace: Workspace, repeats: int) -> None:
    """The first sync, one that finds nothing new, and whole `lovt runs` processes."""
    workspace.index.unlink(missing_ok=True)
    index = Index(workspace)
    wall, _ = timed(index.sync)
    say(f"first sync of {index.count():,} runs", f"{wall:.1f} s")
    wall, processor = min(timed(index.sync) for _ in range(5))
    say("sync that finds nothing new", f"{wall:.3f} s ({processor:.3f} s cpu)")
    wall, processor = timed(index.runs)
    say("rows of all runs", f"{wall:.3f} s ({processor:.3f} s cpu)")
    say("the same again", f"{timed(index.runs)[0]:.3f} s")
    index.close()
    environment = {**os.environ, "LOVT_HOME": str(workspace.path)}
    for arguments in LISTINGS:
        measure_listing(environment, arguments, repeats)


def measure_listing(environment: dict[str, str], arguments: tuple[str, ...], repeats: int) -> None:
    """`lovt runs` with these arguments, from start to end."""
    walls, processors = [], []
    for _ in range(repeats):
        before = os.times()
        began = time.perf_counter()
        subprocess.run([*LOVT, "runs", *arguments], env=environment, stdout=subprocess.DEVNULL, check=True)
        walls.append(time.perf_counter() - began)
        after = os.times()
        processors.append(after.children_user + after.children_system - before.children_user - before.children_system)
    wall = statistics.median(walls)
    figures = f"{wall:.2f} s ({min(walls):.2f} s, {min(processors):.2f} s cpu)"
    say(
        " ".join(("lovt runs", *arguments)),
        figures,
        *([f"{LISTING_SECONDS} s", wall <= LISTING_SECONDS] if not arguments else []),
    )


def main() -> int:
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        measure_long_run(make_long_run(folder, arguments.points), arguments.points)
        measure_many_runs(make_many_runs(folder, arguments.runs), arguments.repeats)
    return 0


if __name__ == "__main__":
    sys.exit(main())
