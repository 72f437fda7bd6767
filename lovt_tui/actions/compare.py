"""What the comparison does: fill its gaps and export it, through the functions of the command line. For threads."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from lovt_core.errors import InputError
from lovt_tui.actions.export import read_format, read_path
from lovt_tui.formatting import abbreviate_home, plural
from lovt_tui.pages.wishes import ComparisonWish

if TYPE_CHECKING:
    from lovt_core.results.gaps import EncoderGaps
    from lovt_core.runs.workspace import Workspace
    from lovt_tui.comparing.filling import FillPlan

TableFormat = Literal["csv", "json", "md", "latex", "html", "sqlite"]


@dataclass(frozen=True)
class FillScope:
    """Which gaps are to be filled."""

    tasks: tuple[str, ...]
    """Patterns."""
    label: str | None = None
    """A row; None: all."""


@dataclass(frozen=True)
class FillOffer:
    """Exactly what would be queued, and what would not."""

    scope: FillScope
    plan: "FillPlan"
    found: "tuple[EncoderGaps, ...]"


@dataclass(frozen=True)
class ExportOrder:
    """What is to be written where."""

    wish: ComparisonWish
    table_format: TableFormat
    path: Path
    with_significance: bool = False
    replace: bool = False
    """Whether somebody agreed to lose the file that is there."""


def offer_filling(workspace: "Workspace", scope: FillScope) -> FillOffer:
    """Look for the gaps, in runs, data and weights; raises InputError for a row that cannot be evaluated again."""
    from lovt_tui.comparing.filling import find_workspace_gaps, plan_filling

    found = find_workspace_gaps(workspace, scope.tasks)
    if scope.label is not None:
        found = [each for each in found if each.label == scope.label]
        if not found:
            raise InputError(
                f"'{scope.label}' has no finished evaluation that could be run again: its first one is not done, or "
                "its source gives other weights now; use lovt evaluate"
            )
    return FillOffer(scope, plan_filling(workspace, found), tuple(found))


def fill_gaps(workspace: "Workspace", offer: FillOffer) -> str:
    """Queue what was offered; raises InputError, and queues nothing, where that is no longer what is missing."""
    from lovt_tui.comparing.filling import queue_evaluations

    evaluations = offer_filling(workspace, offer.scope).plan.evaluations
    if evaluations != offer.plan.evaluations:
        raise InputError("nothing was queued: what is missing has changed since it was listed; press f again")
    run_ids = queue_evaluations(workspace, evaluations)
    return f"{plural(len(run_ids), 'evaluation')} queued: {', '.join(run_ids)}"


def suggest_file(table_format: TableFormat) -> str:
    """A name of a file for a format."""
    from lovt_tui.cli.export import SUFFIXES

    return "comparison" + next(suffix for suffix, known in SUFFIXES.items() if known == table_format)


def read_table_format(text: str) -> TableFormat:
    """The format of a file's ending, as `lovt export --out` takes it; raises InputError for other endings."""
    from lovt_tui.cli.export import SUFFIXES

    return read_format(text, SUFFIXES)


def export_comparison(workspace: "Workspace", order: ExportOrder) -> str:
    """Write all rows, whatever the filter hides; raises InputError where nothing may be written."""
    from lovt_tui.cli.export import format_table
    from lovt_tui.cli.output_file import write_out
    from lovt_tui.cli.table_options import TableChoice, build_comparison

    read_path(str(order.path))
    if order.path.exists() and not order.replace:
        raise InputError(f"{order.path} exists: agree to replace it, or give another name")
    wish = order.wish
    with_significance = order.with_significance and wish.pin is not None
    choice = TableChoice(wish.published, list(wish.tasks) or None, wish.pin, wish.interval, with_significance)
    comparison = build_comparison(choice, workspace.path)
    write_out(format_table(comparison, order.table_format, with_significance, standalone=False), order.path)
    return f"{plural(len(comparison.rows), 'row')} written to {abbreviate_home(order.path.resolve())}"
