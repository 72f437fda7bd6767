"""A run is a directory. This file knows the names in it and writes it whole."""

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from lovt_core import __version__
from lovt_core.config.experiment import StoredExperiment
from lovt_core.config.loading import dump_experiment, load_stored_experiment
from lovt_core.config.stored_yaml import read_stored
from lovt_core.errors import InputError, RecordError
from lovt_core.files import publish_folder, write_text_atomic
from lovt_core.runs.code import copy_code, fingerprint_code
from lovt_core.runs.control import append_control, read_control, read_labels, record
from lovt_core.runs.formats import FORMAT, upgrade_origin
from lovt_core.runs.locks import holding
from lovt_core.runs.machine import machine_id
from lovt_core.runs.queue_file import announce
from lovt_core.runs.terms import Terms, read_terms
from lovt_core.runs.workspace import Workspace

ID_TIME = "%Y%m%d-%H%M%S"
WIDEST_CLOCKS = timedelta(hours=26)
"""Between the local times of the same moment on two machines."""
NO_TERMS = Terms()
ID = re.compile(r"\d{8}-\d{6}-.+-[0-9a-f]{4}")
ENVIRONMENT = (
    "LOVT_PREPARED", "LOVT_WEIGHTS", "XDG_DATA_HOME", "HF_HOME", "HF_HUB_OFFLINE", "OMP_NUM_THREADS", "PYTHONPATH"
)  # fmt: skip
"""Variables that a worker gets as they were when its run was created, whoever starts the scheduler."""


@dataclass(frozen=True)
class RunDirectory:
    """Paths of one run."""

    path: Path

    @property
    def id(self) -> str:
        """Name of the directory."""
        return self.path.name

    @property
    def name(self) -> str:
        """Name of the experiment, as it stands in the id."""
        return self.id[16:-5]

    def current_name(self) -> str:
        """That which people gave it last, else that of the experiment."""
        return read_labels(read_control(self.control)).name or self.name

    @property
    def control(self) -> Path:
        """What was asked (control.py)."""
        return self.path / "control.jsonl"

    @property
    def worker_lock(self) -> Path:
        """Held for the worker's whole life."""
        return self.path / "worker.lock"

    @property
    def log(self) -> Path:
        """The worker's stdout and stderr."""
        return self.path / "log.txt"

    @property
    def checkpoints(self) -> Path:
        """Checkpoint folders."""
        return self.path / "checkpoints"

    @property
    def artifacts(self) -> Path:
        """Pictures, predictions, exported encoders."""
        return self.path / "artifacts"

    def events(self, attempt: int) -> Path:
        """Event file of an attempt."""
        return self.path / f"events-{attempt}.jsonl"

    @property
    def code(self) -> Path:
        """Packages as they were when the run was queued, where it was queued with a snapshot."""
        return self.path / "code"

    def experiment(self) -> StoredExperiment:
        """The merged experiment this run was created with, with what later attempts were told to change."""
        changes = read_terms(read_control(self.control)).settings or {}
        return load_stored_experiment(
            self.path / "experiment.yaml", [f"{key}={json.dumps(value)}" for key, value in changes.items()]
        )

    def document(self) -> dict[str, Any]:
        """The same as plain values and not validated: fast, and for experiments of other versions too.

        Raises RecordError unless it has a kind and a name.
        """
        document = read_stored(self.path / "experiment.yaml")
        for key, value in (read_terms(read_control(self.control)).settings or {}).items():
            *parents, last = key.split(".")
            section = document
            for parent in parents:
                section = section.setdefault(parent, {})
            section[last] = value
        return document

    def origin(self) -> dict[str, Any]:
        """Command, versions, machine and place of creation; raises RecordError when damaged."""
        path = self.path / "origin.json"
        try:
            origin = json.loads(path.read_text())
        except (OSError, ValueError) as error:
            raise RecordError(f"{path} cannot be read: {error}") from error
        if not isinstance(origin, dict):
            raise RecordError(f"{path} is not a JSON object")
        return dict(upgrade_origin(origin, path))

    def created(self) -> float:
        """When the run was created, in Unix seconds: of its own record, so that a copied directory keeps its age."""
        return float(self.origin().get("created") or (self.path / "origin.json").stat().st_mtime)

    def environment(self) -> dict[str, str]:
        """This process's environment, with the variables of `ENVIRONMENT` as they were at creation."""
        rest = {name: value for name, value in os.environ.items() if name not in ENVIRONMENT}
        environment = {**rest, **self.origin().get("environment", {})}
        if self.code.is_dir():
            path = environment.get("PYTHONPATH")
            environment["PYTHONPATH"] = f"{self.code}{os.pathsep}{path}" if path else str(self.code)
        return environment

    def is_at_home(self) -> bool:
        """Whether the run was created for this machine and path, or taken for them; a copy is only read."""
        takes = [item.details for item in read_control(self.control) if item.operation == "take"]
        home = takes[-1] if takes else self.origin()
        return home.get("machine") == machine_id() and home.get("path") == str(self.path)


