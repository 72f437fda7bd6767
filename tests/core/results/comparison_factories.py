"""Hand-made comparisons: columns, rows and entries without any run behind them."""

from lovt_core.results.column import Column
from lovt_core.results.comparison import Comparison, Entry, Missing, Row, Score
from lovt_core.tasks import find_task

NOT_RUN = Missing("not run")


def column(task: str = "covid-linear", marks: tuple[str, ...] = ("published split",), **changes) -> Column:
    """A column of a task under the marks; `metric` for a task that no version knows."""
    metric = changes.pop("metric", None) or find_task(task).metric
    return Column((task, "p", "d", ", ".join(marks)), task, metric, marks, changes.pop("is_published", False))


def score(mean: float = 0.5, ci95: float | None = 0.02, **changes) -> Score:
    """Five replicates around the mean."""
    values = tuple(mean + step / 100 for step in (-2, -1, 0, 1, 2))
    return Score(mean, ci95, 5, **{"notes": (), "values": values, **changes})


def row(label: str, *scores: Entry, group: str = "general initialisation", is_published: bool = False) -> Row:
    """An encoder with these entries."""
    return Row(label, group, is_published, scores)


def comparison(columns: tuple[Column, ...], *rows: Row, **changes) -> Comparison:
    """The table of them."""
    return Comparison(columns, rows, **{"unreadable": (), **changes})


HOSTILE = (
    "<script>alert(1)</script>", '" onmouseover="x', "[x] & *y* 100% #1 $z_0^2$ {a} \\b ~ `--`", "*", "[1pt]", "&amp;",
    "ümläut é ő ř ł ß Ø œ ñ ī ș", "τ = 0,1 ≤ β", "日本 😀", "a\tb\nc\x00\x1b[31m", "\u202egnp", "", " ", "e\u0301",
)  # fmt: skip
"""Labels that would break out of where they stand if they were not escaped."""
