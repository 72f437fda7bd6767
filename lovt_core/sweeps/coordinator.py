"""The coordinator of a sweep: asks Optuna, makes runs, watches them, tells Optuna. One process for each sweep.

    ask -> the runs' ids are written on the trial -> the runs are queued -> ... -> tell -> trials.jsonl, control.jsonl

It may die at any moment. The next one finds each open trial in the study: one without a note was never launched and
fails; for the others the runs that are missing are made, under the ids on the trial, and the rest is watched on.
"""

import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from lovt_core.config.settings import Settings, load_settings
from lovt_core.config.sweep import count_grid
from lovt_core.errors import InputError, LovtError
from lovt_core.runs.locks import take_lock
from lovt_core.runs.machine import machine_id
from lovt_core.runs.queueing.requests import ensure_scheduler, request_retry, request_stop
from lovt_core.runs.space.trash import FOLDER_NAME as TRASH
from lovt_core.runs.terms import parse_terms
from lovt_core.runs.workspace import Workspace
from lovt_core.sweeps.asking import Asker, make_asker
from lovt_core.sweeps.first_trials import add_first_trials, count_own
from lovt_core.sweeps.folder import (
    SweepFolder,
    append_request,
    append_warning,
    deciding,
    read_warnings,
    read_wish,
    stop_reason,
    write_request,
)
from lovt_core.sweeps.open_trial import OpenTrial, Rules, Verdict, open_trial
from lovt_core.sweeps.places import count_places
from lovt_core.sweeps.recorder import CAUSE, NOTE, Recorder, encode_distributions
from lovt_core.sweeps.space import settings_of
from lovt_core.sweeps.storage import StorageUnreachableError, default_storage
from lovt_core.sweeps.storage_urls import hide_password
from lovt_core.sweeps.study import open_study
from lovt_core.sweeps.trial_runs import RunMaker, plan_runs
from lovt_core.sweeps.trials import TrialRun

TICK_SECONDS = 0.25
SCHEDULER_SECONDS = 2.0
AGAIN_SECONDS = 5.0
STALE_SECONDS = 600
"""After this a trial of another coordinator that was asked for and never launched counts as abandoned."""


