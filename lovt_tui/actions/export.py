"""Saving what the dashboard shows of runs as files, through the functions of `lovt runs --json` and `lovt export`."""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from lovt_core.errors import InputError

if TYPE_CHECKING:
    from lovt_core.runs.records import Curve, RunRow
    from lovt_core.runs.workspace import Workspace

LIST_COLUMNS = "run,name,kind,what,state,best,epoch,seed,tags,note,created,ended"


def read_path(text: str) -> Path:
    """The file that somebody typed, whether or not it is there; raises InputError where none can be written."""
    path = Path(text.strip()).expanduser()
    if not text.strip():
        raise InputError("type the name of a file")
    if path.is_dir():
        raise InputError(f"{path} is a folder: name a file in it")
    if not path.parent.is_dir():
        raise InputError(f"there is no folder {path.parent}: make it first, or name another")
    return path


def check_new_file(text: str) -> None:
    """Raises InputError where no new file of that name can be written."""
    if (path := read_path(text)).exists():
        raise InputError(f"{path} exists: choose another name")


def save(path: Path, content: bytes) -> str:
    """Write a new file whole; says where it is. Raises InputError where one is there already."""
    from lovt_core.files import write_bytes_atomic

    check_new_file(str(path))
    path = path.expanduser().absolute()
    write_bytes_atomic(path, content, mode=0o644)
    return f"saved {path}"


def export_list_json(workspace: "Workspace", path: Path, rows: "Sequence[RunRow]") -> str:
    """All that is known of these runs."""
    from lovt_tui.cli.runs_table import rows_to_json

    return save(path, json.dumps(rows_to_json(rows, None, False), indent=1, default=str).encode())


def export_list_csv(workspace: "Workspace", path: Path, rows: "Sequence[RunRow]") -> str:
    """The usual columns, and the settings in which the runs differ."""
    from lovt_core.runs.indexing.columns import differing_columns, find_columns

    columns = {column.name: column for column in (*find_columns(LIST_COLUMNS, rows), *differing_columns(rows))}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        values = [column.read(row) for column in columns.values()]
        writer.writerow([" ".join(each) if isinstance(each, tuple | list) else each for each in values])
    return save(path, text.getvalue().encode())


def export_curves(workspace: "Workspace", path: Path, rows: "Sequence[RunRow]") -> str:
    """All metrics, a line a value."""
    from lovt_core.interop.metrics_csv import write_long

    return save(path, write_long(_read_curves(workspace, rows)).encode())


def export_figure(workspace: "Workspace", path: Path, rows: "Sequence[RunRow]") -> str:
    """Their `val/loss`, or the first metric they share, as SVG."""
    from lovt_core.results.figures import build_figure, draw

    curves = _read_curves(workspace, rows)
    shared = set.intersection(*({curve.metric for curve in each} for each in curves.values()))
    if not shared:
        raise InputError("these runs have no metric in common: choose others")
    metric = "val/loss" if "val/loss" in shared else min(shared)
    names = [row.name for row in rows]
    labels = {row.id: row.name if names.count(row.name) == 1 else row.id for row in rows}
    chosen = {labels[run]: next(c for c in each if c.metric == metric) for run, each in curves.items()}
    return save(path, draw(build_figure(chosen), "svg"))


def _read_curves(workspace: "Workspace", rows: "Sequence[RunRow]") -> "Mapping[str, Sequence[Curve]]":
    from lovt_core.runs.indexing.index import Index

    index = Index(workspace)
    try:
        curves = {row.id: [index.curve(row.id, name) for name in index.metric_names(row.id)] for row in rows}
    finally:
        index.close()
    for run_id, each in curves.items():
        if not each:
            raise InputError(f"run {run_id} has no metrics yet")
    return curves


Export = Callable[["Workspace", Path], str]


def list_exports(shown: "Sequence[RunRow]", chosen: "Sequence[RunRow]") -> dict[str, tuple[str, str, Export]]:
    """What can be saved: key -> what it is, a file name, how; of the list shown, and of the chosen runs."""
    which = chosen[0].name if len(chosen) == 1 else f"{len(chosen)} runs"
    exports: dict[str, tuple[str, str, Export]] = {
        "csv": (f"list of {len(shown)} runs as CSV", "runs.csv", partial(_call, export_list_csv, shown)),
        "json": (f"list of {len(shown)} runs as JSON", "runs.json", partial(_call, export_list_json, shown)),
    }
    if chosen:
        exports["curves"] = (f"metrics of {which} as CSV", "metrics.csv", partial(_call, export_curves, chosen))
        exports["figure"] = (f"curve of {which} as SVG", "curves.svg", partial(_call, export_figure, chosen))
    return exports


def _call(
    export: "Callable[[Workspace, Path, Sequence[RunRow]], str]",
    rows: "Sequence[RunRow]",
    workspace: "Workspace",
    path: Path,
) -> str:
    return export(workspace, path, rows)
