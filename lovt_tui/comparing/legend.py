"""What the signs in the comparison mean, and the sentences that must be read with it."""

import textwrap
from typing import TYPE_CHECKING

from lovt_tui.comparing.grid import BEST, MISSING, NOT_RUN, PUBLISHED, SECOND, USUAL_REPLICATES, Grid
from lovt_tui.formatting import Cell, clean, plural
from lovt_tui.widgets.line_view import Line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lovt_core.results.comparison import Comparison

INTERVALS = {"student": "95 % interval (Student's t)", "published": "95 % interval (1.96 standard errors)"}
TEXT_WIDTH = 72


def describe_signs(comparison: "Comparison", grid: Grid, *, with_significance: bool) -> str:
    """One paragraph: the signs that occur, what ± means, what all columns have in common."""
    texts = {look.text.strip() for row in grid.rows for look in row.looks}
    signs = [f"{BEST} best", f"{SECOND} second"] if any(look.rank for row in grid.rows for look in row.looks) else []
    if any(row.is_published for row in grid.rows):
        signs.append(f"{PUBLISHED} published")
    if NOT_RUN in texts:
        signs.append(f"{NOT_RUN} not run")
    signs += [text for state, text in MISSING.items() if state != "not run" and text in texts]
    if any(score_has_notes(comparison)):
        signs.append("a b … notes (i)")
    parts = ["  ".join(signs), f"± {INTERVALS[comparison.interval]}, n = {USUAL_REPLICATES}"]
    if comparison.pin is not None:
        mark = ", * p < 0.05" if with_significance else ""
        parts.append(f"differences in points to {clean(comparison.pin)}{mark}")
    if grid.common_marks:
        parts.append(f"{clean(', '.join(grid.common_marks))} unless said")
    return " · ".join(part for part in parts if part)


def score_has_notes(comparison: "Comparison") -> "Iterator[bool]":
    """Of each score, whether something must be read with it."""
    return (bool(getattr(entry, "notes", ())) for row in comparison.rows for entry in row.scores)


def note_lines(comparison: "Comparison", *, with_significance: bool) -> tuple[Line, ...]:
    """All footnotes with their letters, and the sentences below the table."""
    from lovt_core.results.footnotes import collect_footnotes, describe_significance

    noted = [(letter, text) for letter, text in collect_footnotes(comparison).lines()]
    below = list(comparison.summary)
    if comparison.pin is not None:
        below.append(f"differences are percentage points against {comparison.pin}")
        if with_significance:
            below.append(describe_significance(comparison))
    below += [f"run {run_id} holds results that this version cannot read" for run_id in comparison.unreadable]
    lines: list[Line] = [
        *(line for letter, text in noted for line in wrap_text(text, f"{letter:<3}")),
        *([()] if noted else []),
        *(line for text in below for line in wrap_text(text, "·  ")),
    ]
    columns = plural(len(comparison.columns), "column")
    return (*lines, (), (Cell(f"{plural(len(comparison.rows), 'row')}, {columns}", "dim"),))


def wrap_text(text: str, first: str = "") -> list[Line]:
    """A paragraph in lines, `first` before it and as many blanks before the others."""
    wrapped = textwrap.wrap(clean(text), TEXT_WIDTH - len(first), break_on_hyphens=False) or [""]
    return [
        (Cell(first if number == 0 else " " * len(first), "strong"), Cell(line)) for number, line in enumerate(wrapped)
    ]
