"""50 SIGKILLs of a sweep's coordinator, its workers and the scheduler: no trial is lost, none is run twice."""

import os
import random
import sys
import time
from collections import Counter

import optuna
import psutil
import pytest

from lovt_core.config.sweep import SweepConfig
from lovt_core.config.sweep_file import Sweep
from lovt_core.runs.control import read_control
from lovt_core.runs.directory import RunDirectory, list_runs
from lovt_core.runs.indexing.index import Index
from lovt_core.runs.lines import decode_number, read_lines
from lovt_core.runs.state import read_state
from lovt_core.runs.terms import Retry, Terms
from lovt_core.sweeps.folder import read_sweep_state
from lovt_core.sweeps.rebuilding import rebuild_sweep
from lovt_core.sweeps.requests import ensure_coordinator, start_sweep
from lovt_core.sweeps.storage import open_storage
from tests.core.runs.conftest import selftest
from tests.core.runs.conftest import workspace as workspace  # a fixture
from tests.torture.killer import Killer, Watcher, find_scheduler, kill

pytestmark = pytest.mark.torture

NUM_KILLS = int(os.environ.get("LOVT_TORTURE_SWEEP_KILLS", "50"))
SEED = int(os.environ.get("LOVT_TORTURE_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
MAX_SECONDS = 420
PATIENT = Terms(retry=Retry(100, ("killed", "lost")))
NUM_TRIALS = 36


def make_sweep():
    config = SweepConfig.model_validate(
        {
            "name": "tortured",
            "experiment": "base.yaml",
            "space": {"training.optimiser.learning_rate": {"type": "float", "low": 1e-5, "high": 1.0, "log": True}},
            "objective": {"metric": "val/loss"},
            "trials": NUM_TRIALS,
            "jobs": 3,
            "repeats": 2,
        }
    )
    return Sweep(config, selftest(epochs=4, seconds_per_step=0.02), None)


def find_coordinator(folder):
    for process in psutil.process_iter(["cmdline", "status"]):
        words = process.info["cmdline"] or []
        is_ours = words[1:3] == ["-m", "lovt_core.sweeps.coordinator"] and words[3:] == [
            str(folder.workspace.path), folder.name
        ]  # fmt: skip
        if is_ours and process.info["status"] != psutil.STATUS_ZOMBIE:
            return process.pid
    return None


def torture(folder, dice):
    killer = Killer(folder.workspace, dict(os.environ), dice)
    deadline = time.monotonic() + MAX_SECONDS
    while killer.killed.total() < NUM_KILLS and time.monotonic() < deadline:
        time.sleep(dice.uniform(0.1, 4.0))
        kind = dice.choices(("coordinator", "worker", "scheduler"), (0.5, 0.35, 0.15))[0]
        pid = find_coordinator(folder) if kind == "coordinator" else find_scheduler(folder.workspace)
        if kind == "worker":
            killer.kill_worker({})
        elif pid is not None and kill(pid):
            killer.killed[kind] += 1
        ensure_coordinator(folder)  # as whoever looks at the sweep does
        if read_sweep_state(folder) == "finished":
            break
    return killer


def test_no_trial_is_lost_and_none_is_run_twice(workspace):
    workspace.settings.write_text("cpu_slots: 3\n")
    folder = start_sweep(workspace, make_sweep(), terms=PATIENT)
    watcher = Watcher(workspace)
    watcher.start()
    began = time.monotonic()
    killer = torture(folder, random.Random(SEED))
    while read_sweep_state(folder) != "finished" and time.monotonic() < began + 2 * MAX_SECONDS:
        ensure_coordinator(folder)
        time.sleep(0.5)
    watcher.finish()
    states = Counter(trial.state for trial in folder.trials())
    attempts = Counter({run.id: read_state(run).attempt for run in list_runs(workspace)})
    sys.stdout.write(
        f"\nseed {SEED}: {killer.killed.total()} kills in {time.monotonic() - began:.0f} s: {dict(killer.killed)}; "
        f"{len(folder.trials())} trials: {dict(states)}; {len(attempts)} runs in {attempts.total()} attempts\n"
    )
    assert killer.killed.total() >= NUM_KILLS
    assert watcher.violations == []
    check(folder)


def check(folder):
    origin = folder.origin()
    study = optuna.load_study(study_name=origin["study"], storage=open_storage(origin["storage"]))
    frozen = study.trials
    trials = folder.trials()
    own = [one for one in frozen if "lovt" in one.user_attrs and "owner" in one.user_attrs["lovt"]]
    unlaunched = [one for one in frozen if one not in own]
    assert [one.state.name for one in unlaunched] == ["FAIL"] * len(unlaunched)
    assert len(frozen) == NUM_TRIALS
    assert [one.number for one in frozen] == [trial.number for trial in trials]
    index = Index(folder.workspace)
    index.sync()
    rows = {row.id for row in index.runs()}
    index.close()
    planned = [run["id"] for one in own for run in one.user_attrs["lovt"]["runs"]]
    assert sorted(planned) == sorted(rows), "each planned run is in the index once, and there is no other"
    for one in own:
        trial = trials[one.number]
        assert one.state.name == "COMPLETE"
        assert (trial.state, list(trial.values)) == ("finished", one.values)
        best = [best_loss(folder, run.id) for run in trial.runs]
        assert trial.values[0] == pytest.approx(sum(best) / len(best))
        for run in trial.runs:
            control = read_control(RunDirectory(folder.workspace.runs / run.id).control)
            told = {decode_number(item.details["values"][0]) for item in control if item.operation == "trial"}
            assert told <= {trial.values[0]}
    check_rebuilding(folder, own)


def best_loss(folder, run_id):
    """By epoch, the newest attempt's, as the coordinator reads it."""
    run = RunDirectory(folder.workspace.runs / run_id)
    losses = {}
    for attempt in range(1, read_state(run).attempt + 1):
        for line in read_lines(run.events(attempt)):
            if "val/loss" in line.get("values", {}):
                losses[round(line["epoch"])] = decode_number(line["values"]["val/loss"])
    assert sorted(losses) == [1, 2, 3, 4]
    return min(losses.values())


def check_rebuilding(folder, own):
    """The study lost: the run directories bring back all that ever had runs."""
    for path in folder.workspace.path.glob("sweeps.db*"):
        path.unlink()
    rebuild_sweep(folder)
    origin = folder.origin()
    study = optuna.load_study(study_name=origin["study"], storage=open_storage(origin["storage"]))
    known = {one.number: one for one in own}
    for one in study.trials:
        if one.number in known and one.state.name == "COMPLETE":
            assert (one.params, one.values) == (known[one.number].params, known[one.number].values)
