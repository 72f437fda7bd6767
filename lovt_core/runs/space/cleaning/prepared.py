"""Versions of prepared data that are not current any more and that no run needs.

A queued or running run needs every version of the data sets it names, because it may have begun with any. A run that
can be resumed goes on with the version that its checkpoints name, and an evaluation looks there for the images that the
encoder has seen.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lovt_core.config.experiment import StoredExperiment
from lovt_core.data.catalog import DATA_SETS
from lovt_core.data.preparation.lock import preparation_lock
from lovt_core.data.versions import find_versions, load_current
from lovt_core.errors import DataError, InputError, LovtError, RecordError
from lovt_core.files import temporary_sibling
from lovt_core.runs.directory import RunDirectory, list_runs
from lovt_core.runs.locks import holding
from lovt_core.runs.space.cleaning.garbage import Garbage
from lovt_core.runs.space.erasing import delete
from lovt_core.runs.space.needs import find_encoder_run, list_active
from lovt_core.runs.space.sizes import Scale
from lovt_core.runs.state import read_state
from lovt_core.runs.states import RESUMABLE
from lovt_core.runs.workspace import Workspace
from lovt_core.tasks import expand_tasks

ANY = ""
"""Instead of a fingerprint: all versions of the data set."""
FINGERPRINT_DIGITS = 8
"""Of the fingerprint, in the name of a version's folder."""


@dataclass(frozen=True)
class Readers:
    """Who needs which versions."""

    needing: Mapping[tuple[str, str], str]
    """(data set, first digits of a fingerprint or ANY) -> a sentence about the run that needs it."""
    trained: Mapping[tuple[str, str], str]
    """Likewise, id of a run that was trained on it and has ended."""

    def find(self, folder: Path) -> str | None:
        """Why a version must stay; None where nothing is against its removal."""
        name, digits = folder.parent.name, _digits_of(folder)
        return self.needing.get((name, ANY)) or self.needing.get((name, digits))


def _digits_of(folder: Path) -> str:
    return folder.name.rpartition("-")[2]


def find_readers(workspace: Workspace) -> Readers:
    """Look through all runs."""
    needing: dict[tuple[str, str], str] = {}
    trained: dict[tuple[str, str], str] = {}
    for active in list_active(workspace):
        who = f"run {active.run.id} is {active.state.state} and may read it"
        needing.update({(name, ANY): who for name in _data_sets_of(active.experiment)})
        if encoder := find_encoder_run(workspace, active.experiment):
            needing.update(dict.fromkeys(find_training_data(RunDirectory(workspace.runs / encoder)), who))
    for run in list_runs(workspace):
        for version in find_training_data(run):
            if _is_resumable(run):
                needing.setdefault(version, f"run {run.id} could be resumed and would go on with it")
            trained[version] = run.id
    return Readers(needing, trained)


def _data_sets_of(experiment: StoredExperiment) -> set[str]:
    if experiment.kind == "pretrain":
        return {experiment.data.name, *experiment.data.exclude_overlap_with}
    if experiment.kind == "evaluate":
        try:
            return {task.data for task in expand_tasks(experiment.tasks)}
        except InputError:
            return {data_set.name for data_set in DATA_SETS}
    return set()


def find_training_data(run: RunDirectory) -> set[tuple[str, str]]:
    """(Data set, first digits of the fingerprint) that the run's checkpoints say they were trained on."""
    found = set()
    for path in run.checkpoints.glob("*/checkpoint.json"):
        with suppress(OSError, ValueError, KeyError, TypeError):
            data = json.loads(path.read_text(encoding="utf-8"))["content"]["describe"]["data"]
            found.add((str(data["name"]), str(data["fingerprint"])[:FINGERPRINT_DIGITS]))
    return found


def _is_resumable(run: RunDirectory) -> bool:
    try:
        return read_state(run).state in RESUMABLE
    except (LovtError, OSError):
        return True


def find_prepared_garbage(workspace: Workspace, scale: Scale, notes: list[str], *, shared: bool) -> Iterator[Garbage]:
    """Superseded versions; `notes` tells why others stay. `shared`: look into a folder of several workspaces too."""
    root = workspace.prepared_root
    superseded = dict(_find_superseded(root, notes))
    if superseded and not root.resolve().is_relative_to(workspace.path) and not shared:
        notes.append(
            f"superseded versions in {root} stay: runs of other workspaces may read them (--shared removes them too)"
        )
        return
    readers = find_readers(workspace) if superseded else Readers({}, {})
    for folders in superseded.values():
        for folder in folders:
            if why := readers.find(folder):
                notes.append(f"{folder.parent.name}/{folder.name} stays: {why}")
                continue
            reason = "is a superseded version of its data set"
            if run_id := readers.trained.get((folder.parent.name, _digits_of(folder))):
                reason += f"; without it evaluations of run {run_id} cannot say which test images it has seen"
            yield Garbage("prepared", folder, scale.weigh(folder), reason)


def _find_superseded(root: Path, notes: list[str]) -> Iterator[tuple[str, list[Path]]]:
    """Versions that are current for no size, by data set; of links none, they may lead anywhere."""
    for data_set in DATA_SETS:
        if (root / data_set.name).is_symlink():
            continue
        try:
            current = set(load_current(root, data_set.name).values())
        except DataError as error:
            notes.append(f"versions of {data_set.name} stay: {error}")
            continue
        versions = [path for path in find_versions(root, data_set.name) if not path.is_symlink()]
        if folders := [path for path in versions if path.name not in current]:
            yield data_set.name, folders


def remove_version(workspace: Workspace, folder: Path) -> None:
    """Remove a version, unless it has become current or needed meanwhile.

    The decision falls inside the queue lock, without which no run is queued or resumed. Raises RecordError saying what
    is in the way, InputError while the data set is being prepared, OSError where the disk refuses.
    """
    root, name = folder.parent.parent, folder.parent.name
    with preparation_lock(folder.parent):
        with holding(workspace.queue_lock):
            if folder.name in load_current(root, name).values():
                raise RecordError(f"{folder} has become current")
            if why := find_readers(workspace).find(folder):
                raise RecordError(f"{folder} stays: {why}")
            if not os.path.lexists(folder):
                return
            doomed = folder.rename(temporary_sibling(folder))
        delete(doomed)
