"""Lines of the table of trials: their order, the columns that fit, and one trial in full. Pure functions."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lovt_core.sweeps.trials import DisplayState, Trial, display_state
from lovt_tui.formatting import STATE_LOOKS, Cell, clean, fit, format_duration, format_number
from lovt_tui.sweeping.study import Study

if TYPE_CHECKING:
    from lovt_core.runs.records import RunRow
    from lovt_core.sweeps.export import TrialColumn

BEST = "◆"
SORTS = ("-number", "value", "-time")
"""Newest first, best first, longest first; a minus turns the order round."""
MIN_COLUMN, MAX_COLUMN = 8, 14
TRIAL_WIDTH, STATE_WIDTH, TIME_WIDTH, RUN_WIDTH, CAUSE_WIDTH = 6, 10, 6, 30, 14


@dataclass(frozen=True)
class TrialEntry:
    """One line of the table."""

    trial: Trial
    state: DisplayState
    is_best: bool
    """The best one, or on the Pareto front."""
    progress: float | None
    """Of a trial at work: how far its runs are, 0 to 1."""
    seconds: float | None


@dataclass(frozen=True)
class TrialColumns:
    """The columns of a table of a certain width."""

    values: tuple[tuple[str, int], ...]
    """Objectives with their widths."""
    params: "tuple[tuple[TrialColumn, int], ...]"
    num_hidden: int
    """Parameters that do not fit."""
    run: int
    cause: int
    """Widths; 0: no such column."""


def choose_columns(study: Study, width: int) -> TrialColumns:
    """As many parameters as fit; what is left is for the ids of runs and for causes."""
    values = tuple((name, min(MAX_COLUMN, max(9, len(clean(shorten(name)))))) for name in study.objectives)
    left = width - TRIAL_WIDTH - STATE_WIDTH - TIME_WIDTH - 2 - sum(size + 1 for _, size in values)
    needs_cause = any(trial.cause or trial.origin for trial in study.trials)
    room = left - (CAUSE_WIDTH + 1 if needs_cause and left >= CAUSE_WIDTH + MIN_COLUMN + 2 else 0)
    params: list[tuple[TrialColumn, int]] = []
    for column in study.columns:
        size = min(MAX_COLUMN, max(MIN_COLUMN, len(clean(shorten(column.name)))))
        if size + 1 > room:
            break
        params.append((column, size))
        room -= size + 1
        left -= size + 1
    num_hidden = len(study.columns) - len(params)
    run = RUN_WIDTH if not num_hidden and left >= RUN_WIDTH + CAUSE_WIDTH + 2 else 0
    cause = left - (run + 1 if run else 0) - 1
    return TrialColumns(values, tuple(params), num_hidden, run, cause if cause >= MIN_COLUMN else 0)


def trial_heading(columns: TrialColumns, sort: str) -> list[Cell]:
    """The titles; the one that the rows are sorted by has an arrow."""
    cells = []
    for title, size, align in list_titles(columns):
        by = sort.removeprefix("-")
        arrow = ("↓" if sort.startswith("-") else "↑") if SORT_OF.get(title, "value?") == by else ""
        if by == "value" and columns.values and title == shorten(columns.values[0][0]):
            arrow = "↓" if sort.startswith("-") else "↑"
        cells.append(fit(clean(title) + arrow, size, align))
    return [Cell(" ".join(cells), "dim")]


SORT_OF = {"trial": "number", "took": "time"}
"""Title of a column -> what it sorts by; titles of objectives sort by value."""


def list_titles(columns: TrialColumns) -> list[tuple[str, int, str]]:
    """Title, width and alignment of each column."""
    titles = [("trial", TRIAL_WIDTH, "right"), ("state", STATE_WIDTH, "left")]
    titles += [(shorten(name), size, "right") for name, size in columns.values]
    titles += [(shorten(column.name), size, "right") for column, size in columns.params]
    titles.append(("took", TIME_WIDTH, "right"))
    if columns.run:
        titles.append(("run", columns.run, "left"))
    if columns.cause:
        more = f"why   d: {columns.num_hidden} more" if columns.num_hidden else "why"
        titles.append((more, columns.cause, "left"))
    return titles


def find_sort(columns: TrialColumns, x: int) -> str:
    """What a click on the headings at this cell sorts by; empty where there is nothing to sort by."""
    start, names = 0, {shorten(name) for name, _ in columns.values}
    for title, size, _ in list_titles(columns):
        if start <= x <= start + size:
            return SORT_OF.get(title, "value" if title in names else "")
        start += size + 1
    return ""


def trial_cells(entry: TrialEntry, columns: TrialColumns) -> list[Cell]:
    """A trial, in exactly the columns' widths."""
    trial = entry.trial
    tone = "good" if entry.is_best else "dim" if trial.state == "pruned" else ""
    look = STATE_LOOKS[entry.state]
    number = f"{BEST} {trial.number}" if entry.is_best else str(trial.number)
    texts = [Cell(number, tone), Cell(f"{look.glyph} {entry.state}", look.tone)]
    texts += _value_cells(entry, len(columns.values), tone)
    texts += [Cell(format_param(column.value_of(trial)), tone if tone == "dim" else "") for column, _ in columns.params]
    texts.append(Cell("" if entry.seconds is None else format_duration(entry.seconds), "dim"))
    if columns.run:
        texts.append(Cell(clean(trial.runs[0].id) if trial.runs else "", "dim"))
    if columns.cause:
        texts.append(Cell(explain(trial), "error" if trial.state == "failed" else "dim"))
    cells: list[Cell] = []
    for cell, (_, size, align) in zip(texts, list_titles(columns), strict=True):
        cells += [Cell(fit(cell.text, size, align), cell.tone), Cell(" ")]
    return cells[:-1]


