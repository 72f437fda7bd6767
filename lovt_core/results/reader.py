"""A workspace for scripts and notebooks: runs, metrics and scores as frozen values, without torch.

    with open_workspace("lovt-workspace") as workspace:
        for run in workspace.runs(kind="pretrain", state="finished"):
            losses = workspace.metric(run, "val/loss")

Nothing is ever written but the index, a cache; that of a workspace which cannot be written lies in the user's cache
folder.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from statistics import fmean
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lovt_core.errors import InputError
from lovt_core.results.cells import Cell, collect_cells
from lovt_core.results.imported import ImportedScore, load_imported
from lovt_core.results.significance import compute_half_width
from lovt_core.runs.indexing.index import Index
from lovt_core.runs.records import RunRow
from lovt_core.runs.workspace import Workspace, find_workspace

UNKNOWN = "unknown"
"""Data, split and protocol of imported scores whose file does not say."""


@dataclass(frozen=True, eq=False)
class MetricArrays:
    """One metric of one run over its steps, attempts joined; all arrays are read-only and of the same length."""

    metric: str
    steps: NDArray[np.int64]
    epochs: NDArray[np.float64]
    times: NDArray[np.float64]
    """Unix seconds."""
    values: NDArray[np.float64]
    """May hold NaN and infinities."""


@dataclass(frozen=True)
class CellRow:
    """Test scores of one encoder on one task, flat: a row of a data frame (`pandas.DataFrame(map(vars, rows))`)."""

    label: str
    task: str
    metric: str
    mean: float
    """As a fraction, as all scores."""
    ci95: float | None
    """Half width of the 95 % interval (Student's t); None for a single replicate."""
    values: tuple[float, ...]
    """One for each replicate."""
    protocol: str
    marks: tuple[str, ...]
    """Settings that differ from the task's own protocol."""
    data: str
    split: str
    is_genuine: bool | None
    """Whether these were the images and labels of the data set itself; None: not known."""
    encoder_fingerprint: str
    """Empty for imported scores, as the two below."""
    protocol_fingerprint: str
    split_fingerprint: str
    run: str
    """Id of the evaluation; empty for imported scores."""
    file: str
    """Name of the imported file; empty for one's own scores."""

    @property
    def num_replicates(self) -> int:
        """Number of scores that the mean is of."""
        return len(self.values)


class WorkspaceReader:
    """A view of a workspace as it was at the last `refresh`; for one thread at a time."""

    def __init__(self, place: Workspace) -> None:
        self._place = place
        self._index = Index(place)
        self.refresh()

    @property
    def path(self) -> Path:
        """Folder of the workspace."""
        return self._place.path

    def refresh(self) -> bool:
        """Take in what has happened since; whether anything has."""
        return self._index.sync()

    def close(self) -> None:
        """Close the index."""
        self._index.close()

    def __enter__(self) -> "WorkspaceReader":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def runs(
        self, *, kind: str | None = None, state: str | None = None, name: str | None = None, tag: str | None = None
    ) -> tuple[RunRow, ...]:
        """Runs, newest first, for which all that is given holds; `name` may be a glob such as `lovt-*`."""
        return tuple(
            run
            for run in self._index.runs()
            if (kind is None or run.kind == kind)
            and (state is None or run.state == state)
            and (name is None or fnmatchcase(run.name, name))
            and (tag is None or tag in run.tags)
        )

    def run(self, text: str) -> RunRow:
        """The run of that id, unique prefix or name, or `last`; raises InputError when there is none or several."""
        return self._index.run(text)

    def metric_names(self, run: RunRow | str) -> tuple[str, ...]:
        """Names of all metrics of a run, sorted."""
        return tuple(self._index.metric_names(self._id_of(run)))

    def metric(self, run: RunRow | str, metric: str) -> MetricArrays:
        """A metric of a run; raises InputError, naming those that there are, for an unknown one."""
        run_id = self._id_of(run)
        if metric not in (known := self._index.metric_names(run_id)):
            raise InputError(f"run {run_id} has no metric '{metric}'; known metrics: {', '.join(known) or 'none yet'}")
        curve = self._index.curve(run_id, metric)
        return MetricArrays(
            metric,
            _freeze(curve.steps, np.int64),
            _freeze(curve.epochs, np.float64),
            _freeze(curve.times, np.float64),
            _freeze(curve.values, np.float64),
        )

    def metrics(self, run: RunRow | str) -> Mapping[str, MetricArrays]:
        """All metrics of a run by name."""
        return {name: self.metric(run, name) for name in self.metric_names(run)}

    def cells(self, *, task: str | None = None, label: str | None = None) -> tuple[CellRow, ...]:
        """All scores of evaluations, oldest first, then imported ones; `task` and `label` may be globs.

        An encoder that was evaluated twice has two rows. Scores are comparable where task, protocol and split (their
        fingerprints) are the same. Raises DataError for a damaged file of imported results.
        """
        own = [_row_of_cell(cell) for cell in collect_cells(self._index.results()).cells]
        imported = [_row_of_imported(score) for score in load_imported(self.path)]
        return tuple(
            row
            for row in (*own, *imported)
            if (task is None or fnmatchcase(row.task, task)) and (label is None or fnmatchcase(row.label, label))
        )

    def _id_of(self, run: RunRow | str) -> str:
        return self.run(run).id if isinstance(run, str) else run.id


def open_workspace(path: Path | str | None = None) -> WorkspaceReader:
    """Open the workspace at `path`, else the one that `lovt` would use here; use it in a `with` block, or close it.

    Raises InputError where there is none at `path`.
    """
    if path is not None and not (Path(path).expanduser() / "runs").is_dir():
        raise InputError(f"there is no workspace {path}: name a folder that holds a folder runs")
    return WorkspaceReader(find_workspace(None if path is None else Path(path)))


def _freeze(values: Any, kind: type[np.generic]) -> NDArray[Any]:
    array = np.array(values, dtype=kind)
    array.flags.writeable = False
    return array


def _row_of_cell(cell: Cell) -> CellRow:
    return CellRow(
        label=cell.encoder.label,
        task=cell.task,
        metric=cell.metric,
        mean=cell.mean,
        ci95=cell.ci95,
        values=cell.values,
        protocol=cell.protocol.name,
        marks=cell.protocol.marks,
        data=cell.data.name,
        split=cell.data.split,
        is_genuine=cell.data.genuine,
        encoder_fingerprint=cell.encoder.fingerprint,
        protocol_fingerprint=cell.protocol.fingerprint,
        split_fingerprint=cell.data.split_fingerprint,
        run=cell.run_id,
        file="",
    )


def _row_of_imported(score: ImportedScore) -> CellRow:
    return CellRow(
        label=score.label,
        task=score.task.id,
        metric=score.task.metric,
        mean=fmean(score.values),
        ci95=compute_half_width(score.values, "student"),
        values=score.values,
        protocol=UNKNOWN,
        marks=(),
        data=score.task.data if score.is_published else score.data or UNKNOWN,
        split=score.data if score.is_published else UNKNOWN,
        is_genuine=None,
        encoder_fingerprint="",
        protocol_fingerprint="",
        split_fingerprint="",
        run="",
        file=score.file,
    )
