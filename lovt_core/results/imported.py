"""Scores that other people have measured: CSV files, kept whole in `<workspace>/results/`, as rows of the comparison.

Two forms are read. That of the authors' own table of runs has the columns method, pretrain_data (per cent of MIMIC-CXR,
or `none`), task_id (the paper's number), metric, reported (`yes` for a cell of the paper's tables, else why not) and
run_1 to run_5. The plain form has a line for each replicate: label, task (id or number), replicate, score. Both may
have a column `data` on images and split; `published` says that they are the paper's. Scores are fractions.
"""

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count, takewhile
from pathlib import Path
from typing import Final

from lovt_core.config.split_names import PUBLISHED
from lovt_core.data.tables import Row as Line
from lovt_core.data.tables import Table, read_table
from lovt_core.errors import DataError, InputError
from lovt_core.files import write_bytes_atomic
from lovt_core.results.groups import GENERAL, IMPORTED
from lovt_core.tasks import TASKS, MetricName, Task

FOLDER: Final = "results"
SUFFIX: Final = ", imported"
"""Of the labels of rows that come from files."""
_AUTHORS: Final = ("method", "pretrain data", "task id", "metric", "reported", "run 1")
_PLAIN: Final = ("label", "task", "replicate", "score")
"""Columns of the two forms, as data/tables.py spells them."""
_MAX_LABEL = 100
_TASKS: Final = {name: task for task in TASKS for name in (task.id, str(task.number))}
_METRICS: Final[dict[MetricName, tuple[str, ...]]] = {
    "map": ("map",),
    "froc": ("froc",),
    "dice": ("dice", "opacity_dice", "pneumothorax_dice", "avg_dice"),
    "average_dice": ("average_dice", "avg_dice"),
}
"""A task's metric -> names of it in the authors' tables, in small letters."""
_REPORTED: Final = "yes"


@dataclass(frozen=True)
class ImportedScore:
    """Replicates of one encoder on one task."""

    file: str
    """Name of the file in the folder of results."""
    label: str
    group: str
    task: Task
    values: tuple[float, ...]
    """As fractions."""
    data: str
    """What the file says of images and split; empty: nothing."""

    @property
    def is_published(self) -> bool:
        """Whether the file says that this is the paper's split."""
        return self.data == PUBLISHED

    @property
    def note(self) -> str:
        """Sentence that must be read with the score."""
        return f"imported from {self.file}: neither the images nor the protocol were checked here"


@dataclass(frozen=True)
class ResultFile:
    """A file of results, read and checked."""

    path: Path
    scores: tuple[ImportedScore, ...]
    left_out: tuple[str, ...]
    """Sentences on lines that are no scores of the comparison."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Its encoders in the order of their first lines."""
        return tuple(dict.fromkeys(score.label for score in self.scores))


@dataclass(frozen=True)
class ImportedRow:
    """The scores of one encoder of one file."""

    label: str
    """As the comparison shows it."""
    group: str
    scores: tuple[ImportedScore, ...]


def group_by_encoder(scores: Iterable[ImportedScore]) -> tuple[ImportedRow, ...]:
    """Rows in the order of their first scores; where several files have an encoder of that label, they are named."""
    found: dict[tuple[str, str, str], list[ImportedScore]] = {}
    for score in scores:
        found.setdefault((score.label, score.group, score.file), []).append(score)
    labels = [label for label, _, _ in found]
    return tuple(
        ImportedRow(label + SUFFIX + (f" from {file}" if labels.count(label) > 1 else ""), group, tuple(own))
        for (label, group, file), own in found.items()
    )


def load_imported(workspace: Path) -> tuple[ImportedScore, ...]:
    """All imported scores of a workspace, file by file; raises DataError where a file was damaged since its import."""
    folder = workspace / FOLDER
    files = sorted(path for path in folder.glob("*.csv") if path.is_file()) if folder.is_dir() else []
    return tuple(score for path in files for score in read_result_file(path).scores)


def keep_result_file(workspace: Path, source: Path, *, replace: bool = False) -> ResultFile:
    """Check a file and copy it into the workspace under its own name.

    Raises DataError with file and row, InputError where the same scores are there already, or other ones under that
    name unless they are to be replaced.
    """
    if source.suffix.lower() != ".csv":
        raise InputError(f"{source} is no CSV file: results are read from files that end in .csv")
    checked = read_result_file(source)
    content = source.read_bytes()
    path = workspace / FOLDER / f"{source.stem}.csv"
    digest = hashlib.sha256(content).digest()
    for other in sorted(path.parent.glob("*.csv")):
        if hashlib.sha256(other.read_bytes()).digest() == digest:
            raise InputError(f"{source} was imported before, as {other}: nothing is to be done")
    if path.exists() and not replace:
        raise InputError(f"{path} holds other scores under that name: give --again to replace it, or rename the file")
    path.parent.mkdir(exist_ok=True, mode=0o700)
    write_bytes_atomic(path, content)
    return ResultFile(path, tuple(checked.scores), checked.left_out)


