"""What `lovt import` finds at a path: runs of other programs, each with what reads it."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

from lovt_core.config.experiment import ImportFormat
from lovt_core.errors import InputError
from lovt_core.interop.metrics_csv import read_metrics_csv
from lovt_core.interop.points import ForeignRun
from lovt_core.interop.tensorboard_files import is_event_file, read_event_files
from lovt_core.interop.wandb_files import SUFFIX, read_offline_run


@dataclass(frozen=True)
class Source:
    """Files that belong together."""

    format: ImportFormat
    path: Path
    """The file, or the folder of event files."""
    files: tuple[Path, ...]
    name: str
    """What its runs are called where they have no name of their own."""


def find_sources(path: Path) -> tuple[Source, ...]:
    """The sources at a path, in the order of their paths.

    A file is read as what its name says. A folder is searched, links in it are not followed: each folder with
    TensorBoard event files is a run, and so is each W&B file; CSV files are named one by one, as a folder may hold any.
    Raises InputError where there is nothing to import.
    """
    if path.is_dir():
        found = tuple(sorted(_search(path), key=lambda source: source.path))
        if not found:
            raise InputError(
                f"{path} holds neither TensorBoard event files nor W&B runs (run-*.wandb): name a folder that does, or "
                "CSV files one by one"
            )
        return found
    if not path.exists():
        raise InputError(f"there is no file or folder {path}")
    if is_event_file(path):
        return (Source("tensorboard", path, (path,), path.resolve().parent.name),)
    if path.suffix == SUFFIX:
        return (Source("wandb", path, (path,), path.stem),)
    if path.suffix.lower() == ".csv":
        return (Source("csv", path, (path,), path.stem),)
    raise InputError(
        f"{path} is of no known kind: files end in .csv or .wandb, or have tfevents in their names (TensorBoard)"
    )


def read_source(source: Source) -> tuple[ForeignRun, ...]:
    """The runs of a source; raises DataError for damaged files, InputError where a package is missing."""
    match source.format:
        case "tensorboard":
            return (read_event_files(source.files, source.name, source.path),)
        case "csv":
            return read_metrics_csv(source.path)
        case "wandb":
            return (read_offline_run(source.path),)
        case _:
            assert_never(source.format)


def _search(top: Path) -> Iterator[Source]:
    for folder, _, names in os.walk(top):
        files = [Path(folder, name) for name in sorted(names)]
        files = [file for file in files if file.is_file() and not file.is_symlink()]
        if events := tuple(file for file in files if is_event_file(file)):
            yield Source("tensorboard", Path(folder), events, _name_folder(Path(folder), top))
        yield from (Source("wandb", file, (file,), file.stem) for file in files if file.suffix == SUFFIX)


def _name_folder(folder: Path, top: Path) -> str:
    """The path below the searched folder, of which the name alone would often say little (`version_0`)."""
    parts = folder.relative_to(top).parts
    return "-".join(parts) if parts else top.resolve().name
