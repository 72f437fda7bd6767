"""How much disk files take: their sizes (not their blocks), hard links counted once, links never followed."""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

from lovt_core.runs.directory import RunDirectory

Kind = Literal["weights", "state", "events", "log", "artifacts", "other"]
"""What files of a run are: checkpoint weights, optimiser state, metrics and events, log, pictures and exports, rest."""
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
CHECKPOINT = re.compile(r"(\d+)-a(\d+)(?:\.encoder)?")
STATE_SUFFIX = ".state"
_EVENTS = re.compile(r"events-\d+\.jsonl")


@dataclass(frozen=True)
class RunUsage:
    """Bytes of one run directory by kind."""

    id: str
    bytes: Mapping[Kind, int]

    @property
    def total(self) -> int:
        """Of all kinds."""
        return sum(self.bytes.values())


class Scale:
    """Weighs files and folders; a hard link that it has weighed before weighs nothing."""

    def __init__(self) -> None:
        self._seen: set[tuple[int, int]] = set()

    def weigh(self, path: Path) -> int:
        """Bytes of a file, or of all files under a folder; what is not there or cannot be read weighs nothing."""
        try:
            stat = path.lstat()
        except OSError:
            return 0
        if not os.path.isdir(path) or path.is_symlink():  # noqa: PTH112, thousands of times
            return self._add(stat)
        return self._weigh_folder(str(path))

    def _weigh_folder(self, folder: str) -> int:
        total, todo = 0, [folder]
        while todo:
            for entry in scan(todo.pop()):
                if entry.is_dir(follow_symlinks=False):
                    todo.append(entry.path)
                    continue
                try:
                    total += self._add(entry.stat(follow_symlinks=False))
                except OSError:
                    continue  # removed while we looked
        return total

    def _add(self, stat: os.stat_result) -> int:
        if stat.st_nlink > 1:
            key = (stat.st_dev, stat.st_ino)
            if key in self._seen:
                return 0
            self._seen.add(key)
        return stat.st_size


def scan(folder: str | Path) -> Iterator[os.DirEntry[str]]:
    """Entries of a folder; none of one that is not there or cannot be read."""
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except OSError:
        return


def measure_run(run: RunDirectory, scale: Scale) -> RunUsage:
    """Bytes of a run directory by kind."""
    sizes = dict.fromkeys(KINDS, 0)
    for entry in scan(run.path):
        if entry.name == run.checkpoints.name and entry.is_dir(follow_symlinks=False):
            for checkpoint in scan(entry.path):
                sizes[_kind_of_checkpoint(checkpoint.name)] += scale.weigh(Path(checkpoint.path))
        else:
            sizes[_kind_of_file(entry.name, run)] += scale.weigh(Path(entry.path))
    return RunUsage(run.id, sizes)


def _kind_of_checkpoint(name: str) -> Kind:
    if not CHECKPOINT.fullmatch(name.removesuffix(STATE_SUFFIX)):
        return "other"
    return "state" if name.endswith(STATE_SUFFIX) else "weights"


def _kind_of_file(name: str, run: RunDirectory) -> Kind:
    if _EVENTS.fullmatch(name):
        return "events"
    if name == run.log.name:
        return "log"
    return "artifacts" if name == run.artifacts.name else "other"


def measure_checkpoint(run: RunDirectory, name: str) -> dict[str, int]:
    """Bytes of a checkpoint's `weights` and of its `state`, as a `saved` event may carry them."""
    scale = Scale()
    weights = scale.weigh(run.checkpoints / name)
    return {"weights": weights, "state": scale.weigh(run.checkpoints / (name + STATE_SUFFIX))}


def format_size(num_bytes: float) -> str:
    """Three digits and a decimal unit: `0 B`, `12.3 kB`, `1.65 GB`."""
    if num_bytes < 999.5:
        return f"{num_bytes:.0f} B"
    size, units = num_bytes / 1000, ["kB", "MB", "GB", "TB", "PB"]
    while size >= 999.5 and len(units) > 1:
        size, units = size / 1000, units[1:]
    digits = 2 if size < 9.995 else 1 if size < 99.95 else 0
    return f"{size:.{digits}f} {units[0]}"
