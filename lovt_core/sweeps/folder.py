"""A sweep is a folder `<workspace>/sweeps/<name>`, made whole; its trials' runs are ordinary run directories.

sweep.yaml        the sweep file, every default written out
base.yaml         the base experiment, with the sweep's `set`
evaluation.yaml   where an objective names tasks
origin.json       command, versions, machine, place; name of the study and its storage
control.jsonl     what was asked of it
trials.jsonl      what became of each trial (trials.py); written by the coordinator
coordinator.lock  held as long as a coordinator lives
coordinator.log   what it had to say
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ValidationError

from lovt_core.config.sweep import SweepConfig
from lovt_core.config.yaml_text import plain, read_mapping
from lovt_core.errors import ConfigError, InputError, RecordError
from lovt_core.files import publish_folder, write_text_atomic
from lovt_core.runs.lines import append_line, read_lines
from lovt_core.runs.locks import holding, is_locked
from lovt_core.runs.workspace import Workspace
from lovt_core.sweeps.trials import Trial, read_trials

if TYPE_CHECKING:
    from lovt_core.config.sweep_file import Sweep

FORMAT = 1
SweepState = Literal["running", "paused", "stopped", "finished", "interrupted"]
Wish = Literal["running", "paused", "stopped", "finished"]
WISHES: dict[str, Wish] = {
    "pause": "paused",
    "resume": "running",
    "extend": "running",
    "stop": "stopped",
    "finished": "finished",
}
"""What each request wants a sweep to be."""
Request = Literal["pause", "resume", "stop", "extend", "finished"]


@dataclass(frozen=True)
class SweepFolder:
    """A sweep in a workspace; the folder need not be read to name it."""

    workspace: Workspace
    name: str

    @property
    def path(self) -> Path:
        """The folder."""
        return self.workspace.path / "sweeps" / self.name

    @property
    def trials_file(self) -> Path:
        """Lines on trials."""
        return self.path / "trials.jsonl"

    @property
    def control(self) -> Path:
        """Lines on what was asked."""
        return self.path / "control.jsonl"

    @property
    def lock(self) -> Path:
        """Held by the coordinator."""
        return self.path / "coordinator.lock"

    @property
    def log(self) -> Path:
        """What the coordinator had to say."""
        return self.path / "coordinator.log"

    def read(self) -> "Sweep":
        """The sweep as it was made, with what `extend` changed; raises RecordError when damaged."""
        from lovt_core.config.evaluation import EvaluateExperiment
        from lovt_core.config.loading import load_stored_experiment
        from lovt_core.config.sweep_file import Sweep

        config = self.config()
        base = load_stored_experiment(self.path / "base.yaml")
        file = self.path / "evaluation.yaml"
        evaluation = load_stored_experiment(file) if file.exists() else None
        if base.kind == "imported" or not (evaluation is None or isinstance(evaluation, EvaluateExperiment)):
            raise RecordError(f"{self.path}: its experiments are of kinds that no sweep has")
        return Sweep(config, base, evaluation)

    def config(self) -> SweepConfig:
        """The sweep file as it was, with what `extend` changed; raises RecordError when damaged."""
        file = self.path / "sweep.yaml"
        try:
            config = SweepConfig.model_validate(plain(read_mapping(file, "sweep file")))
        except ConfigError as error:
            raise RecordError(f"{file} is damaged: {str(error).splitlines()[0]}; put it back from a copy") from error
        except ValidationError as error:
            from lovt_core.config.sweep_problems import list_problems

            reason = list_problems(error, read_mapping(file, "sweep file"), "line")[0]
            raise RecordError(f"{file} is damaged: {reason}; put it back from a copy") from error
        return self.extend(config)

    def extend(self, config: SweepConfig) -> SweepConfig:
        """A sweep file with what `extend` has changed since."""
        said = (line for line in read_control(self) if line["op"] == "extend")
        return config.model_copy(update={key: line[key] for line in said for key in EXTENDED if key in line})

    def origin(self) -> dict[str, Any]:
        """Command, versions, machine; raises RecordError when damaged."""
        path = self.path / "origin.json"
        try:
            return dict(json.loads(path.read_text()))
        except (OSError, ValueError, TypeError) as error:
            raise RecordError(f"{path} cannot be read: {error}") from error

    def trials(self) -> tuple[Trial, ...]:
        """Its trials so far."""
        return read_trials(self.trials_file)

    @property
    def minimized(self) -> tuple[bool, ...]:
        """For each objective whether lower is better."""
        return tuple(each.is_minimized for each in self.config().objective)


EXTENDED = ("trials", "hours", "jobs")
"""Keys that `lovt sweep extend` may change."""


def create_sweep(workspace: Workspace, sweep: "Sweep", origin: dict[str, Any]) -> SweepFolder:
    """Write the folder of a sweep; raises InputError when the name is taken, RecordError when the disk refuses."""
    from lovt_core.config.loading import dump_experiment
    from lovt_core.config.sweep_file import dump_sweep

    folder = SweepFolder(workspace, sweep.config.name)
    try:
        folder.path.parent.mkdir(mode=0o700, exist_ok=True)
        with holding(folder.path.parent / "names.lock"):
            if os.path.lexists(folder.path):
                raise InputError(f"there is a sweep {folder.name} already in {workspace.path}")
            with publish_folder(folder.path) as building:
                write_text_atomic(building / "sweep.yaml", dump_sweep(sweep.config))
                write_text_atomic(building / "base.yaml", dump_experiment(sweep.base))
                if sweep.evaluation is not None:
                    write_text_atomic(building / "evaluation.yaml", dump_experiment(sweep.evaluation))
                write_text_atomic(building / "origin.json", json.dumps({"format": FORMAT, **origin}, indent=1))
    except OSError as error:
        raise RecordError(f"cannot write {folder.path}: {error.strerror or error}") from error
    return folder


def list_sweeps(workspace: Workspace) -> tuple[SweepFolder, ...]:
    """All sweeps of a workspace, by name."""
    folder = workspace.path / "sweeps"
    names = [path.parent.name for path in folder.glob("*/sweep.yaml")]
    return tuple(SweepFolder(workspace, name) for name in sorted(names))


def find_sweep(workspace: Workspace, text: str) -> SweepFolder:
    """The sweep of this name, or whose name begins like this; raises InputError when there is none, or several."""
    sweeps = list_sweeps(workspace)
    found = [each for each in sweeps if each.name == text] or [each for each in sweeps if each.name.startswith(text)]
    if len(found) == 1:
        return found[0]
    if not sweeps:
        raise InputError(
            f"no sweep '{text}': the workspace {workspace.path} has none yet; lovt sweep run FILE makes one"
        )
    names = ", ".join(each.name for each in found or sweeps)
    raise InputError(f"'{text}' fits several sweeps: {names}" if found else f"no sweep '{text}': there are {names}")


def read_control(folder: SweepFolder) -> list[dict[str, Any]]:
    """What was asked of a sweep, in its order."""
    return [line for line in read_lines(folder.control) if isinstance(line.get("op"), str)]


def append_request(folder: SweepFolder, request: Request, **details: Any) -> None:
    """Ask something of a sweep; raises RecordError when the disk refuses."""
    with deciding(folder):
        write_request(folder, request, **details)


@contextmanager
def deciding(folder: SweepFolder) -> Iterator[None]:
    """Hold the right to ask: nobody else asks, or finds a coordinator alive that is about to leave."""
    with holding(folder.path / "control.lock"):
        yield


def write_request(folder: SweepFolder, request: Request, **details: Any) -> None:
    """As `append_request`, for whoever holds the right to ask."""
    _append(folder, request, **details)


def _append(folder: SweepFolder, operation: str, **details: Any) -> None:
    try:
        append_line(folder.control, {"t": time.time(), "op": operation, **details})
    except OSError as error:
        raise RecordError(f"cannot write {folder.control}: {error.strerror}") from error


def read_sweep_state(folder: SweepFolder) -> SweepState:
    """`interrupted`: it should be at work, and no coordinator lives."""
    wish = read_wish(folder)
    if wish == "running":
        return "running" if is_locked(folder.lock) else "interrupted"
    return wish


def read_wish(folder: SweepFolder) -> Wish:
    """What the newest request wants a sweep to be."""
    wishes = [WISHES[line["op"]] for line in read_control(folder) if line["op"] in WISHES]
    return wishes[-1] if wishes else "running"


def append_warning(folder: SweepFolder, message: str) -> None:
    """Tell whoever looks at a sweep what is wrong with it, though it goes on; raises as `append_request`."""
    with deciding(folder):
        _append(folder, "warning", message=message)


def read_warnings(folder: SweepFolder) -> tuple[str, ...]:
    """What the coordinator has warned of."""
    return tuple(str(line["message"]) for line in read_control(folder) if line["op"] == "warning" and "message" in line)


def stop_reason(folder: SweepFolder) -> str:
    """What is written on runs that a stop of their sweep ends."""
    return f"the sweep {folder.name} was stopped"


def find_stop_reason(folder: SweepFolder) -> str:
    """Why a stopped sweep is, where no person asked for it; else nothing."""
    said = [line for line in read_control(folder) if line["op"] in WISHES]
    reason = str(said[-1].get("reason", "user")) if said and said[-1]["op"] == "stop" else "user"
    return "" if reason == "user" else reason
