"""What a sweep costs beside its runs: a trial, a freed slot, `lovt sweep status`; and TPE against random.

python benchmarks/sweeps.py [--trials 1000] [--repeats 5]
"""

import argparse
import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import optuna

from lovt_core.config.experiment import SelftestExperiment
from lovt_core.config.sweep import SweepConfig
from lovt_core.config.sweep_file import Sweep
from lovt_core.runs.lines import append_line, read_lines
from lovt_core.runs.workspace import Workspace, find_workspace
from lovt_core.sweeps import coordinator as coordinating
from lovt_core.sweeps.asking import LocalAsker
from lovt_core.sweeps.folder import SweepFolder, create_sweep, read_sweep_state
from lovt_core.sweeps.open_trial import Verdict
from lovt_core.sweeps.recorder import NOTE
from lovt_core.sweeps.requests import start_sweep
from lovt_core.sweeps.space import all_distributions
from lovt_core.sweeps.storage import default_storage
from lovt_core.sweeps.study import open_study

LOVT = (sys.executable, "-c", "from lovt_tui.cli.main import main; main()")
SPACE = {
    "training.optimiser.learning_rate": {"type": "float", "low": 1e-5, "high": 1.0, "log": True},
    "training.optimiser.weight_decay": {"type": "float", "low": 1e-8, "high": 1.0, "log": True},
    "training.batch_size": {"type": "int", "low": 4, "high": 16, "step": 4},
    "training.optimiser.name": {"type": "categorical", "choices": ["adamw", "adam"]},
}


def make_folder(workspace: Workspace, name: str, **changes: object) -> SweepFolder:
    """A sweep without a coordinator."""
    fields = {
        "name": name,
        "experiment": "base.yaml",
        "space": SPACE,
        "objective": {"metric": "val/loss"},
        "start_with": {"base": False},
        "jobs": 2,
    }
    sweep = Sweep(SweepConfig.model_validate({**fields, **changes}), SelftestExperiment(), None)
    origin = {"created": time.time(), "study": name, "storage": default_storage(workspace)}
    return create_sweep(workspace, sweep, origin)


def measure_overhead(workspace: Workspace, num_trials: int) -> None:
    """Asking, writing, queueing and telling with `num_trials` in the study; the queue's scheduler is left out."""
    folder = make_folder(workspace, "many", trials=2 * num_trials)
    study = open_study(folder, folder.read())
    known = all_distributions(folder.config().space)
    dice = random.Random(0)
    study.add_trials(
        [
            optuna.trial.create_trial(
                params={
                    "training.optimiser.learning_rate": 10 ** dice.uniform(-5, 0),
                    "training.optimiser.weight_decay": 10 ** dice.uniform(-8, 0),
                    "training.batch_size": dice.choice((4, 8, 12, 16)),
                    "training.optimiser.name": dice.choice(("adam", "adamw")),
                },
                distributions=known,
                value=dice.random(),
                user_attrs={NOTE: {"owner": "x", "settings": {}, "runs": []}},
            )
            for _ in range(num_trials)
        ]
    )
    coordinating.ensure_scheduler = lambda workspace: None
    import lovt_core.runs.queueing.requests as requests

    requests.ensure_scheduler = lambda workspace: None
    one = coordinating.Coordinator(folder)
    one.begin()
    times = []
    for _ in range(22):
        began = time.perf_counter()
        one._launch()
        opened = one._open[max(one._open)]
        one._end(opened, Verdict(optuna.trial.TrialState.COMPLETE, (dice.random(),)))
        times.append(time.perf_counter() - began)
    print(f"overhead of a trial among {num_trials}: median {statistics.median(times[2:]) * 1e3:.0f} ms (target 100)")
    began = time.perf_counter()
    for _ in range(20):
        one.tick()
    print(f"a look with nothing new: {(time.perf_counter() - began) / 20 * 1e3:.1f} ms, four a second")


def measure_status(workspace: Workspace, num_trials: int) -> None:
    """`lovt sweep status` in a process of its own, `num_trials` in the sweep."""
    folder = make_folder(workspace, "told")
    for number in range(num_trials):
        params = {"training.optimiser.learning_rate": 10 ** -(number % 5), "training.optimiser.name": "adam"}
        runs = [{"id": f"20260101-000000-t{number}-0000", "role": "training", "repeat": 0}]
        append_line(
            folder.trials_file,
            {"trial": number, "state": "running", "params": params, "settings": params, "runs": runs, "started": 1.0},
            {"trial": number, "state": "finished", "values": [math.sin(number)], "ended": 60.0},
        )
    append_line(folder.control, {"t": 1.0, "op": "finished"})
    command = [*LOVT, "sweep", "status", "told", "--workspace", str(workspace.path)]
    times = []
    for _ in range(5):
        began = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - began)
    print(f"lovt sweep status of {num_trials} trials: {min(times):.2f} s (target 0.5)")


def measure_refill(workspace: Workspace) -> None:
    """From the last word of one trial's run to the first event of the next one's worker process being started."""
    workspace.settings.write_text("cpu_slots: 1\n")
    sweep = make_folder(workspace, "probe").read()
    folder = start_sweep(
        workspace, Sweep(sweep.config.model_copy(update={"name": "refill", "trials": 5, "jobs": 1}), sweep.base, None)
    )
    while read_sweep_state(folder) != "finished":
        time.sleep(0.5)
    gaps = []
    trials = folder.trials()
    for before, after in pairwise(trials):
        ended = read_lines(workspace.runs / before.runs[0].id / "events-1.jsonl")[-1]["t"]
        control = read_lines(workspace.runs / after.runs[0].id / "control.jsonl")
        gaps.append(next(line["t"] for line in control if line["op"] == "launch") - ended)
    print(f"a freed slot is refilled after {max(gaps):.2f} s at most, median {statistics.median(gaps):.2f} (target 1)")


def compare_samplers(workspace: Workspace, repeats: int) -> None:
    """Best value of a smooth function of the space after 40 trials; lower is better."""
    for name in ("tpe", "random"):
        best = []
        for repeat in range(repeats):
            folder = make_folder(workspace, f"{name}-{repeat}", sampler={"name": name}, seed=1000 * repeat)
            study = open_study(folder, folder.read())
            asker = LocalAsker(folder.read(), study)
            for _ in range(40):
                trial = asker.ask()
                rate = math.log10(trial.params["training.optimiser.learning_rate"]) + 3
                decay = (math.log10(trial.params["training.optimiser.weight_decay"]) + 4) / 4
                extra = 0.3 * (trial.params["training.optimiser.name"] == "adam")
                study.tell(trial, rate**2 + decay**2 + extra + 0.02 * trial.params["training.batch_size"])
            best.append(study.best_value)
        print(f"{name}: best of 40 trials over {repeats} repeats: {', '.join(f'{value:.3f}' for value in best)}; "
              f"mean {statistics.mean(best):.3f}")  # fmt: skip


def main() -> None:
    """Measure everything and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["XDG_STATE_HOME"] = scratch
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
        workspace = find_workspace(Path(scratch) / "workspace")
        measure_refill(workspace)
        measure_status(workspace, 2 * arguments.trials)
        compare_samplers(workspace, arguments.repeats)
        measure_overhead(workspace, arguments.trials)


if __name__ == "__main__":
    main()
