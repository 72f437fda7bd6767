"""What is new in the folders of sweeps: only what was appended since the last look is read."""

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lovt_core.errors import LovtError
from lovt_core.runs.lines import complete_lines
from lovt_core.sweeps.trials import Trial, display_state, gather_trials
from lovt_tui.formatting import plural
from lovt_tui.sweeping.study import ENDED, Study, SweepSummary, build_study

if TYPE_CHECKING:
    from lovt_core.config.sweep import SweepConfig
    from lovt_core.sweeps.folder import SweepFolder

READ_ERRORS = (LovtError, OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError)
"""What damaged files lead to."""
BEGIN_SECONDS = 15.0
"""What a coordinator may take to begin after it was asked for; before that nothing is wrong."""
Stamp = tuple[int, int, int] | None


class TrialFollower:
    """The trials of a growing file; lines of trials that have ended are forgotten."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._stamp: Stamp = None
        self._offset = 0
        self._open: dict[int, list[Mapping[str, Any]]] = {}
        self._trials: dict[int, Trial] = {}
        self._read: tuple[Trial, ...] = ()
        self.damaged: frozenset[int] = frozenset()

    def read(self) -> tuple[Trial, ...]:
        """The trials of now, by number; the very object of the last time where the file is as it was.

        Those that make no sense are left out, and their numbers are in `damaged`.
        """
        stamp = take_stamp(self._path)
        if stamp == self._stamp:
            return self._read
        is_same_file = self._stamp is not None and stamp is not None and stamp[0] == self._stamp[0]
        if not is_same_file or (stamp is not None and stamp[1] < self._offset):
            self._begin_anew()
        self._stamp = stamp
        if stamp is not None and not self._take_in(self._read_new()):
            self._begin_anew()
            self._stamp = stamp
            self._take_in(self._read_new())
        self._read = tuple(self._trials[number] for number in sorted(self._trials))
        return self._read

    def _read_new(self) -> list[dict[str, Any]]:
        with self._path.open("rb") as file:
            file.seek(self._offset)
            records, length = complete_lines(file.read())
        self._offset += length
        return records

    def _take_in(self, records: Iterable[Mapping[str, Any]]) -> bool:
        """Whether that worked: not where a trial goes on whose lines are forgotten."""
        touched: dict[int, None] = {}
        for record in records:
            if isinstance(number := record.get("trial"), int):
                if number not in self._open and number in self._trials:
                    return False
                self._open.setdefault(number, []).append(record)
                touched[number] = None
        for number in touched:
            self._gather(number)
        return True

    def _gather(self, number: int) -> None:
        try:
            (trial,) = gather_trials(self._open[number])
            is_sound = _is_sound(trial)
        except READ_ERRORS:
            is_sound = False
        if not is_sound:
            self.damaged |= {number}
            return
        self._trials[number] = trial
        self.damaged -= {number}
        if trial.state != "running":
            del self._open[number]


def _is_sound(trial: Trial) -> bool:
    """Whether everything in it is of the type that it should be."""
    times = (time for time in (trial.began, trial.ended) if time is not None)
    numbers = (trial.started, *times, *trial.values, *trial.intermediate.values())
    return (
        trial.state in ("running", *ENDED)
        and all(isinstance(each, dict) for each in (trial.params, trial.distributions, trial.settings))
        and all(isinstance(number, int | float) for number in numbers)
        and all(isinstance(run.id, str) for run in trial.runs)
    )


class SweepFollower:
    """One sweep; config and requests are read again where their files have changed."""

    def __init__(self, folder: "SweepFolder") -> None:
        self._folder = folder
        self._trials = TrialFollower(folder.trials_file)
        self._stamps: tuple[Stamp, ...] = ()
        self._damaged: tuple[Stamp, ...] = ()
        self._config: SweepConfig | None = None
        self._wish = ""
        self._reason = ""
        self._asked = 0.0
        self._created: float | None = None
        self._seen: tuple[object, ...] = ()
        self._summary = SweepSummary(folder.name, "damaged")
        self._study: Study | None = None

    def read(self) -> tuple[SweepSummary, Study | None]:
        """The very objects of the last time where nothing has changed; a damaged sweep has its reason and no study."""
        stamps: tuple[Stamp, ...] = ()
        try:
            files = (self._folder.path / "sweep.yaml", self._folder.control, self._folder.path / "origin.json")
            stamps = tuple(map(take_stamp, files))
            if stamps != self._damaged:
                self._damaged = ()
                return self._read(stamps)
        except READ_ERRORS as error:
            self._damaged = () if isinstance(error, OSError) else stamps
            self._stamps, self._seen, self._study = (), (), None
            told = str(error) if isinstance(error, LovtError) else f"sweeps/{self._folder.name} cannot be read: {error}"
            reason = told.replace(f"{self._folder.workspace.path}/", "")
            self._keep(SweepSummary(self._folder.name, "damaged", reason))
        return self._summary, None

    def _read(self, stamps: tuple[Stamp, ...]) -> tuple[SweepSummary, Study]:
        if stamps != self._stamps or self._config is None:
            self._read_files()
            self._stamps = stamps
        assert self._config is not None
        trials, state = self._trials.read(), self._find_state()
        seen = (stamps, state, id(trials))
        if seen != self._seen or self._study is None:
            if self._study is None or self._seen[::2] != seen[::2]:
                self._study = build_study(self._folder.name, self._config, trials)
            self._keep(self._summarize(state, self._study))
            self._seen = seen
        return self._summary, self._study

    def _read_files(self) -> None:
        from lovt_core.sweeps.folder import find_stop_reason, read_warnings, read_wish

        folder = self._folder
        self._config = None
        self._config = _check_config(folder.config())
        self._wish = read_wish(folder)
        self._reason = find_stop_reason(folder) or next(reversed(read_warnings(folder)), "")
        self._asked = max(
            path.stat().st_mtime for path in (folder.path / "sweep.yaml", folder.control) if path.exists()
        )
        try:
            self._created = float(folder.origin()["created"])
        except READ_ERRORS as error:
            self._created = None
            self._reason = self._reason or str(error)

    def _find_state(self) -> str:
        from lovt_core.runs.locks import is_locked

        if self._wish != "running" or is_locked(self._folder.lock):
            return self._wish
        return "starting" if time.time() - self._asked < BEGIN_SECONDS else "interrupted"

    def _summarize(self, state: str, study: Study) -> SweepSummary:
        damaged = len(self._trials.damaged) + len(self._trials.read()) - len(study.trials)
        left_out = f"trials.jsonl: {plural(damaged, 'trial')} of no sense left out" if damaged else ""
        counts = Counter(str(display_state(trial, state)) for trial in study.trials)
        return SweepSummary(
            name=self._folder.name,
            state=state,
            reason=". ".join(filter(None, (left_out, self._reason))),
            objectives=study.objectives,
            counts=tuple(sorted(counts.items())),
            wanted=study.config.trials,
            best=tuple(trial for trial in study.trials if trial.number in study.best),
            created=self._created or min((trial.started for trial in study.trials), default=None),
        )

    def _keep(self, summary: SweepSummary) -> None:
        """Equal ones are the same object."""
        if summary != self._summary:
            self._summary = summary


def _check_config(config: "SweepConfig") -> "SweepConfig":
    """What `extend` wrote is not validated elsewhere."""
    numbers = (config.trials, config.hours or 1, config.jobs or 1)
    if not all(isinstance(number, int | float) and number > 0 for number in numbers):
        raise ValueError("its control.jsonl extends it by what is no number above 0")
    return config


def take_stamp(path: Path) -> Stamp:
    """Inode, size and time of a file; None where there is none."""
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    return stat.st_ino, stat.st_size, stat.st_mtime_ns
