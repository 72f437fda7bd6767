"""`lovt data stats`: what prepared data holds, per part of its split."""

from typing import TYPE_CHECKING

from lovt_tui.cli.context import JsonOption, WorkspaceOption, get_console, get_workspace, print_json
from lovt_tui.cli.data.printing import FingerprintOption, NameArgument, SizeOption, SplitsOption, print_line
from lovt_tui.datasets.texts import statistics_rows

if TYPE_CHECKING:
    from lovt_core.data.set_statistics import PartStatistics


def command(
    name: NameArgument,
    size: SizeOption = None,
    fingerprint: FingerprintOption = None,
    splits: SplitsOption = "auto",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Count samples, patients, findings, boxes and sentences per split; mean and deviation of its pixels.

    \b
    Example: lovt data stats openi
    """
    from dataclasses import asdict

    from lovt_core.data.catalog import find_data_set
    from lovt_core.data.prepared import open_prepared
    from lovt_core.data.set_statistics import compute_set_statistics
    from lovt_core.data.splits import build_split

    root = get_workspace(workspace).prepared_root
    data = open_prepared(root, find_data_set(name).name, size, fingerprint)
    split = build_split(data, splits)
    parts = compute_set_statistics(data, split)
    if as_json:
        print_json({"path": data.path, "split": split.spec, "parts": [asdict(part) for part in parts]})
        return
    print_line(split.announcement, indent=2)
    _print_table(parts)


def _print_table(parts: "tuple[PartStatistics, ...]") -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("", no_wrap=True)
    for part in parts:
        table.add_column(part.name, justify="right", no_wrap=True)
    for row in statistics_rows(parts):
        table.add_row(*row)
    get_console().print(table, markup=False)
