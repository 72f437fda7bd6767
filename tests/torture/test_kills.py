"""200 SIGKILLs at random moments of worker, scheduler, commands and dashboard while 20 runs pass through the queue.

Half of the runs are real trainings and evaluations on synthetic data, the others the real worker, loop and checkpoints
around a model of one layer. At the end every run has finished, none was at work twice at once, the index has each
complete event line exactly once, and every resumed run equals one that nobody disturbed.
"""

import os
import random
import subprocess
import sys
import time
from collections import Counter

import pytest

from lovt_core.config.loading import find_experiment_file, load_experiment
from lovt_core.data.preparation.prepare import PrepareOptions, prepare
from lovt_core.data.synthetic.generate import Synthesis, synthesize
from lovt_core.runs.directory import list_runs
from lovt_core.runs.indexing.index import Index
from lovt_core.runs.indexing.verifying import verify
from lovt_core.runs.lines import read_lines
from lovt_core.runs.locks import is_locked
from lovt_core.runs.queueing.requests import ensure_scheduler, queue_run
from lovt_core.runs.state import read_state
from lovt_core.runs.terms import Retry, Terms
from lovt_core.runs.workspace import find_workspace
from tests.core.runs.conftest import selftest, wait_until
from tests.torture.killer import LOVT, QUIET, Killer, Watcher

pytestmark = pytest.mark.torture

