"""Sweeps on disk as a coordinator leaves them, and a dashboard that reads them."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from lovt_core.config.loading import dump_experiment, find_experiment_file, load_experiment
from lovt_core.config.sweep import SweepConfig
from lovt_core.config.sweep_file import dump_sweep
from lovt_core.runs.lines import append_line, encode_number
from lovt_core.runs.locks import take_lock
from lovt_core.runs.workspace import Workspace
from lovt_core.sweeps.folder import SweepFolder
from lovt_core.sweeps.trials import Trial
from lovt_tui.app import Dashboard
from lovt_tui.pages.reading import PageReader
from lovt_tui.reading.snapshot import Gauge
from lovt_tui.reading.sources import Sources
from tests.core.sweeps.factories import make_config, make_pair, make_sweep
from tests.tui.factories import NOW, FakeIndex, make_row, wait_for

LONG_AGO = 1_700_000_000


def write_sweep(
    workspace: Path,
    config: SweepConfig,
    trials: Iterable[Trial],
    request: str = "finished",
    created: float = NOW - 7200,
) -> SweepFolder:
    """The folder of a sweep; `request` is the last that was asked of it."""
    folder = SweepFolder(Workspace(workspace), config.name)
    folder.path.mkdir(parents=True)
    (folder.path / "sweep.yaml").write_text(dump_sweep(config))
    (folder.path / "base.yaml").write_text(dump_experiment(load_experiment(find_experiment_file("tiny/lovt.yaml"))))
    (folder.path / "origin.json").write_text(json.dumps({"created": created}))
    append_line(folder.control, {"t": created, "op": request, "reason": "user"})
    write_trials(folder, trials)
    for path in folder.path.iterdir():
        os.utime(path, (LONG_AGO, LONG_AGO))
    return folder


def write_trials(folder: SweepFolder, trials: Iterable[Trial]) -> None:
    """Append a line for each trial."""
    append_line(folder.trials_file, *map(trial_line, trials))


def trial_line(trial: Trial) -> Mapping[str, Any]:
    """All of a trial in one line."""
    line: dict[str, Any] = {
        "trial": trial.number, "state": trial.state, "params": trial.params, "distributions": trial.distributions,
        "settings": trial.settings, "values": [encode_number(value) for value in trial.values],
        "runs": [{"id": run.id, "role": run.role, "repeat": run.repeat} for run in trial.runs],
        "intermediate": {str(step): encode_number(value) for step, value in trial.intermediate.items()},
        "started": trial.started, "cause": trial.cause, "origin": trial.origin,
    }  # fmt: skip
    times = {"began": trial.began, "ended": trial.ended}
    return line | {key: time for key, time in times.items() if time is not None}


def make_sweep_app(index: FakeIndex, folder: Path) -> Dashboard:
    """A dashboard that reads the sweeps in a folder; runs come from the fake index."""
    workspace, gauge = Workspace(folder), Gauge("CPU", 12, 3 << 30, 16 << 30)
    sources = Sources(lambda: index, folder, lambda: (gauge,), lambda: NOW, dict, bool, PageReader(workspace))
    return Dashboard(workspace, place="~/lab", sources=sources)


@contextmanager
def filled_lab(folder: Path) -> Iterator[None]:
    """A sweep of 50 trials at work, a paused, a finished one of two objectives, an interrupted and a damaged one."""
    config, trials = make_sweep(50)
    trials = tuple(_move(trial, NOW - 187 - trials[-1].started) for trial in trials)
    config = config.model_copy(update={"trials": 60, "jobs": 2, "hours": 8.0})
    running = write_sweep(folder, config, trials, "resume", NOW - 3 * 3600)
    pair, points = make_pair([(0.1 * n, 0.2 + 0.07 * n - 0.01 * (n % 3) ** 3) for n in range(12)])
    write_sweep(folder, pair.model_copy(update={"name": "pair"}), points, created=NOW - 86_400)
    _, few = make_sweep(8)
    write_sweep(folder, make_config(name="waiting"), few, "pause", NOW - 19_000)
    write_sweep(folder, make_config(name="orphan"), few[:3], "resume", NOW - 29_900)
    broken = folder / "sweeps" / "broken"
    broken.mkdir()
    (broken / "sweep.yaml").write_text("kind: sweep\nname: broken\n")
    lock = take_lock(running.lock)
    assert lock is not None
    try:
        yield
    finally:
        os.close(lock)


def _move(trial: Trial, seconds: float) -> Trial:
    started = trial.started + seconds
    return replace(trial, started=started, began=started, ended=None if trial.ended is None else trial.ended + seconds)


def make_lab_index() -> FakeIndex:
    """The run of the trial at work, and another."""
    return FakeIndex(make_row("tiny-t49", "running", id="20260101-000000-tiny-t49-abcd"), make_row("other"))


async def open_sweeps(pilot: Pilot[None], text: str = "tiny") -> str:
    """The screen of sweeps, filled."""
    await pilot.press("3")
    return await wait_for(pilot, lambda shown: text in shown and "Reading" not in shown)
