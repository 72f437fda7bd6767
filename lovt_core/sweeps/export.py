"""The trials of a sweep as JSON values, CSV, Markdown and LaTeX."""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from lovt_core.config.sweep import SharesParameter, SweepConfig
from lovt_core.results.latex_text import escape_latex
from lovt_core.runs.lines import encode_number
from lovt_core.sweeps.trials import Trial, best_trials

LONG_TABLE: Final = 40
"""Trials above which the LaTeX table breaks over pages."""
_ABSENT: Final = "–"


@dataclass(frozen=True)
class TrialColumn:
    """A parameter, or a key whose value comes from shares."""

    name: str
    is_setting: bool = False

    def value_of(self, trial: Trial) -> Any:
        """None where the trial lacks it."""
        return (trial.settings if self.is_setting else trial.params).get(self.name)


def list_columns(config: SweepConfig, *, with_fractions: bool) -> tuple[TrialColumn, ...]:
    """In the order of the sweep file; fractions are what Optuna knows shares by, the keys they set stand behind."""
    columns: list[TrialColumn] = []
    for name, parameter in config.space.items():
        if not isinstance(parameter, SharesParameter):
            columns.append(TrialColumn(name))
            continue
        if with_fractions:
            columns.extend(TrialColumn(f"{name}.{part}") for part in list(parameter.parts)[:-1])
        columns.extend(TrialColumn(key, is_setting=True) for keys in parameter.parts.values() for key in keys)
    return tuple(columns)


def to_json(trials: Sequence[Trial], config: SweepConfig) -> dict[str, Any]:
    """JSON values: name, objectives and one entry a trial, times in Unix seconds; `best` are numbers of trials."""
    best = best_trials(trials, tuple(each.is_minimized for each in config.objective))
    return {
        "sweep": config.name,
        "objectives": [
            {"name": each.name, "direction": "minimize" if each.is_minimized else "maximize"}
            for each in config.objective
        ],
        "best": [trial.number for trial in best],
        "trials": [_trial_json(trial) for trial in trials],
    }


def _trial_json(trial: Trial) -> dict[str, Any]:
    return {
        "trial": trial.number,
        "state": trial.state,
        "origin": trial.origin,
        "values": [encode_number(value) for value in trial.values],
        "params": dict(trial.params),
        "settings": dict(trial.settings),
        "intermediate": {str(step): encode_number(value) for step, value in trial.intermediate.items()},
        "started": trial.started,
        "began": trial.began,
        "ended": trial.ended,
        "seconds": trial.seconds,
        "queued_seconds": trial.queued_seconds,
        "runs": [{"id": run.id, "role": run.role, "repeat": run.repeat} for run in trial.runs],
        "cause": trial.cause,
    }


def to_csv(trials: Sequence[Trial], config: SweepConfig) -> str:
    """One line a trial with all digits; times in UTC, run ids with spaces between, empty where there is nothing."""
    columns = list_columns(config, with_fractions=True)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        [
            *("trial", "state", "origin"),
            *(objective.name for objective in config.objective),
            *(column.name for column in columns),
            *("seconds", "queued_seconds", "started", "ended", "runs", "cause"),
        ]
    )
    for trial in trials:
        values = trial.values or ("",) * len(config.objective)
        place = [trial.number, trial.state, trial.origin]
        times = [trial.seconds, trial.queued_seconds, _format_time(trial.started), _format_time(trial.ended)]
        found = (_exact(column.value_of(trial)) for column in columns)
        writer.writerow([*place, *values, *found, *times, " ".join(run.id for run in trial.runs), trial.cause])
    return text.getvalue()


