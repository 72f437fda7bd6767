"""Asking Optuna for a trial: here, or in a helper process for the sampler that needs torch."""

import itertools
import math
import random
import subprocess
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import optuna

from lovt_core.config.sweep_file import Sweep
from lovt_core.errors import InputError, LovtError
from lovt_core.runs.workspace import Workspace
from lovt_core.sweeps.folder import SweepFolder
from lovt_core.sweeps.space import list_grid, suggest
from lovt_core.sweeps.study import make_sampler, open_study


class Asker(Protocol):
    """Whatever gives the next trial, with all its parameters."""

    def ask(self) -> optuna.Trial:
        """A new trial; raises LovtError."""
        ...


def make_asker(folder: SweepFolder, sweep: Sweep, study: optuna.Study) -> Asker:
    """The Gaussian-process sampler imports torch, which no manager loads: it samples in a process of its own."""
    match sweep.config.sampler.name:
        case "gp":
            return RemoteAsker(folder, study)
        case "grid":
            return GridAsker(sweep, study)
        case _:
            return LocalAsker(sweep, study)


class LocalAsker:
    """Asks in this process."""

    def __init__(self, sweep: Sweep, study: optuna.Study) -> None:
        self._sweep = sweep
        self._study = study
        self._study.sampler = make_sampler(sweep.config, len(study.get_trials(deepcopy=False)))

    def ask(self) -> optuna.Trial:
        """A new trial."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trial = self._study.ask()
            suggest(trial, self._sweep.config.space)
        return trial


class GridAsker:
    """Goes through a grid in an order drawn with the sweep's seed, leaving out what is there.

    Optuna's own grid sampler cannot tell trials that were put into the queue, such as the base.
    """

    def __init__(self, sweep: Sweep, study: optuna.Study) -> None:
        self._sweep = sweep
        self._study = study
        grid = list_grid(sweep.config.space)
        self._points = [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]
        random.Random(sweep.config.seed).shuffle(self._points)  # noqa: S311, nothing secret

    def ask(self) -> optuna.Trial:
        """A new trial; raises LovtError when the grid is used up."""
        trials = self._study.get_trials(deepcopy=False)
        rest = optuna.samplers.RandomSampler(seed=self._sweep.config.seed)
        if not any(trial.state == optuna.trial.TrialState.WAITING for trial in trials):
            tried = [trial.params for trial in trials]
            point = next((each for each in self._points if not any(_is_same(each, one) for one in tried)), None)
            if point is None:
                raise InputError("the grid is used up")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._study.sampler = optuna.samplers.PartialFixedSampler(point, rest)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trial = self._study.ask()
            suggest(trial, self._sweep.config.space)
        return trial


def _is_same(point: Mapping[str, Any], params: Mapping[str, Any]) -> bool:
    """Steps of floats are counted up in two ways, which differ in the last digit."""
    return point.keys() == params.keys() and all(
        math.isclose(value, params[name], rel_tol=1e-9) if isinstance(value, float) else value == params[name]
        for name, value in point.items()
    )


class RemoteAsker:
    """Asks in a helper process that opens the same storage; one line in, the id of the trial in the storage out."""

    def __init__(self, folder: SweepFolder, study: optuna.Study) -> None:
        self._command = [sys.executable, "-m", "lovt_core.sweeps.asking", str(folder.workspace.path), folder.name]
        self._study = study
        self._process: subprocess.Popen[str] | None = None

    def ask(self) -> optuna.Trial:
        """A new trial; raises LovtError where the helper dies, whose words are in the coordinator's log."""
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write("ask\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # its answer, which will not come, says so
        answer = self._process.stdout.readline().strip()
        if not answer.isdecimal():
            self._process.kill()
            raise LovtError("the sampler's process ended without an answer: see the coordinator's log")
        return optuna.Trial(self._study, int(answer))

    def close(self) -> None:
        """End the helper process."""
        if self._process is not None:
            self._process.communicate()
            self._process = None


def answer_questions(folder: SweepFolder) -> None:
    """Ask for a trial for each line on stdin and write its id, until stdin closes."""
    sweep = folder.read()
    asker = LocalAsker(sweep, open_study(folder, sweep))
    for _ in sys.stdin:
        sys.stdout.write(f"{asker.ask()._trial_id}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    answer_questions(SweepFolder(Workspace(Path(sys.argv[1])), sys.argv[2]))
