"""Lines of the list of sweeps, and what stands above the one under the cursor. Pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass

from lovt_core.sweeps.trials import Trial
from lovt_tui.formatting import (
    Cell,
    StateLook,
    clean,
    fit,
    format_age,
    format_bar,
    format_duration,
    format_number,
    plural,
)
from lovt_tui.sweeping.study import Study, SweepSummary

SWEEP_LOOKS: dict[str, StateLook] = {
    "running": StateLook("●", "accent"),
    "starting": StateLook("◔", "accent"),
    "paused": StateLook("◐", "warning"),
    "stopped": StateLook("■", "warning"),
    "finished": StateLook("✔", "good"),
    "interrupted": StateLook("▲", "warning"),
    "damaged": StateLook("✘", "error"),
}
SLIM_WIDTH = 44
NORMAL_WIDTH = 76
WIDE_WIDTH = 110
STATE_WIDTH = 13
COUNTED = {
    "finished": "finished", "pruned": "pruned", "failed": "failed", "running": "at work", "queued": "queued",
    "stopped": "stopped",
}  # fmt: skip
"""States of trials in their order -> how the heading calls them."""
INTERRUPTED = "its coordinator died and begins no more trials; r starts it again, and it goes on with the same trials"
MAX_NAMED = 8
"""Trials of a Pareto front that are named."""


@dataclass(frozen=True)
class SweepEntry:
    """One line of the list."""

    summary: SweepSummary
    now: float


def list_columns(width: int) -> tuple[tuple[str, int, str], ...]:
    """Title, width and alignment of the columns that fill `width`, one cell between two."""
    if width < NORMAL_WIDTH:
        fixed = [("trials", 7, "right"), ("best", 9 if width >= SLIM_WIDTH else 7, "right")]
    else:
        fixed = [("trials", 20, "left"), ("pruned", 6, "right"), ("failed", 6, "right"), ("best", 10, "right")]
        fixed += [("age", 4, "right")]
    if width >= WIDE_WIDTH:
        fixed.insert(-2, ("objective", max(18, (width - WIDE_WIDTH) // 2 + 18), "left"))
    taken = STATE_WIDTH + sum(size for _, size, _ in fixed) + len(fixed) + 1
    return ("state", STATE_WIDTH, "left"), ("sweep", max(8, width - taken), "left"), *fixed


def sweep_heading(width: int) -> list[Cell]:
    """The titles."""
    return [Cell(" ".join(fit(title, size, align) for title, size, align in list_columns(width)), "dim")]


def sweep_cells(entry: SweepEntry, width: int) -> list[Cell]:
    """A sweep; of a damaged one the reason stands in place of all that is not known."""
    columns = list_columns(width)
    summary = entry.summary
    if summary.state == "damaged":
        (_, first, _), (_, second, _), *rest = columns
        left = sum(size for _, size, _ in rest) + len(rest) - 1
        name = Cell(fit(clean(summary.name), second), "strong")
        reason = Cell(fit(clean(summary.reason), left), "error")
        return [_fit(format_sweep_state(summary.state), first), Cell(" "), name, Cell(" "), reason]
    cells: list[Cell] = []
    for title, size, align in columns:
        cells += [_fit(_cell(title, size, entry), size, align), Cell(" ")]
    return cells[:-1]


def _cell(title: str, width: int, entry: SweepEntry) -> Cell:
    summary = entry.summary
    match title:
        case "state":
            return format_sweep_state(summary.state)
        case "sweep":
            return Cell(clean(summary.name), "strong")
        case "trials":
            return Cell(_format_progress(summary, width))
        case "pruned" | "failed":
            count = summary.count(title)
            return Cell(str(count), "error" if title == "failed" and count else "" if count else "dim")
        case "objective":
            return Cell(clean(", ".join(summary.objectives)), "dim")
        case "best":
            return Cell(describe_best_value(summary), "good")
        case _:
            return Cell("" if summary.created is None else format_age(max(0.0, entry.now - summary.created)), "dim")


def _fit(cell: Cell, width: int, align: str = "left") -> Cell:
    return Cell(fit(cell.text, width, align), cell.tone)


def _format_progress(summary: SweepSummary, width: int) -> str:
    counts = f"{summary.num_ended}/{summary.wanted}"
    room = width - 10
    return counts if room < 6 else f"{counts:>9} {format_bar(summary.num_ended, summary.wanted, room)}"


def format_sweep_state(state: str) -> Cell:
    """Glyph and word."""
    look = SWEEP_LOOKS.get(state, StateLook("?", ""))
    return Cell(f"{look.glyph} {state}", look.tone)


def describe_best_value(summary: SweepSummary) -> str:
    """The best value, or how many trials are on the front."""
    if not summary.best:
        return ""
    if len(summary.objectives) > 1:
        return f"{len(summary.best)} front"
    return format_number(summary.best[0].values[0])


def heading_lines(summary: SweepSummary, study: Study | None, now: float) -> tuple[tuple[Cell, ...], ...]:
    """Counts, the best so far, and how it searches; the most important first in each line."""
    state = [format_sweep_state(summary.state), Cell(f"  {clean(summary.name)}", "strong")]
    if study is None:
        return ((*state,),)
    ended = f"  {summary.num_ended} of {plural(summary.wanted, 'trial')}"
    counts = ", ".join(f"{summary.count(key)} {word}" for key, word in COUNTED.items() if summary.count(key))
    left = estimate_seconds_left(study, now) if summary.state == "running" else None
    rest = "" if left is None else f"  about {format_duration(left)} left"
    return (
        (*state, Cell(ended), Cell(f"  {counts}{rest}", "dim")),
        tuple(_best_cells(summary, study)),
        (Cell(describe_search(study), "dim"),),
    )


def _best_cells(summary: SweepSummary, study: Study) -> list[Cell]:
    if not summary.best:
        return [Cell(f"no trial has finished yet; searched for: {clean(', '.join(study.objectives))}", "dim")]
    if len(study.objectives) > 1:
        named = ", ".join(str(trial.number) for trial in summary.best[:MAX_NAMED])
        more = " …" if len(summary.best) > MAX_NAMED else ""
        return [
            Cell("◆ Pareto front: ", "good"),
            Cell(f"{plural(len(summary.best), 'trial')}: {named}{more}", "strong"),
        ]
    best = summary.best[0]
    direction = "lower" if study.minimized[0] else "higher"
    base = "" if study.first_value is None else f"   base {format_number(study.first_value, 5)}"
    return [
        Cell("◆ best: ", "good"),
        Cell(f"trial {best.number}, {clean(study.objectives[0])} {format_number(best.values[0], 5)}", "strong"),
        Cell(f"{base}   {direction} is better", "dim"),
    ]


def describe_search(study: Study) -> str:
    """Sampler, pruner, trials at once, repeats and time."""
    config = study.config
    watched = f" on {config.pruner.metric}" if config.pruner.metric else ""
    parts = [
        f"{config.sampler.name} sampler",
        "no pruner" if config.pruner.name == "none" else f"{config.pruner.name} pruner{watched}",
        f"{config.jobs} at once" if config.jobs else "as many at once as there are places",
        f"{config.repeats} runs a trial" if config.repeats > 1 else "",
        f"no trial begins after {config.hours:g} h" if config.hours else "no time limit",
        f"base {config.experiment}",
    ]
    return clean(" · ".join(filter(None, parts)))


def describe_state(summary: SweepSummary) -> tuple[str, str]:
    """A sentence on what is wrong, and its tone; nothing where nothing is."""
    match summary.state:
        case "damaged":
            return clean(summary.reason), "error"
        case "interrupted":
            return f"{clean(summary.name)}: {INTERRUPTED}", "warning"
    return (clean(summary.reason), "warning") if summary.reason else ("", "warning")


def estimate_seconds_left(study: Study, now: float) -> float | None:
    """How long the trials that are still to come will take, if they are like those before."""
    own: Sequence[Trial] = [trial for trial in study.trials if trial.runs]
    ended = [trial.ended for trial in own if trial.ended is not None]
    if not ended or len(ended) >= study.config.trials:
        return None
    pace = (max(ended) - min(trial.started for trial in own)) / len(ended)
    left = pace * (study.config.trials - len(ended)) - max(0.0, now - max(ended))
    return left if left > 0 else None