NUM_KILLS = int(os.environ.get("LOVT_TORTURE_KILLS", "200"))
SEED = int(os.environ.get("LOVT_TORTURE_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
MAX_SECONDS = 780
PATIENT = Retry(100, ("killed", "lost"))
SHARES = {"worker": 0.55, "scheduler": 0.2, "command": 0.17, "dashboard": 0.08}
COMMANDS = (
    ("runs",), ("runs", "--json"), ("queue",), ("show", "last"), ("tag", "last", "tortured"), ("queue", "pause"),
    ("queue", "resume"), ("note", "last", "still alive"), ("runs", "--all", "--sort", "name"),
)  # fmt: skip


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("LOVT_HOME", str(tmp_path / "lovt workspace ü"))
    place = find_workspace()
    place.settings.write_text("cpu_slots: 2\n")
    for name, count in (("covid-chestxray", 40), ("covid-rural", 30)):
        synthesize(tmp_path / name, Synthesis(name, count, 96, 0), lambda value: None)
        prepare(name, tmp_path / name, place.prepared_root, PrepareOptions(size=64), lambda value: None)
    return place


def make_trained():
    return load_experiment(
        find_experiment_file("tiny/lovt"),
        ["data.image_size=64", "training.batch_size=8", "training.max_epochs=6", "training.checkpoint_every_steps=2",
         "training.schedule.warmup_steps=0", "method.image_encoder.stride=16"],
    )  # fmt: skip


def make_evaluated():
    return load_experiment(
        find_experiment_file("tiny/linear"),
        ["settings.image_size=64", "settings.batch_size=4", "settings.max_epochs=4", "settings.protocol=full",
         "settings.replicates=3", "tasks=[covid-linear]", "encoder.source=random-fitted"],
    )  # fmt: skip


def queue_all(workspace):
    """Ids of 20 runs by their kind; those of a kind are alike but for the selftests' seeds."""
    kinds = {}
    for number in range(20):
        if number % 2:
            experiment = selftest(seconds_per_step=0.1, epochs=5).model_copy(update={"seed": 100 + number})
        else:
            experiment = make_evaluated() if number % 4 else make_trained()
        kinds[queue_run(workspace, experiment, Terms(retry=PATIENT)).id] = experiment.kind
    return kinds


def is_over(workspace):
    return all(read_state(run).state == "finished" for run in list_runs(workspace))


def torture(workspace, kinds, dice):
    """Kill until the number is reached; more real runs are queued where the queue would run empty before."""
    killer = Killer(workspace, dict(os.environ), dice)
    deadline = time.monotonic() + MAX_SECONDS
    while killer.killed.total() < NUM_KILLS and time.monotonic() < deadline:
        kind = dice.choices(list(SHARES), list(SHARES.values()))[0]
        match kind:
            case "worker":
                time.sleep(dice.expovariate(1 / 3.5))
                killer.kill_worker(kinds)
            case "scheduler":
                killer.kill_scheduler()
            case "command":
                killer.kill_command(*dice.choice(COMMANDS))
            case "dashboard":
                killer.kill_dashboard()
        subprocess.run([*LOVT, "queue", "resume"], check=False, **QUIET)  # as people look, and start what has died
        if is_over(workspace):
            more = dice.choice((make_trained, make_evaluated))()
            kinds[queue_run(workspace, more, Terms(retry=PATIENT)).id] = more.kind
    return killer


def tell(killer, watcher, workspace, seconds):
    attempts = Counter({run.id: read_state(run).attempt for run in list_runs(workspace)})
    killed = ", ".join(f"{count} {name}s" for name, count in killer.killed.most_common())
    hit = ", ".join(f"{count} {kind}" for kind, count in killer.by_kind.most_common())
    sys.stdout.write(
        f"\nseed {SEED}: {killer.killed.total()} kills in {seconds:.0f} s: {killed}; workers hit at: {hit}\n"
        f"{len(attempts)} runs in {attempts.total()} attempts, at most {max(attempts.values())} of one; "
        f"{watcher.looks} looks for a run at work twice\n"
    )


def test_whatever_is_killed_every_run_ends_as_if_nothing_had_been(workspace):
    began = time.monotonic()
    kinds = queue_all(workspace)
    watcher = Watcher(workspace)
    watcher.start()
    killer = torture(workspace, kinds, random.Random(SEED))
    ensure_scheduler(workspace)
    wait_until(lambda: is_over(workspace) or not is_locked(workspace.scheduler_lock), "the runs to finish", 600)
    watcher.finish()
    tell(killer, watcher, workspace, time.monotonic() - began)
    assert killer.killed.total() >= NUM_KILLS
    assert killer.by_kind["pretrain"] + killer.by_kind["evaluate"] >= NUM_KILLS // 5
    assert watcher.violations == []
    assert {run.id: read_state(run).state for run in list_runs(workspace)} == dict.fromkeys(kinds, "finished")
    check_attempts(workspace)
    compare_with_undisturbed(workspace, kinds)


def check_attempts(workspace):
    """No attempt began twice, and the index holds exactly what the files do."""
    for run in list_runs(workspace):
        for path in run.path.glob("events-*.jsonl"):
            assert [line["event"] for line in read_lines(path)].count("started") <= 1
    index = Index(workspace)
    findings = [finding for finding in verify(index, True, lambda done, total: None) if finding.severity == "error"]
    index.close()
    assert findings == []


def compare_with_undisturbed(workspace, kinds):
    """Curves and scores of every run are those of a run that was left alone, to the bit."""
    alike = {}
    for run in list_runs(workspace):
        if run.id in kinds:
            alike.setdefault(run.experiment().model_dump_json(), []).append(run)
    references = {text: queue_run(workspace, runs[0].experiment()) for text, runs in alike.items()}
    wait_until(lambda: is_over(workspace), "the undisturbed runs", 600)
    index = Index(workspace)
    index.sync()
    for text, runs in alike.items():
        for run in runs:
            for metric in ("train/loss", "val/loss"):
                expected, found = (index.curve(each.id, metric) for each in (references[text], run))
                assert (run.id, list(found.steps), list(found.values)) == (
                    run.id, list(expected.steps), list(expected.values)
                )  # fmt: skip
            assert read_cells(index, run) == read_cells(index, references[text])
    index.close()


def read_cells(index, run):
    return [result.data["values"] for result in index.results(run.id) if result.data["type"] == "cell"]
