"""Trials as a table that fits the terminal: a column for each parameter, or all of them in one where it is narrow."""

from typing import TYPE_CHECKING, Any

from lovt_tui.cli.context import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from lovt_core.config.sweep import SweepConfig
    from lovt_core.sweeps.trials import Trial

STYLES = {"finished": "", "running": "cyan", "queued": "yellow", "stopped": "yellow", "pruned": "dim", "failed": "red"}
MIN_COLUMN = 10
WHY_WIDTH = 16


def choose_shown(config: "SweepConfig", trials: "Sequence[Trial]", limit: int, sort: str) -> "list[Trial]":
    """The newest trials, the last one last; by `value` the best first, those without one behind."""
    if sort != "value":
        return list(trials)[-limit:]
    sign = 1 if config.objective[0].is_minimized else -1
    done = sorted((trial for trial in trials if trial.values), key=lambda trial: sign * trial.values[0])
    return [*done, *(trial for trial in trials if not trial.values)][:limit]


def trial_table(
    config: "SweepConfig", shown: "Sequence[Trial]", best: "set[int]", width: int, sweep_state: str = "finished"
) -> "Table":
    """A line for each trial, those in `best` marked."""
    from rich.table import Table
    from rich.text import Text

    from lovt_core.sweeps.trials import display_state

    names = list(dict.fromkeys(name for trial in shown for name in trial.params))
    is_wide = _measure(config, names) <= width
    table = Table("", "state", box=None, pad_edge=False)
    for objective in config.objective:
        table.add_column(objective.name, overflow="fold")
    for heading in map(shorten, names) if is_wide else ("parameters",):
        table.add_column(heading, overflow="fold")
    table.add_column("why", overflow="fold")
    for trial in shown:
        values = [f"{value:.5g}" for value in trial.values] or [""] * len(config.objective)
        params = [_show(trial.params.get(name)) for name in names]
        if not is_wide:
            pairs = zip(names, params, strict=True)
            params = ["\n".join(f"{shorten(name)} {value}" for name, value in pairs if value)]
        number = f"{'*' if trial.number in best else ''}{trial.number}"
        state = display_state(trial, sweep_state)
        cells = [Text(cell) for cell in (number, state, *values, *params, visible(_explain(trial)))]
        table.add_row(*cells, style="bold" if trial.number in best else STYLES[state])
    return table


def _measure(config: "SweepConfig", names: list[str]) -> int:
    """Characters that a line with a column for each parameter needs."""
    columns = [each.name for each in config.objective] + [shorten(name) for name in names]
    return 4 + 10 + WHY_WIDTH + sum(max(len(column), MIN_COLUMN) + 2 for column in columns)


def _explain(trial: "Trial") -> str:
    if trial.cause or trial.origin in ("", "base"):
        return trial.cause or trial.origin
    return f"from {trial.origin}"


def shorten(name: str) -> str:
    """The last two parts of a key."""
    return ".".join(name.split(".")[-2:])


def _show(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else "" if value is None else str(value)