def create_run(
    workspace: Workspace,
    experiment: StoredExperiment,
    terms: Terms = NO_TERMS,
    parent: dict[str, Any] | None = None,
    *,
    files: Mapping[str, str] | None = None,
    snapshot: bool = False,
    run_id: str | None = None,
) -> RunDirectory:
    """Write a run directory with `queued 1` and put it in place, all or nothing; `snapshot` copies the code into it.

    `files` are those that the experiment was read from, with their stamps; `run_id` is one that `plan_run_id` gave.

    The queue line comes before the rename, both inside the queue lock: a crash between them leaves a line that names no
    directory, which is ignored, and never a directory that no scheduler hears of.
    """
    run_id = run_id or plan_run_id(experiment.name)
    path = workspace.runs / run_id
    origin = {**_origin(path, parent), **({"group": terms.group} if terms.group else {}), "files": dict(files or {})}
    with holding(workspace.queue_lock), publish_folder(path) as folder:
        write_text_atomic(folder / "experiment.yaml", dump_experiment(experiment))
        write_text_atomic(folder / "origin.json", json.dumps(origin, indent=1))
        append_control(folder / "control.jsonl", record("queued", 1, **terms.to_json()))
        if snapshot:
            copy_code(folder / "code")
        announce(workspace, run_id)
    return RunDirectory(path)


def plan_run_id(name: str) -> str:
    """An id for a run that is still to be created."""
    return f"{datetime.now():{ID_TIME}}-{name}-{secrets.token_hex(2)}"


def list_runs(workspace: Workspace) -> list[RunDirectory]:
    """All run directories, oldest first; a folder without an experiment is none.

    A worker may leave such a folder behind, if its run was removed under its feet.
    """
    with os.scandir(workspace.runs) as entries:
        names = [entry.name for entry in entries if ID.fullmatch(entry.name) and _holds_experiment(entry.path)]
    return [RunDirectory(workspace.runs / name) for name in sorted(names)]


def _holds_experiment(folder: str) -> bool:
    return os.path.lexists(os.path.join(folder, "experiment.yaml"))  # noqa: PTH118, of thousands of folders


def find_run(workspace: Workspace, text: str, *, alone: bool = False) -> RunDirectory:
    """The run whose id, id prefix or name is `text` (`last`: the newest); of equal names the newest.

    Raises InputError when there is none, or when a prefix fits several; with `alone` when a name does, too.
    """
    runs = list_runs(workspace)
    if not runs:
        raise InputError(f"no run '{text}': the workspace {workspace.path} has no runs yet")
    if text == "last":
        return _find_newest(runs)
    exact = [run for run in runs if run.id == text]
    matches = exact or [run for run in runs if run.id.startswith(text) or run.id.endswith(f"-{text}")]
    if not (exact or text[:8].isdecimal()):
        named = [run for run in runs if run.current_name() == text]
        matches = (named if alone else named[-1:]) or matches
    if len(matches) == 1:
        return matches[0]
    if not matches:
        raise InputError(f"no run '{text}' in {workspace.path}: `lovt runs` lists them")
    candidates = ", ".join(run.id for run in matches[-5:])
    raise InputError(f"'{text}' fits {len(matches)} runs: {candidates}")


def _find_newest(runs: list[RunDirectory]) -> RunDirectory:
    """By the time of creation: the second in an id is too coarse, and in local time, which jumps when clocks change."""
    last = datetime.strptime(runs[-1].id[:15], ID_TIME)
    first = (last - WIDEST_CLOCKS).strftime(ID_TIME)
    return max((run for run in runs if run.id[:15] >= first), key=_creation_time)


def _creation_time(run: RunDirectory) -> float:
    """Finer than the second in the id."""
    try:
        return run.created()
    except (OSError, RecordError):
        return 0.0


def _origin(path: Path, parent: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "created": time.time(),
        "command": sys.argv,
        "version": __version__,
        "code": fingerprint_code(),
        "python": sys.version.split()[0],
        "machine": machine_id(),
        "path": str(path),
        "environment": {name: os.environ[name] for name in ENVIRONMENT if name in os.environ},
        "git": _git_facts(),
        "parent": parent or {},
    }


def _git_facts() -> dict[str, Any]:
    """Commit and uncommitted changes of the code in use; empty where it is an installed package."""
    git = shutil.which("git")
    root = Path(__file__).resolve().parents[2]
    if git is None or not (root / ".git").exists():
        return {}

    def ask(*arguments: str) -> str:
        answer = subprocess.run([git, "-C", str(root), *arguments], capture_output=True, text=True, check=False)
        return answer.stdout

    commit = ask("rev-parse", "HEAD").strip()
    patch = ask("diff", "HEAD")[:1_000_000] if commit else ""
    return {"commit": commit, "patch": patch} if commit else {}