class Coordinator:
    """Everything a sweep does, one look at a time."""

    def __init__(self, folder: SweepFolder) -> None:
        """Open the study; raises InputError where the storage cannot be used."""
        self.folder = folder
        self.workspace = folder.workspace
        self.rules = Rules(folder.read(), stop_reason(folder))
        origin = folder.origin()
        self.study = open_study(folder, self.rules.sweep)
        self._recorder = Recorder(folder)
        self._terms = parse_terms(origin.get("terms", {}))
        parent = {"sweep": folder.name, "study": origin["study"]}
        self._maker = RunMaker(self.workspace, self.rules.sweep, self._terms, parent)
        self._owner = f"{machine_id()}:{folder.path}"
        self._is_alone = origin["storage"] == default_storage(self.workspace)
        self._began = float(origin["created"])
        self._open: dict[int, OpenTrial] = {}
        self._asker: Asker | None = None
        self._scheduler_due = 0.0

    def begin(self) -> None:
        """Trials that are there from the start, and those that an earlier coordinator has left open."""
        add_first_trials(self.workspace, self.study, self.rules)
        for frozen in self.study.get_trials(deepcopy=False):
            if frozen.state == TrialState.RUNNING:
                self._adopt(frozen)
            else:
                self._recorder.take_in(frozen)

    def tick(self) -> None:
        """Look at every open trial, then fill what is free."""
        settings = self._settings()
        for opened in list(self._open.values()):
            try:
                self._look(opened, settings)
            except LovtError as error:
                say(f"trial {opened.number}: {error}")
        if self._open and time.monotonic() >= self._scheduler_due:
            self._scheduler_due = time.monotonic() + SCHEDULER_SECONDS
            ensure_scheduler(self.workspace)
        wish = read_wish(self.folder)
        if wish == "running":
            while room := self._find_room(settings):
                for _ in range(room):
                    self._launch()
        elif wish == "stopped":
            for opened in self._open.values():
                self._stop_runs(opened, self.rules.stop_reason, is_pruned=False)
            self._open.clear()  # in the study they stay open, for whoever resumes the sweep

    def is_over(self) -> bool:
        """Whether nothing is open, and nothing to be begun."""
        if self._open:
            return False
        return read_wish(self.folder) != "running" or self._find_room(self._settings()) is None

    def _adopt(self, frozen: FrozenTrial) -> None:
        note = frozen.user_attrs.get(NOTE, {})
        if note.get("owner") == self._owner:
            runs = tuple(TrialRun(**run) for run in note["runs"])
            self._recorder.take_in(frozen)
            try:
                self._make_runs(frozen, runs, note["settings"])
            except LovtError as error:
                say(f"trial {frozen.number}: {error}")
            opened = open_trial(self.workspace, optuna.Trial(self.study, frozen._trial_id), runs, self.rules.watched)
            opened.told |= set(frozen.intermediate_values)
            self._open[frozen.number] = opened
        elif "owner" not in note and (self._is_alone or _age(frozen) > STALE_SECONDS):
            self._tell(
                frozen.number, Verdict(TrialState.FAIL, cause="its coordinator ended before its runs were queued")
            )

    def _make_runs(self, trial: FrozenTrial, runs: Sequence[TrialRun], settings: Mapping[str, Any]) -> None:
        """Queue those that are not there yet; one in the trash is not made again."""
        trash = self.workspace.path / TRASH
        about = {
            "params": trial.params,
            "distributions": encode_distributions(trial.distributions),
            "settings": dict(settings),
            "origin": trial.user_attrs.get(NOTE, {}).get("origin", ""),
        }
        missing = [run for run in runs if not (trash / run.id).exists()]
        self._maker.make(trial.number, missing, settings, about)

    def _look(self, opened: OpenTrial, settings: Settings) -> None:
        verdict = opened.look(self.rules, settings)
        if opened.began is not None:
            self._recorder.begin(opened.number, opened.began)
        told = opened.report(self.rules)
        for step, value in told.items():
            self._recorder.report(opened.number, step, value)
        if verdict is None and told:
            verdict = opened.prune(self.rules)
        if verdict is not None:
            self._end(opened, verdict)
        elif read_wish(self.folder) != "stopped":
            for run in opened.list_stopped(self.rules):  # by an earlier stop, which may only now be carried out
                with suppress(InputError):
                    request_retry(self.workspace, run)

    def _end(self, opened: OpenTrial, verdict: Verdict) -> None:
        if warning := opened.tell_unwatched(self.rules):
            self._warn(warning)
        if opened.began is None:
            self._recorder.begin(opened.number, time.time())  # it has never worked
        if verdict.state != TrialState.COMPLETE:
            self._stop_runs(opened, verdict.cause, is_pruned=verdict.state == TrialState.PRUNED)
        frozen = self._tell(opened.number, verdict)
        self._recorder.close_runs(frozen, [one.run for one in opened.followers.values()])
        del self._open[opened.number]

    def _warn(self, message: str) -> None:
        if not read_warnings(self.folder):  # the same metric is missing from every trial
            say(message)
            append_warning(self.folder, message)

    def _stop_runs(self, opened: OpenTrial, reason: str, *, is_pruned: bool) -> None:
        for follower in opened.followers.values():
            if follower.run.path.is_dir():
                with suppress(InputError):  # it has ended
                    request_stop(follower.run, reason, "pruned" if is_pruned else "stopped")

    def _tell(self, number: int, verdict: Verdict) -> FrozenTrial:
        if verdict.cause:
            storage = self.study._storage
            trial_id = storage.get_trial_id_from_study_id_trial_number(self.study._study_id, number)
            storage.set_trial_user_attr(trial_id, CAUSE, verdict.cause[:500])
        frozen = self.study.tell(number, verdict.values, state=verdict.state, skip_if_finished=True)
        self._recorder.take_in(frozen)
        return frozen

    def _find_room(self, settings: Settings) -> int | None:
        """How many more trials may be open at once now; None: no other one is to begin, ever."""
        config = self.folder.extend(self.rules.sweep.config)
        own = count_own(self.rules.sweep, self.study.get_trials(deepcopy=False))
        budget = min(config.trials, count_grid(config.space)) if config.sampler.name == "grid" else config.trials
        if own >= budget or (config.hours is not None and time.time() - self._began > config.hours * 3600):
            return None
        jobs = config.jobs or count_places(settings, self._terms)
        return max(0, min(jobs - len(self._open), budget - own))

    def _launch(self) -> None:
        """Ask for a trial and queue its runs."""
        if self._asker is None:
            self._asker = make_asker(self.folder, self.rules.sweep, self.study)
        trial = self._asker.ask()
        settings = settings_of(self.rules.sweep.config.space, trial.params)
        runs = plan_runs(self.rules.sweep, trial.number)
        note = {
            "owner": self._owner,
            "origin": trial.user_attrs.get(NOTE, {}).get("origin", ""),
            "settings": settings,
            "runs": [{"id": run.id, "role": run.role, "repeat": run.repeat} for run in runs],
        }
        trial.set_user_attr(NOTE, note)
        frozen = self.study._storage.get_trial(trial._trial_id)
        self._recorder.take_in(frozen)
        opened = open_trial(self.workspace, trial, runs, self.rules.watched)
        self._open[trial.number] = opened
        try:
            self._make_runs(frozen, runs, settings)
        except LovtError as error:
            self._end(opened, Verdict(TrialState.FAIL, cause=str(error)))

    def _settings(self) -> Settings:
        try:
            return load_settings(self.workspace.settings)
        except LovtError:
            return Settings()