def _exact(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def _format_time(seconds: float | None) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds") if seconds else ""


def to_markdown(trials: Sequence[Trial], config: SweepConfig) -> str:
    """A table with the best trial, or the Pareto front, in bold; numbers to five digits."""
    headings, rows = _table(trials, config, _escape_markdown)
    best = {trial.number for trial in best_trials(trials, tuple(each.is_minimized for each in config.objective))}
    lines = [_markdown_line(headings), _markdown_line(["---:", "---", *("---:" for _ in headings[2:-2]), "---", "---"])]
    for trial, row in zip(trials, rows, strict=True):
        lines.append(_markdown_line([f"**{cell}**" if trial.number in best and cell else cell for cell in row]))
    return "\n".join(lines) + "\n"


def to_latex(trials: Sequence[Trial], config: SweepConfig) -> str:
    """ASCII source of a booktabs table, a longtable for more than `LONG_TABLE` trials; the best in bold face."""
    headings, rows = _table(trials, config, escape_latex)
    best = {trial.number for trial in best_trials(trials, tuple(each.is_minimized for each in config.objective))}
    body = [
        _latex_line([rf"\textbf{{{cell}}}" if trial.number in best and cell else cell for cell in row])
        for trial, row in zip(trials, rows, strict=True)
    ]
    layout = f"rl{'r' * (len(headings) - 4)}ll"
    caption = rf"\caption{{Trials of the sweep {escape_latex(config.name)}.}}"
    return "\n".join(
        _long_table(layout, caption, _latex_line(headings), body)
        if len(trials) > LONG_TABLE
        else _short_table(layout, caption, _latex_line(headings), body)
    )


def _short_table(layout: str, caption: str, heading: str, body: Sequence[str]) -> list[str]:
    wide = r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"
    return [
        "% needs \\usepackage{booktabs,graphicx}",
        *(r"\begin{table}[tbp]", r"\centering", caption, r"\smallskip", wide, rf"\begin{{tabular}}{{{layout}}}"),
        *(r"\toprule", heading, r"\midrule", *body, r"\bottomrule"),
        *(r"\end{tabular}}", r"\end{table}", ""),
    ]


def _long_table(layout: str, caption: str, heading: str, body: Sequence[str]) -> list[str]:
    rules = [r"\toprule", heading, r"\midrule"]
    return [
        "% needs \\usepackage{booktabs,longtable}",
        *(r"\begingroup\scriptsize", rf"\begin{{longtable}}{{{layout}}}", rf"{caption} \\"),
        *(*rules, r"\endfirsthead", *rules, r"\endhead", r"\bottomrule", r"\endlastfoot"),
        *(*body, r"\end{longtable}", r"\endgroup", ""),
    ]


def _table(
    trials: Sequence[Trial], config: SweepConfig, escape: Callable[[str], str]
) -> tuple[list[str], list[list[str]]]:
    """Headings and rows: trial, state, values, columns, duration, runs, cause; all text escaped."""
    columns = list_columns(config, with_fractions=False)
    names = (*(each.name for each in config.objective), *(column.name for column in columns))
    headings = ["trial", "state", *map(escape, names), "seconds", "runs", "cause"]
    rows = []
    for trial in trials:
        values = trial.values or (None,) * len(config.objective)
        cells = [*values, *(column.value_of(trial) for column in columns), trial.seconds]
        texts = (format_value(cell) for cell in cells)
        runs = " ".join(run.id for run in trial.runs)
        rows.append([str(trial.number), trial.state, *map(escape, texts), escape(runs), escape(trial.cause)])
    return headings, rows


def format_value(value: Any) -> str:
    """Numbers to five digits; a dash for what is not there."""
    if value is None:
        return _ABSENT
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.5g}" if isinstance(value, float) else str(value)


def _markdown_line(parts: Sequence[str]) -> str:
    return f"| {' | '.join(parts)} |"


def _escape_markdown(text: str) -> str:
    return text.replace("<", "&lt;").replace("|", "\\|").replace("*", "\\*").replace("_", "\\_").replace("\n", " ")


def _latex_line(cells: Sequence[str]) -> str:
    return rf"{' & '.join(cells)} \\"
