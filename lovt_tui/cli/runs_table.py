"""Lists of runs as tables and as JSON."""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from lovt_core.runs.indexing.columns import Column, differing_columns, find_columns
from lovt_core.runs.records import RunRow
from lovt_tui.formatting import clean, format_duration, format_score

if TYPE_CHECKING:
    from rich.table import Table

    from lovt_core.results.seed_groups import Mean, SeedGroup

COLUMNS = "run,state,what,progress,best,age"
WRAPPED = ("what", "best", "note", "detail", "tags")
MAX_SEEDS = 5
MOMENTS = ("created", "started", "ended", "updated")


def choose_columns(text: str | None, rows: Sequence[RunRow], differing: bool) -> tuple[Column, ...]:
    """The columns asked for, and where it is wished one for each setting in which the runs differ."""
    chosen = find_columns(text or COLUMNS, rows)
    names = {column.name for column in chosen}
    more = differing_columns(rows) if differing else ()
    return (*chosen, *(column for column in more if column.name not in names))


def build_table(rows: Sequence[RunRow], columns: Sequence[Column], now: float) -> "Table":
    """One line a run."""
    table = _begin([column.name for column in columns])
    for row in rows:
        _add(table, [_describe(row, column, now) for column in columns])
    return table


def _describe(row: RunRow, column: Column, now: float) -> str:
    if column.name == "best":
        return f"{row.headline.label.removeprefix('best ')} {row.headline.value:.4g}" if row.headline else ""
    return format_value(column.name, column.read(row), now)


def build_group_table(groups: "Sequence[SeedGroup]", columns: Sequence[Column], now: float) -> "Table":
    """One line a group: number, states, seeds, means of best metrics, and what else its runs have in common."""
    best = [column for column in columns if column.name.startswith("best.")]
    headings, means = _choose_means(groups, [column.name.removeprefix("best.") for column in best])
    shared = [column for column in columns if column not in best]
    table = _begin([*(column.name for column in shared), "runs", "states", "seeds", *headings])
    for group, own in zip(groups, means, strict=True):
        states = ", ".join(f"{count} {state}" for state, count in group.states.items())
        cells = [format_value(column.name, group.common(column), now) for column in shared]
        cells += [str(len(group.runs)), states, _list_seeds(group.seeds)]
        _add(table, [*cells, *(format_score(mean.mean, mean.half_width) if mean else "" for mean in own)])
    return table


def _list_seeds(seeds: Sequence[int]) -> str:
    """All of a few; of many the first ones and the last."""
    shown = seeds if len(seeds) <= MAX_SEEDS else [*seeds[: MAX_SEEDS - 1], "…", seeds[-1]]
    return " ".join(map(str, shown))


def _choose_means(groups: "Sequence[SeedGroup]", names: Sequence[str]) -> "tuple[list[str], list[list[Mean | None]]]":
    """Headings, and the means of each group below them: best values of those metrics, or what stands for its runs."""
    if names:
        return [f"best {name}" for name in names], [[group.best.get(name) for name in names] for group in groups]
    found = [group.headlines for group in groups]
    labels = sorted({label for each in found for label in each})
    return labels, [[each.get(label) for label in labels] for each in found]


def _begin(headings: Sequence[str]) -> "Table":
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="ellipsis", no_wrap=heading not in WRAPPED)
    return table


def _add(table: "Table", cells: Sequence[str]) -> None:
    """As plain text: what people have written is no markup."""
    from rich.text import Text

    table.add_row(*(Text(clean(cell)) for cell in cells))


def format_value(name: str, value: Any, now: float) -> str:
    """What stands in a column, for people; nothing for a value that is missing."""
    match name, value:
        case _, None:
            return ""
        case "progress", _:
            return f"{100 * value:.0f} %"
        case "age", _:
            return format_age(now - value)
        case "left", _:
            return format_duration(value)
        case "tags", _:
            return " ".join(f"#{tag}" for tag in value)
        case _, float() if name in MOMENTS:
            return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(value))
        case _, float():
            return f"{value:.4g}"
        case _, str():
            return value
        case _:
            return json.dumps(value, ensure_ascii=False, default=str)


def format_age(seconds: float) -> str:
    """`3 d`, `2 h`, `5 min`, `12 s`."""
    seconds = max(0.0, seconds)
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def rows_to_json(rows: Sequence[RunRow], columns: Sequence[Column] | None, differing: bool) -> list[dict[str, Any]]:
    """Each run with all that is known of it, or only with those columns; `differing` adds the settings that differ."""
    more = differing_columns(rows) if differing else ()
    if columns is not None:
        return [{column.name: column.read(row) for column in (*columns, *more)} for row in rows]
    names = [field.name for field in fields(RunRow)]
    listed = []
    for row in rows:
        known = {name: getattr(row, name) for name in names} | {"seed": row.seed}
        extra = {"differing": {column.name.removeprefix("cfg."): column.read(row) for column in more}}
        listed.append(known | extra if differing else known)
    return listed


def groups_to_json(groups: "Sequence[SeedGroup]", columns: Sequence[Column]) -> list[dict[str, Any]]:
    """Each group with its runs and means, and those columns where its runs have them in common."""
    return [
        {
            "name": group.first.name,
            "kind": group.first.kind,
            "what": group.first.subject,
            "num_runs": len(group.runs),
            "runs": [row.id for row in group.runs],
            "states": group.states,
            "seeds": group.seeds,
            "best": {name: asdict(mean) for name, mean in group.best.items()},
            "columns": {column.name: group.common(column) for column in columns},
        }
        for group in groups
    ]