def _value_cells(entry: TrialEntry, count: int, tone: str) -> list[Cell]:
    if entry.trial.values:
        return [Cell(format_number(value, 5), tone or "strong") for value in entry.trial.values]
    done = "" if entry.progress is None else f"{math.floor(100 * entry.progress)}% done"
    return [Cell(done, "accent"), *(Cell("") for _ in range(count - 1))]


def order_trials(study: Study, sort: str, objective: int = 0) -> tuple[Trial, ...]:
    """In the order of `sort`; trials that have no value, or no duration yet, come last."""
    by, is_turned = sort.removeprefix("-"), sort.startswith("-")
    if by == "number":
        return study.trials[::-1] if is_turned else study.trials
    sign = 1 if by == "time" or study.minimized[objective] else -1
    keyed = [(_read_key(trial, by, objective), trial) for trial in study.trials]
    known = [(sign * key, trial.number, trial) for key, trial in keyed if key is not None]
    known.sort(key=lambda each: (-each[0] if is_turned else each[0], each[1]))
    return (*(trial for _, _, trial in known), *(trial for key, trial in keyed if key is None))


def _read_key(trial: Trial, by: str, objective: int) -> float | None:
    if by == "time":
        return trial.seconds
    value = trial.values[objective] if trial.state == "finished" else math.nan
    return None if math.isnan(value) else value


def next_sort(sort: str) -> str:
    """The next of the usual orders."""
    by = [each.removeprefix("-") for each in SORTS]
    return SORTS[(by.index(sort.removeprefix("-")) + 1) % len(SORTS)]


def click_sort(sort: str, clicked: str) -> str:
    """After a click on a heading: that order, or the other direction where it is so already."""
    if sort.removeprefix("-") == clicked:
        return turn_sort(sort)
    return next(each for each in SORTS if each.removeprefix("-") == clicked)


def turn_sort(sort: str) -> str:
    """The other direction."""
    return sort.removeprefix("-") if sort.startswith("-") else f"-{sort}"


def make_entries(
    study: Study, trials: Sequence[Trial], sweep_state: str, rows: "Mapping[str, RunRow]", now: float
) -> tuple[TrialEntry, ...]:
    """Lines for trials; `rows` are the runs that are known of those at work."""
    return tuple(
        TrialEntry(
            trial=trial,
            state=display_state(trial, sweep_state),
            is_best=trial.number in study.best,
            progress=_measure_progress(trial, rows) if trial.state == "running" else None,
            seconds=_measure_seconds(trial, now),
        )
        for trial in trials
    )


def _measure_seconds(trial: Trial, now: float) -> float | None:
    if trial.ended is not None:
        return trial.seconds
    return None if trial.began is None else max(0.0, now - trial.began)


def find_rows(study: Study, runs: "Iterable[RunRow]") -> "dict[str, RunRow]":
    """The runs of trials at work, by id."""
    wanted = {run.id for trial in study.trials if trial.state == "running" for run in trial.runs}
    return {row.id: row for row in runs if row.id in wanted} if wanted else {}


def _measure_progress(trial: Trial, rows: "Mapping[str, RunRow]") -> float | None:
    own = [rows[run.id] for run in trial.runs if run.id in rows]
    shares = [1.0 if row.state == "finished" else row.done / row.total if row.total else 0.0 for row in own]
    return sum(shares) / len(trial.runs) if shares else None


def find_run(trial: Trial, rows: "Mapping[str, RunRow]") -> str | None:
    """The run to look at: one at work, else the first training."""
    active = [run.id for run in trial.runs if run.id in rows and rows[run.id].state in ("running", "launched")]
    trainings = [run.id for run in trial.runs if run.role == "training"]
    return next(iter((*active, *trainings, *(run.id for run in trial.runs))), None)


def explain(trial: Trial) -> str:
    """Why it failed or was pruned, or where it comes from."""
    if trial.cause:
        return clean(trial.cause)
    return "base" if trial.origin == "base" else f"from {clean(trial.origin)}" if trial.origin else ""


def shorten(name: str) -> str:
    """The last part of a key; the last two where that alone says little."""
    parts = name.split(".")
    return parts[-1] if len(parts[-1]) > 5 else ".".join(parts[-2:])


def format_param(value: Any) -> str:
    """A value of a parameter; empty where the trial lacks it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.4g}".replace("e-0", "e-") if isinstance(value, float) else clean(str(value))


def trial_lines(study: Study, trial: Trial, sweep_state: str) -> tuple[tuple[Cell, ...], ...]:
    """Everything that is known of a trial."""
    state = display_state(trial, sweep_state)
    look = STATE_LOOKS[state]
    lines: list[tuple[Cell, ...]] = [(Cell(f"{look.glyph} {state}", look.tone), Cell(f"  {explain(trial)}"))]
    for title, seconds in (("took ", trial.seconds), ("waited for a place ", trial.queued_seconds)):
        if seconds is not None:
            lines.append((Cell(title, "dim"), Cell(format_duration(seconds))))
    for name, value in zip(study.objectives, trial.values, strict=False):
        lines.append((Cell(f"{clean(name)}  ", "dim"), Cell(format_number(value, 6), "strong")))
    for title, pairs in (("Parameters", trial.params), ("Settings of the experiment", trial.settings)):
        lines += [(Cell(""),), (Cell(title, "strong"),)]
        width = max((len(clean(key)) for key in pairs), default=0)
        lines += [(Cell(f"{clean(key):<{width}}  ", "dim"), Cell(format_param(value))) for key, value in pairs.items()]
    lines += [(Cell(""),), (Cell("Runs", "strong"),)]
    lines += [(Cell(f"{run.role:<11}", "dim"), Cell(clean(run.id))) for run in trial.runs]
    return tuple(lines)