def _age(trial: FrozenTrial) -> float:
    return time.time() - trial.datetime_start.timestamp() if trial.datetime_start else 0.0


def say(message: str) -> None:
    """One line in the coordinator's log; a full disk costs the line, not the coordinator."""
    with suppress(OSError):
        sys.stderr.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {hide_password(message)}\n")
        sys.stderr.flush()


def run_coordinator(folder: SweepFolder) -> bool:
    """Work until the sweep is over, stopped, or paused with nothing open; False when another coordinator lives."""
    lock = take_lock(folder.lock)
    if lock is None:
        return False
    while True:
        try:
            _work(folder, lock)
        except (SQLAlchemyError, optuna.exceptions.StorageInternalError, StorageUnreachableError) as error:
            say(f"the storage does not answer: {str(error).splitlines()[0]}; trying again in {AGAIN_SECONDS:.0f} s")
            time.sleep(AGAIN_SECONDS)  # and then as after a death: from what the storage says
        except LovtError:
            os.close(lock)
            raise
        else:
            return True


def _work(folder: SweepFolder, lock: int) -> None:
    coordinator = Coordinator(folder)
    coordinator.begin()
    while True:
        coordinator.tick()
        if coordinator.is_over():
            with deciding(folder):  # whoever asks for more from now on finds the lock free, and starts another one
                if coordinator.is_over():
                    if read_wish(folder) == "running":
                        write_request(folder, "finished")
                    os.close(lock)
                    return
        time.sleep(TICK_SECONDS)


def main() -> None:
    """Entry point of the detached process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    folder = SweepFolder(Workspace(Path(sys.argv[1])), sys.argv[2])
    try:
        run_coordinator(folder)
    except LovtError as error:
        say(str(error))
        append_request(folder, "stop", reason=str(error))
        sys.exit(1)


if __name__ == "__main__":
    main()
