"""Saving what the dashboard shows of runs as files, through the functions of `lovt runs --json` and `lovt export`."""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from lovt_core.errors import InputError

if TYPE_CHECKING:
    from lovt_core.runs.records import Curve, RunRow
    from lovt_core.runs.workspace import Workspace

Format = TypeVar("Format")
Write = Callable[["Workspace", Path, "Sequence[RunRow]"], str]
FIGURES: dict[str, Literal["svg", "pdf"]] = {".svg": "svg", ".pdf": "pdf"}
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


def read_format(text: str, formats: Mapping[str, Format]) -> Format:
    """What the ending of a file's name stands for; raises InputError where it stands for none of the formats."""
    path = read_path(text)
    if (found := formats.get(path.suffix.lower())) is None:
        endings = list(formats)
        known = " or ".join([", ".join(endings[:-1]), endings[-1]] if endings[1:] else endings)
        raise InputError(f"'{path.name}' does not tell the format: end it in {known}")
    return found


def check_new_file(text: str, formats: Mapping[str, object] | None = None) -> None:
    """Raises InputError where no new file of that name can be written, or its ending is none of the formats."""
    if formats is not None:
        read_format(text, formats)
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
    """Their `val/loss`, or the first metric they share, as SVG, PDF or pgfplots by the file's ending."""
    from lovt_core.results.figures import build_figure, draw, to_pgfplots

    curves = _read_curves(workspace, rows)
    shared = set.intersection(*({curve.metric for curve in each} for each in curves.values()))
    if not shared:
        raise InputError("these runs have no metric in common: choose others")
    metric = "val/loss" if "val/loss" in shared else min(shared)
    names = [row.name for row in rows]
    labels = {row.id: row.name if names.count(row.name) == 1 else row.id for row in rows}
    chosen = {labels[run]: next(c for c in each if c.metric == metric) for run, each in curves.items()}
    figure, ending = build_figure(chosen), path.suffix.lower()
    return save(path, to_pgfplots(figure).encode() if ending == ".tex" else draw(figure, FIGURES[ending]))


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


@dataclass(frozen=True)
class Export:
    """Something that can be saved."""

    what: str
    name: str
    """Of the file, unless another is typed."""
    formats: "Mapping[str, Write]"
    """Ending of the file -> how it is written."""
    rows: "Sequence[RunRow]"

    def write(self, workspace: "Workspace", text: str) -> str:
        """Save it under a typed name, in the format of its ending; says where. Raises InputError for other endings."""
        return read_format(text, self.formats)(workspace, read_path(text), self.rows)


def list_exports(shown: "Sequence[RunRow]", chosen: "Sequence[RunRow]") -> dict[str, Export]:
    """What can be saved by its key: the list shown, and what the chosen runs have recorded."""
    which = chosen[0].name if len(chosen) == 1 else f"{len(chosen)} runs"
    lists: Mapping[str, Write] = {".csv": export_list_csv, ".json": export_list_json}
    exports = {
        "csv": Export(f"list of {len(shown)} runs as CSV", "runs.csv", lists, shown),
        "json": Export(f"list of {len(shown)} runs as JSON", "runs.json", lists, shown),
    }
    if chosen:
        exports["curves"] = Export(f"metrics of {which} as CSV", "metrics.csv", {".csv": export_curves}, chosen)
        figures = dict.fromkeys((*FIGURES, ".tex"), export_figure)
        exports["figure"] = Export(f"curve of {which} as SVG", "curves.svg", figures, chosen)
    return exports
