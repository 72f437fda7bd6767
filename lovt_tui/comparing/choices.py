"""What can be picked and typed on the comparison: formats, tasks, which gaps. Pure functions."""

from typing import TYPE_CHECKING

from lovt_core.tasks import TASKS, Task, expand_tasks
from lovt_tui.actions.compare import FillScope
from lovt_tui.formatting import clean, plural
from lovt_tui.pages.wishes import ComparisonWish
from lovt_tui.screens.pick import Choice

if TYPE_CHECKING:
    from lovt_core.results.comparison import Comparison
    from lovt_tui.comparing.cell import Entrance

FORMATS = (
    Choice("csv", "CSV       one line a score, with replicates and fingerprints"),
    Choice("json", "JSON      as lovt compare --json"),
    Choice("md", "Markdown  for a README or an issue"),
    Choice("latex", "LaTeX     the paper's tables, to be \\input"),
    Choice("html", "HTML      one file to look at, to send, to print"),
    Choice("sqlite", "SQLite    for questions in SQL"),
)


def list_scopes(
    wish: ComparisonWish, comparison: "Comparison | None", entrance: "Entrance | None"
) -> "list[tuple[str, FillScope]]":
    """Gaps that can be filled, the nearest first: this one, this row's, all; on the tasks that are shownor all."""
    shown = tuple(dict.fromkeys(column.task for column in comparison.columns)) if comparison is not None else ()
    tasks = plural(len(shown), "shown task")
    scopes = []
    if entrance is not None and entrance.is_own:
        label = entrance.row.label
        name = clean(label)
        if not entrance.is_scored:
            scopes.append((f"this one: {name} on {entrance.column.task}", FillScope((entrance.column.task,), label)))
        scopes.append((f"{name}: the {tasks}", FillScope(shown, label)))
        scopes.append((f"{name}: all {len(TASKS)} tasks", FillScope(("all",), label)))
    scopes.append((f"all rows: the {tasks}", FillScope(shown)))
    return [*scopes, (f"all rows: all {len(TASKS)} tasks", FillScope(("all",)))]


def split_words(text: str) -> tuple[str, ...]:
    """Patterns that somebody typed, with blanks or commas between."""
    return tuple(text.replace(",", " ").split())


def expand_typed(text: str) -> tuple[Task, ...]:
    """The tasks of what somebody typed; raises InputError for a word that matches none."""
    return expand_tasks(split_words(text))
