"""What a form can begin from, and what comes of it: runs in the queue, a sweep at work, a file."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from lovt_core.errors import InputError, LovtError
from lovt_tui.formatting import Cell, format_state

if TYPE_CHECKING:
    from lovt_core.config.experiment import Experiment
    from lovt_core.config.sweep_file import Sweep
    from lovt_core.runs.records import RunRow
    from lovt_core.runs.terms import Terms
    from lovt_core.runs.workspace import Workspace
    from lovt_tui.forms.drafts import Draft, Start
    from lovt_tui.forms.launching import RunLaunch, SweepLaunch
    from lovt_tui.forms.views import View

LOCAL_FOLDERS = (".", "experiments", "sweeps")
MAX_LOCAL_FILES = 200
HEAD_BYTES = 65_536
START_ERRORS = (LovtError, OSError, ValueError)
"""What typed text can lead to; ValueError: a path or a YAML value (a 31st of February) that cannot be."""
EXPERIMENT_KEY = re.compile(r"^(kind|base)\s*:\s*(\S*)", re.MULTILINE)
"""What an experiment file has and other YAML files hardly do."""


NO_STATE = Cell("")


@dataclass(frozen=True)
class StartChoice:
    """Something that a form can begin from."""

    kind: Literal["draft", "experiment", "sweep", "run"]
    """`draft`: what is being edited already."""
    name: str
    """A shipped file by its short name, a path, or the id of a run."""
    note: str
    """Where it comes from; of a run, its kind."""
    state: Cell = NO_STATE
    """Of a run: glyph and word."""

    @property
    def text(self) -> str:
        """What it is found by."""
        return f"{self.kind} {self.name} {self.note} {self.state.text}".lower()


def list_files() -> tuple[StartChoice, ...]:
    """Experiments and sweeps of this folder, its `experiments` and `sweeps`, then the shipped ones."""
    from lovt_core.config.loading import shipped_experiments, shipped_folder, shipped_sweeps

    folder = shipped_folder()
    shipped = [StartChoice("experiment", str(path.relative_to(folder)), "shipped") for path in shipped_experiments()]
    shipped += [StartChoice("sweep", str(path.relative_to(folder)), "shipped") for path in shipped_sweeps()]
    local = [choice for choice, _ in zip(_local_files(folder), range(MAX_LOCAL_FILES), strict=False)]
    return (*local, *shipped)


def _local_files(shipped: Path) -> Iterator[StartChoice]:
    for place in LOCAL_FOLDERS:
        folder = Path(place)
        pattern = "*.y*ml" if place == "." else "**/*.y*ml"
        for path in sorted(folder.glob(pattern)):
            if path.suffix not in (".yaml", ".yml") or path.resolve().is_relative_to(shipped.resolve()):
                continue
            kind = None if path.name.startswith("base") else _read_kind(path)
            if kind is not None:
                yield StartChoice("sweep" if kind == "sweep" else "experiment", str(path), "in this folder")


def _read_kind(path: Path) -> str | None:
    """What a file says it is; None for one that is no experiment."""
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            found = dict(EXPERIMENT_KEY.findall(file.read(HEAD_BYTES)))
    except OSError:
        return None
    return str(found.get("kind", "")) if found else None


def list_past_runs(rows: Sequence["RunRow"]) -> tuple[StartChoice, ...]:
    """Runs that could be started again, as the index has them."""
    return tuple(StartChoice("run", row.id, row.kind, format_state(row)) for row in rows if row.kind != "imported")


def list_starts(
    edited: str | None, files: Sequence[StartChoice], past: Sequence[StartChoice]
) -> tuple[StartChoice, ...]:
    """All that a form can begin from: what is `edited` already, by the name of its start, files, past runs."""
    draft = [] if edited is None else [StartChoice("draft", edited, "go on with the form")]
    return (*draft, *files, *past)


def open_start(workspace: "Workspace", choice: StartChoice) -> "Start":
    """Read what was picked; raises LovtError where nothing of it can be read."""
    from lovt_tui.forms.starts import read_run, read_start

    return read_run(workspace, choice.name) if choice.kind == "run" else read_start(choice.name)


def queue(workspace: "Workspace", view: "View") -> tuple[str, ...]:
    """Queue the runs of a view as `lovt launch` does; their ids. Raises LovtError saying what is wrong or missing."""
    from lovt_core.config.sweep_file import Sweep
    from lovt_core.runs.directory import RunDirectory
    from lovt_core.runs.queueing.requests import label_run, queue_repeats, queue_run
    from lovt_tui.cli.readiness import check_ready
    from lovt_tui.cli.terms import check_shared_gpus
    from lovt_tui.forms.launching import RunLaunch

    if view.asked is None or isinstance(view.asked, Sweep) or not isinstance(view.launch, RunLaunch):
        raise InputError("there is something wrong with it: see the lines above the form")
    launch, files = view.launch, _stamp(view.draft)
    check_shared_gpus(view.asked, launch.gpus)
    terms = _build_terms(workspace, launch)
    ready = check_ready(workspace, view.asked, terms.after, terms.launcher)
    seeded = [ready.model_copy(update={"seed": ready.seed + repeat}) for repeat in range(launch.repeats)]
    if launch.snapshot:
        runs = [queue_run(workspace, each, terms, files=files, snapshot=True) for each in seeded]
    else:
        runs = queue_repeats(workspace, seeded, terms, files)
    if launch.tags:
        for run in runs:
            label_run(RunDirectory(run.path), "tags", list(launch.tags))
    return tuple(run.id for run in runs)


def start_sweep(workspace: "Workspace", view: "View") -> str:
    """Start the sweep of a view, detached, as `lovt sweep run --detach` does; its name. Raises LovtError likewise."""
    from lovt_core.config.sweep_file import Sweep
    from lovt_core.sweeps import requests
    from lovt_tui.cli.terms import build_terms
    from lovt_tui.forms.judging import check_asked
    from lovt_tui.forms.launching import SweepLaunch

    if not isinstance(view.asked, Sweep) or not isinstance(view.launch, SweepLaunch):
        raise InputError("there is something wrong with it: see the lines above the form")
    terms = build_terms(workspace, slurm=_is_slurm(view.launch))
    check_asked(workspace, view)
    folder = requests.start_sweep(
        workspace, view.asked, storage=view.launch.storage, terms=terms, files=_stamp(view.draft)
    )
    return folder.name


def save(view: "View", path: Path, *, replacing: bool = False) -> str:
    """Write a file that `lovt` can start; says so. Raises InputError where it is there already or the form is wrong."""
    from lovt_core.config.yaml_text import write_mapping
    from lovt_core.files import write_text_atomic
    from lovt_tui.forms.checking import anchor
    from lovt_tui.forms.views import saved_document

    if view.asked is None:
        raise InputError(f"not saved: {view.problems[0].text if view.problems else 'there is something wrong with it'}")
    check_path(path)
    if path.exists() and not replacing:
        raise InputError(f"{path} is there already: give another name")
    document, kind = saved_document(view.draft), view.draft.start.kind
    if kind == "sweep":
        document = anchor(document, view.draft.start.file.parent, path.parent)
    write_text_atomic(path, write_mapping(document), 0o644)
    return f"saved as {path}; to start it: {_name_command(view.asked)} {path}"


def check_path(path: Path) -> None:
    """Raise InputError for a path that no experiment file can have."""
    if path.suffix not in (".yaml", ".yml"):
        raise InputError(f"'{path}' is no name for an experiment file: it ends in .yaml")
    if path.is_dir() or not path.parent.is_dir():
        raise InputError(f"{path.parent} is no folder" if not path.is_dir() else f"{path} is a folder")


def suggest_path(draft: "Draft") -> str:
    """The start's own file if it is a local one, else its name in this folder."""
    from lovt_core.config.loading import shipped_folder

    file = draft.start.file
    if not draft.start.run_id and not file.resolve().is_relative_to(shipped_folder().resolve()):
        return draft.start.name
    return f"{draft.documents[draft.start.kind].get('name') or draft.start.kind}.yaml"


def _name_command(asked: "Experiment | Sweep") -> str:
    from lovt_core.config.sweep_file import Sweep

    return "lovt sweep run" if isinstance(asked, Sweep) else "lovt launch"


def _build_terms(workspace: "Workspace", launch: "RunLaunch") -> "Terms":
    import secrets
    from dataclasses import replace

    from lovt_tui.cli.terms import build_terms

    terms = build_terms(
        workspace,
        launch.priority,
        launch.gpus,
        launch.gpu_memory,
        launch.after,
        launch.retry,
        launch.retry_on,
        _is_slurm(launch),
    )
    return replace(terms, group=secrets.token_hex(4)) if launch.repeats > 1 else terms


def _is_slurm(launch: "RunLaunch | SweepLaunch") -> bool | None:
    return None if launch.where is None else launch.where == "slurm"


def _stamp(draft: "Draft") -> dict[str, str]:
    from lovt_core.config.loading import stamp_files

    return {} if draft.start.run_id else stamp_files(draft.start.file)
