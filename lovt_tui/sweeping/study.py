"""A sweep as its screen shows it: its line in the list, and the whole of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lovt_core.sweeps.trials import Trial, best_trials

if TYPE_CHECKING:
    from lovt_core.config.sweep import SweepConfig
    from lovt_core.sweeps.export import TrialColumn

ENDED = ("finished", "pruned", "failed")


@dataclass(frozen=True)
class SweepSummary:
    """A sweep in the list."""

    name: str
    state: str
    """A `SweepState`, or `starting`: its coordinator was asked for just now, or `damaged`."""
    reason: str = ""
    """Why it is damaged or stopped, where that is known."""
    objectives: tuple[str, ...] = ()
    counts: tuple[tuple[str, int], ...] = ()
    """`DisplayState` of trials -> how many there are, without zeros."""
    wanted: int = 0
    best: tuple[Trial, ...] = ()
    """The best trial, or the Pareto front."""
    created: float | None = None
    """Unix seconds."""

    @property
    def num_ended(self) -> int:
        """Trials that will not change any more."""
        return sum(count for state, count in self.counts if state in ENDED)

    def count(self, state: str) -> int:
        """Trials in a state."""
        return dict(self.counts).get(state, 0)


@dataclass(frozen=True, eq=False)
class Study:
    """A sweep in full; equal only to itself."""

    name: str
    config: "SweepConfig"
    trials: tuple[Trial, ...]
    best: frozenset[int]
    """Numbers of the best trial, or of those on the Pareto front."""
    columns: "tuple[TrialColumn, ...]"
    """Parameters of the trial table, and keys that get shares."""
    parameters: tuple[str, ...]
    """Names of the axes of plots."""
    first_value: float | None
    """Of the base experiment, where that is a trial: for the first objective."""

    @property
    def objectives(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(each.name for each in self.config.objective)

    @property
    def minimized(self) -> tuple[bool, ...]:
        """For each objective whether lower is better."""
        return tuple(each.is_minimized for each in self.config.objective)

    def find(self, number: int) -> Trial | None:
        """The trial of that number."""
        return next((trial for trial in self.trials if trial.number == number), None)


def build_study(name: str, config: "SweepConfig", trials: Sequence[Trial]) -> Study:
    """A sweep in full; finished trials with another number of values than there are objectives are left out."""
    from lovt_core.sweeps.export import list_columns
    from lovt_core.sweeps.parameter_axes import list_axes

    num_values = len(config.objective)
    sound = tuple(trial for trial in trials if trial.state != "finished" or len(trial.values) == num_values)
    best = best_trials(sound, tuple(each.is_minimized for each in config.objective))
    base = next((trial for trial in sound if trial.origin == "base" and trial.values), None)
    return Study(
        name=name,
        config=config,
        trials=sound,
        best=frozenset(trial.number for trial in best),
        columns=list_columns(config, with_fractions=False),
        parameters=tuple(axis.name for axis in list_axes(config.space)),
        first_value=None if base is None else base.values[0],
    )