def read_result_file(path: Path) -> ResultFile:
    """Read and check a file of either form; raises DataError with file and row."""
    is_authors = "method" in read_table(path, ()).columns
    return (
        _read_authors(path, read_table(path, _AUTHORS)) if is_authors else _read_plain(path, read_table(path, _PLAIN))
    )


def _read_authors(path: Path, table: Table) -> ResultFile:
    runs = [f"run {number}" for number in takewhile(lambda each: f"run {each}" in table.columns, count(1))]
    found: dict[tuple[str, str, str], ImportedScore] = {}
    others: dict[str, int] = {}
    for line in table.rows:
        where = f"{path}: row {line.number}"
        task = _find_task(line["task id"], where)
        if line["metric"].lower() not in _METRICS[task.metric]:
            others[line["metric"]] = others.get(line["metric"], 0) + 1
            continue
        label, group = _name_authors(line, where)
        data = line.values.get("data", "") or (PUBLISHED if line["reported"] == _REPORTED else "")
        values = tuple(_read_score(line[run], where) for run in runs if line[run])
        if not values:
            raise DataError(f"{where}: no score: run_1 is empty")
        key = (label, task.id, data)
        if key in found:
            raise DataError(
                f"{where}: a second line for {label} on task {task.number}: each encoder has one for a task"
            )
        found[key] = ImportedScore(path.name, label, group, task, values, data)
    return _finish(path, found.values(), _describe_others(others))


def _name_authors(line: Line, where: str) -> tuple[str, str]:
    """Label and group of a row, as those of the paper's rows; what is not in its tables says so."""
    method, percent = _check_label(line["method"], where), line["pretrain data"]
    if percent == "none":
        label, group = method, GENERAL
    elif percent.isdecimal() and 0 < int(percent) <= 100:
        label, group = f"{method} ({int(percent)} %)", f"{int(percent)} % of MIMIC-CXR"
    else:
        raise DataError(f"{where}: pretrain_data is '{percent}', neither none nor a share of MIMIC-CXR in per cent")
    reported = line["reported"]
    return (label if reported in (_REPORTED, "") else f"{label}, {_check_label(reported, where)}"), group


def _read_plain(path: Path, table: Table) -> ResultFile:
    found: dict[tuple[str, str, str], dict[str, float]] = {}
    for line in table.rows:
        where = f"{path}: row {line.number}"
        label, task = _check_label(line["label"], where), _find_task(line["task"], where)
        replicates = found.setdefault((label, task.id, line.values.get("data", "")), {})
        if not line["replicate"]:
            raise DataError(f"{where}: replicate is empty: number the scores of a task, from 1")
        if line["replicate"] in replicates:
            raise DataError(f"{where}: a second score of {label} on {task.id} for replicate {line['replicate']}")
        replicates[line["replicate"]] = _read_score(line["score"], where)
    scores = (
        ImportedScore(path.name, label, IMPORTED, _TASKS[task_id], tuple(values.values()), data)
        for (label, task_id, data), values in found.items()
    )
    return _finish(path, scores, ())


def _finish(path: Path, scores: Iterable[ImportedScore], left_out: tuple[str, ...]) -> ResultFile:
    found = ResultFile(path, tuple(scores), left_out)
    if not found.scores:
        raise DataError(f"{path}: no line has a score in a task's own metric")
    return found


def _describe_others(others: dict[str, int]) -> tuple[str, ...]:
    if not others:
        return ()
    names = ", ".join(f"{name} ({number})" for name, number in sorted(others.items()))
    return (f"left out, as they are not in the task's own metric: {names}",)


def _check_label(text: str, where: str) -> str:
    if not text or len(text) > _MAX_LABEL or not text.isprintable():
        raise DataError(f"{where}: '{text[:_MAX_LABEL]}' is no label: give 1 to {_MAX_LABEL} printable characters")
    return text


def _find_task(text: str, where: str) -> Task:
    if (task := _TASKS.get(text)) is None:
        raise DataError(
            f"{where}: unknown task '{text}': give an id such as rsna-linear-1, or the paper's number, 1 to 18"
        )
    return task


def _read_score(text: str, where: str) -> float:
    try:
        score = float(text)
    except ValueError:
        score = math.nan
    if not 0 <= score <= 1:
        hint = ": is it per cent?" if 1 < score <= 100 else ""
        raise DataError(f"{where}: score is '{text}', which is no fraction from 0 to 1{hint}")
    return score
