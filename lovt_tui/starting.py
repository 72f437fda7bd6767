"""From an experiment file and overrides to a run: the files there are, what is wrong with one, the queue."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lovt_core.errors import InputError, LovtError

if TYPE_CHECKING:
    from lovt_core.config.experiment import Experiment
    from lovt_core.runs.workspace import Workspace

LOCAL_FOLDERS = (".", "experiments")
MAX_LOCAL_FILES = 200
HEAD_BYTES = 65_536
START_ERRORS = (LovtError, OSError, ValueError)
"""What typed text can lead to; ValueError: a path or a YAML value (a 31st of February) that cannot be."""
EXPERIMENT_KEY = re.compile(r"^(kind|base)\s*:", re.MULTILINE)
"""What an experiment file has and other YAML files hardly do."""


@dataclass(frozen=True)
class Choice:
    """What somebody has picked and typed."""

    file: str
    """A path, or the name of a shipped file."""
    overrides: str = ""
    """`key=value` parts with spaces between; quotes keep a value with spaces together."""


@dataclass(frozen=True)
class Verdict:
    """An experiment that can be started, or what is wrong."""

    experiment: str = ""
    """The merged experiment as YAML; empty when it is not valid."""
    summary: str = ""
    problem: str = ""
    """One problem a line."""


@dataclass(frozen=True)
class FileList:
    """Experiment files to pick from."""

    shipped: tuple[str, ...]
    local: tuple[str, ...]


def list_experiment_files() -> FileList:
    """Shipped files by their short names, and those of this folder and its `experiments`."""
    from lovt_core.config.loading import shipped_experiments, shipped_folder

    folder = shipped_folder()
    shipped = tuple(str(path.relative_to(folder)) for path in shipped_experiments())
    local = (path for path in _local_files() if not path.resolve().is_relative_to(folder.resolve()))
    return FileList(shipped, tuple(str(path) for path, _ in zip(local, range(MAX_LOCAL_FILES), strict=False)))


def _local_files() -> Iterator[Path]:
    for place in LOCAL_FOLDERS:
        folder = Path(place)
        pattern = "*.y*ml" if place == "." else "**/*.y*ml"
        for path in sorted(folder.glob(pattern)):
            if path.suffix in (".yaml", ".yml") and not path.name.startswith("base") and _is_experiment(path):
                yield path


def _is_experiment(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            return EXPERIMENT_KEY.search(file.read(HEAD_BYTES)) is not None
    except OSError:
        return False


def judge(workspace: "Workspace", choice: Choice) -> Verdict:
    """Whether a run of this would be queued, and with which settings."""
    from lovt_core.config.loading import dump_experiment
    from lovt_tui.cli.readiness import check_ready

    try:
        experiment = _load(choice)
    except START_ERRORS as error:
        return Verdict(problem=str(error))
    text = dump_experiment(experiment)
    try:
        check_ready(workspace, experiment)
    except START_ERRORS as error:
        return Verdict(experiment=text, problem=str(error))
    return Verdict(experiment=text, summary=f"{experiment.kind} {experiment.name} can be queued")


def start(workspace: "Workspace", choice: Choice) -> str:
    """Queue a run when what it reads is in place; its id. Raises LovtError saying what is wrong or missing."""
    from lovt_core.config.loading import find_experiment_file, stamp_files
    from lovt_core.runs.queueing.requests import queue_run
    from lovt_tui.cli.readiness import check_ready

    ready = check_ready(workspace, _load(choice))
    return queue_run(workspace, ready, files=stamp_files(find_experiment_file(choice.file.strip()))).id


def _load(choice: Choice) -> "Experiment":
    from lovt_core.config.loading import find_experiment_file, load_experiment

    if not choice.file.strip():
        raise InputError("no file is chosen: pick one of the list, or type its path")
    try:
        overrides = shlex.split(choice.overrides)
    except ValueError as error:
        raise InputError("overrides: a quote is not closed") from error
    return load_experiment(find_experiment_file(choice.file.strip()), overrides)
