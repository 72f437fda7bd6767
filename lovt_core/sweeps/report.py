"""A sweep as one HTML file that needs nothing else: facts, plots, importance, trials and why some failed."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from typing import Final

from lovt_core.config.sweep import (
    CategoricalParameter,
    FloatParameter,
    IntParameter,
    Parameter,
    SharesParameter,
    SweepConfig,
)
from lovt_core.config.sweep_file import list_keys
from lovt_core.errors import InputError
from lovt_core.files import write_bytes_atomic
from lovt_core.results.html_page import open_templates
from lovt_core.sweeps import pictures
from lovt_core.sweeps.export import format_value, list_columns
from lovt_core.sweeps.folder import SweepFolder, SweepState, read_sweep_state
from lovt_core.sweeps.importance import FEW_TRIALS, Importance, Method, compute_importance
from lovt_core.sweeps.parameter_axes import list_axes, name_choice
from lovt_core.sweeps.shapes import Picture
from lovt_core.sweeps.trials import DisplayState, Trial, best_trials, display_state
from lovt_core.sweeps.views import (
    compute_contour,
    compute_fronts,
    compute_history,
    compute_intermediate,
    compute_parallel,
    compute_slices,
)

MAX_CONTOUR_PARAMETERS: Final = 4
"""Every two of so many, the most important ones."""
_STATES: Final[tuple[DisplayState, ...]] = ("finished", "pruned", "failed", "running", "queued", "stopped")
_TEMPLATES = Path(__file__).parent / "templates"
_METHODS: Final[dict[Method, str]] = {
    "ped-anova": "PED-ANOVA: what distinguishes the best tenth of the trials",
    "fanova": "fANOVA: share of the variance over the whole space",
}


@dataclass(frozen=True)
class Section:
    """Plots under one heading; `remarks` say what could not be drawn."""

    title: str
    pictures: tuple[Picture, ...]
    remarks: tuple[str, ...] = ()


def write_report(folder: SweepFolder, file: Path) -> None:
    """Write the page of a sweep as it is now, replacing `file`; raises LovtError when the disk refuses."""
    text = to_html(folder.trials(), folder.config(), read_sweep_state(folder))
    write_bytes_atomic(file, text.encode(), mode=0o644)


def to_html(trials: Sequence[Trial], config: SweepConfig, state: SweepState) -> str:
    """A page with styles and pictures inside, for light and dark screens and for paper; all text is escaped."""
    environment = open_templates(_TEMPLATES)
    environment.globals.update(format_value=format_value, format_duration=_format_duration)
    return environment.get_template("sweep.html.j2").render(
        config=config,
        facts=list(_list_facts(trials, config, state)),
        space=[(name, *_describe_parameter(name, each)) for name, each in config.space.items()],
        shown_state=lambda trial: display_state(trial, state),
        best=best_trials(trials, tuple(each.is_minimized for each in config.objective)),
        base=next((trial for trial in trials if trial.origin == "base"), None),
        columns=list_columns(config, with_fractions=False),
        sections=list(_list_sections(trials, config)),
        trials=trials,
        failures=group_failures(trials),
    )


def group_failures(trials: Iterable[Trial]) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Each cause with the numbers of the trials that failed for it, the most frequent first."""
    groups: dict[str, list[int]] = {}
    for trial in trials:
        if trial.state == "failed":
            groups.setdefault(trial.cause or "no cause was written down", []).append(trial.number)
    by_count = sorted(groups.items(), key=lambda each: -len(each[1]))
    return tuple((cause, tuple(numbers)) for cause, numbers in by_count)


def _list_facts(trials: Sequence[Trial], config: SweepConfig, state: SweepState) -> Iterator[tuple[str, str]]:
    for objective in config.objective:
        yield "objective", f"{objective.name}, {'lower' if objective.is_minimized else 'higher'} is better"
    yield "base experiment", config.experiment
    for key, value in config.set.items():
        yield "set in every trial", f"{key} = {value}"
    yield "sampler", f"{config.sampler.name}, {config.sampler.startup_trials} random trials first, seed {config.seed}"
    yield "pruner", config.pruner.name + (f", watching {config.pruner.metric}" if config.pruner.metric else "")
    yield "repeats", f"{config.repeats} run{'s' if config.repeats > 1 else ''} of each trial"
    yield "state", f"{state}; {len(trials)} trials of {config.trials}"
    counts = Counter(display_state(trial, state) for trial in trials)
    yield "trials", ", ".join(f"{counts[each]} {each}" for each in _STATES if counts[each]) or "none yet"
    if started := [trial.started for trial in trials if trial.started]:
        yield "first trial", datetime.fromtimestamp(min(started), UTC).strftime("%Y-%m-%d %H:%M UTC")
    yield "work of all trials", _format_duration(sum(trial.seconds or 0.0 for trial in trials))
    if queued := sum(trial.queued_seconds or 0.0 for trial in trials):
        yield "time in the queue", _format_duration(queued)


