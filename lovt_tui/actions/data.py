"""What the dashboard does to data sets, through the very functions of the command line. Called in worker threads."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lovt_core.errors import DataError
from lovt_tui.datasets.preparing import Order, start_preparation, stop_preparation
from lovt_tui.formatting import plural

if TYPE_CHECKING:
    from lovt_core.runs.workspace import Workspace
    from lovt_tui.datasets.overlap import SetOverlap
    from lovt_tui.pages.data import SetRow


def prepare_data(workspace: "Workspace", order: Order) -> str:
    """Start `lovt data prepare` in the background."""
    start_preparation(workspace, order)
    return f"{order.name} is being prepared; this goes on when the dashboard is left"


def stop_preparing(workspace: "Workspace", name: str) -> str:
    """End a preparation; what is decoded is kept."""
    return stop_preparation(workspace, name)


@dataclass(frozen=True)
class Checked:
    """What reading every byte of a version again has shown (`lovt data verify`)."""

    folder: str
    problems: tuple[str, ...]


def check_versions(row: "SetRow") -> tuple[Checked, ...]:
    """Read every version of a data set again."""
    from lovt_core.data.checksums import verify

    return tuple(Checked(str(each.folder), tuple(map(str, verify(each.folder)))) for each in row.versions)


def compare_with_others(workspace: "Workspace", row: "SetRow") -> "SetOverlap":
    """Films that a data set shares with the others (`lovt data overlap NAME`); raises DataError for a damaged one."""
    from lovt_core.data.inventory import open_any_size
    from lovt_tui.datasets.overlap import choose_split, find_overlap

    data = open_any_size(workspace.prepared_root, row.data_set)
    return find_overlap(data, choose_split(data, None), workspace.prepared_root)


@dataclass(frozen=True)
class LabelReport:
    """What the tables of a download say (`lovt data labels`)."""

    counts: tuple[tuple[str, int], ...]
    agreement: str
    """How its ids fit the published split lists."""
    problems: tuple[str, ...]

    @property
    def summary(self) -> str:
        """In a sentence."""
        counted = ", ".join(f"{count:,} {what}" for what, count in self.counts)
        problems = f"; {plural(len(self.problems), 'row or file')} cannot be used" if self.problems else ""
        return f"{counted}; {self.agreement}{problems}"


def read_download(name: str, source: Path, keep: Callable[["subprocess.Popen[str]"], object]) -> LabelReport:
    """Read the tables in a process of its own, so that a large download holds nothing up.

    `keep` is given the process: killing it ends the reading. Raises DataError with the sentence of `lovt data labels`.
    """
    command = [sys.executable, "-m", "lovt_tui.datasets.labels_job", name, str(source)]
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    keep(process)
    answer, said = process.communicate()
    if process.returncode:
        raise DataError(said.strip() or f"reading the tables of {source} ended without an answer")
    found = json.loads(answer)
    counts = tuple((str(what), int(count)) for what, count in found["counts"])
    return LabelReport(counts, str(found["agreement"]), tuple(map(str, found["problems"])))
