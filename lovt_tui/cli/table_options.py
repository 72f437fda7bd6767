"""Options that choose what is in the comparison, and the comparison that they ask for."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from lovt_tui.cli.context import get_workspace, open_index

if TYPE_CHECKING:
    from lovt_core.results.comparison import Comparison

PublishedOption = Annotated[bool, typer.Option("--published", help="Add the paper's rows.")]
TasksOption = Annotated[
    list[str] | None,
    typer.Option("--task", "-t", metavar="PATTERN", help="Task id, number, glob or suite [default: evaluated ones]."),
]
PinOption = Annotated[
    str | None, typer.Option("--pin", metavar="LABEL", help="Show differences to this row (its label or beginning).")
]
SignificanceOption = Annotated[
    bool, typer.Option("--significance", help="Mark significant differences to the pin (Welch's t, Holm).")
]


@dataclass(frozen=True)
class TableChoice:
    """What the options say."""

    published: bool
    tasks: list[str] | None
    pin: str | None
    interval: Literal["student", "published"]
    significance: bool


def build_comparison(choice: TableChoice, workspace: Path | None) -> "Comparison":
    """The comparison of a workspace; raises InputError for an unknown task or pin, or significance without a pin."""
    from lovt_core.errors import InputError
    from lovt_core.results.cells import collect_cells
    from lovt_core.results.comparison import ComparisonOptions, compare
    from lovt_core.results.imported import load_imported
    from lovt_core.results.published import load_published
    from lovt_core.tasks import expand_tasks

    if choice.significance and choice.pin is None:
        raise InputError("--significance tests against one row: name it with --pin LABEL")
    place = get_workspace(workspace, reading=True)
    index = open_index(place)
    tasks = expand_tasks(choice.tasks) if choice.tasks else None
    options = ComparisonOptions(tasks, choice.pin, choice.interval)
    published = load_published() if choice.published else ()
    return compare(collect_cells(index.results()), published, index.runs(), options, load_imported(place.path))