def _format_duration(seconds: float | None) -> str:
    """Hours, minutes and seconds; a dash for a trial that has not ended."""
    if seconds is None:
        return "–"
    total = max(0, round(seconds))
    return f"{total // 3600}:{total // 60 % 60:02}:{total % 60:02}"


def _describe_parameter(name: str, parameter: Parameter) -> tuple[str, str, str]:
    """Values, keys and condition."""
    match parameter:
        case FloatParameter() | IntParameter():
            scale = ", logarithmic" if parameter.log else f", in steps of {parameter.step:g}" if parameter.step else ""
            values = f"{parameter.type} from {parameter.low:g} to {parameter.high:g}{scale}"
        case CategoricalParameter():
            values = " | ".join(map(name_choice, parameter.choices))
        case SharesParameter():
            values = f"shares of {parameter.total:g}: {', '.join(parameter.parts)}"
    when = (
        f"{other} = {' | '.join(map(name_choice, wanted if isinstance(wanted, tuple) else (wanted,)))}"
        for other, wanted in parameter.when.items()
    )
    return values, ", ".join(list_keys(name, parameter)), ", ".join(when)


def _list_sections(trials: Sequence[Trial], config: SweepConfig) -> Iterator[Section]:
    for objective, each in enumerate(config.objective):
        name = f" of {each.name}" if len(config.objective) > 1 else ""
        important, section = _draw_importances(trials, config, objective)
        history = pictures.draw_history(compute_history(trials, config, objective))
        parallel = pictures.draw_parallel(compute_parallel(trials, config, objective))
        yield Section(f"History{name}", (history,))
        if section.pictures or trials:
            yield section
        yield Section(f"Parameters{name}", tuple(map(pictures.draw_slice, compute_slices(trials, config, objective))))
        yield Section(f"Parallel coordinates{name}", (parallel,))
        pairs = combinations(_choose_for_contours(config, important), 2)
        contours = (pictures.draw_contour(compute_contour(trials, config, pair, objective)) for pair in pairs)
        if drawn := tuple(contours):
            yield Section(f"Pairs of parameters{name}", drawn)
    if (curves := compute_intermediate(trials, config)).curves:
        yield Section("Intermediate values", (pictures.draw_intermediate(curves),))
    if len(config.objective) > 1:
        yield Section("Pareto front", tuple(map(pictures.draw_front, compute_fronts(trials, config))))


def _draw_importances(
    trials: Sequence[Trial], config: SweepConfig, objective: int
) -> tuple[tuple[Importance, ...], Section]:
    """What the first method found, and the plots of all."""
    found: list[tuple[Importance, ...]] = []
    drawn, remarks = [], []
    for method, note in _METHODS.items():
        try:
            found.append(compute_importance(trials, config, objective, method))
            drawn.append(pictures.draw_importance(found[-1], method, note))
        except InputError as error:
            remarks.append(f"{method}: {error}")
    num_finished = sum(trial.state == "finished" for trial in trials)
    if drawn and num_finished < FEW_TRIALS:
        remarks.append(f"From {num_finished} finished trials importance is a hint at best.")
    title = "Importance" + (f" for {config.objective[objective].name}" if len(config.objective) > 1 else "")
    return found[0] if found else (), Section(title, tuple(drawn), tuple(dict.fromkeys(remarks)))


def _choose_for_contours(config: SweepConfig, important: Sequence[Importance]) -> list[str]:
    """The most important parameters, or the first ones where that is not known."""
    names = [each.name for each in important] or [axis.name for axis in list_axes(config.space)]
    return names[:MAX_CONTOUR_PARAMETERS]
