"""What a workspace takes on the disk, and whose it is."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lovt_core.data.versions import CURRENT_FILE, find_versions, load_current
from lovt_core.errors import DataError
from lovt_core.runs.directory import list_runs
from lovt_core.runs.space.sizes import RunUsage, Scale, measure_run, scan
from lovt_core.runs.workspace import Workspace


@dataclass(frozen=True)
class PreparedUsage:
    """Bytes of one prepared version."""

    data_set: str
    version: str
    """Its folder; `(other)`: what lies beside the versions, unfinished preparations for example."""
    num_bytes: int
    is_current: bool


@dataclass(frozen=True)
class Usage:
    """Bytes of a workspace."""

    runs: tuple[RunUsage, ...]
    """Largest first."""
    prepared: tuple[PreparedUsage, ...]
    """Largest first."""
    trash: int
    features: int
    """Cached features of frozen encoders."""
    index: int
    other: int
    """Whatever else lies in the workspace."""

    @property
    def total(self) -> int:
        """Of all of it; prepared data too where it is shared with other workspaces."""
        parts = (self.trash, self.features, self.index, self.other)
        return sum(run.total for run in self.runs) + sum(each.num_bytes for each in self.prepared) + sum(parts)


def measure_workspace(workspace: Workspace) -> Usage:
    """Bytes of everything that belongs to a workspace."""
    scale = Scale()
    runs = sorted((measure_run(run, scale) for run in list_runs(workspace)), key=lambda run: (-run.total, run.id))
    known = {run.id for run in runs}
    parts = {"runs", "trash", "features"}
    index = [Path(f"{workspace.index}{suffix}") for suffix in ("", "-wal", "-shm", ".lock")]
    trash, features = (scale.weigh(workspace.path / name) for name in ("trash", "features"))
    prepared = tuple(_measure_prepared(workspace.prepared_root, scale))
    counted = {*(workspace.path / part for part in parts), *index, workspace.prepared_root}
    rest = [Path(entry.path) for entry in scan(workspace.path)]
    strays = [Path(entry.path) for entry in scan(workspace.runs) if entry.name not in known]
    return Usage(
        runs=tuple(runs),
        prepared=tuple(sorted(prepared, key=lambda each: (-each.num_bytes, each.data_set, each.version))),
        trash=trash,
        features=features,
        index=sum(scale.weigh(path) for path in index),
        other=sum(scale.weigh(path) for path in (*rest, *strays) if path not in counted),
    )


def _measure_prepared(root: Path, scale: Scale) -> Iterator[PreparedUsage]:
    for folder in scan(root):
        if not folder.is_dir(follow_symlinks=False):
            continue
        try:
            current = set(load_current(root, folder.name).values())
        except DataError:
            current = set()
        versions = {path.name for path in find_versions(root, folder.name)}
        for name in sorted(versions):
            yield PreparedUsage(folder.name, name, scale.weigh(root / folder.name / name), name in current)
        rest = [Path(entry.path) for entry in scan(folder.path) if entry.name not in {*versions, CURRENT_FILE}]
        if beside := sum(scale.weigh(path) for path in rest):
            yield PreparedUsage(folder.name, "(other)", beside, False)
