"""Find what can go from a workspace, and remove it. Every removal decides anew, under the locks of what it touches."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from typing import assert_never

from lovt_core.errors import LovtError
from lovt_core.runs.directory import RunDirectory, list_runs
from lovt_core.runs.space.cleaning.checkpoints import find_checkpoint_garbage, remove_checkpoints
from lovt_core.runs.space.cleaning.features import find_feature_garbage, remove_features
from lovt_core.runs.space.cleaning.garbage import CleaningOptions, Findings, Garbage
from lovt_core.runs.space.cleaning.leftovers import find_leftovers, remove_leftover
from lovt_core.runs.space.cleaning.prepared import find_prepared_garbage, remove_version
from lovt_core.runs.space.sizes import Scale
from lovt_core.runs.space.trash import TrashedRun, delete_trashed, list_trash
from lovt_core.runs.workspace import Workspace

RemovedCallback = Callable[[Garbage], None]


def find_garbage(workspace: Workspace, options: CleaningOptions, now: float) -> Findings:
    """All that can go, largest first within its kind; `now` in Unix seconds. Nothing is changed."""
    notes: list[str] = []
    found = [item for item in _find_all(workspace, options, notes, now) if item.kind in options.kinds]
    kinds = {kind: place for place, kind in enumerate(options.kinds)}
    found.sort(key=lambda item: (kinds[item.kind], -item.num_bytes, str(item.path)))
    return Findings(tuple(found), tuple(notes))


def _find_all(workspace: Workspace, options: CleaningOptions, notes: list[str], now: float) -> Iterator[Garbage]:
    scale = Scale()
    if "trash" in options.kinds:
        for trashed in list_trash(workspace):
            yield Garbage("trash", trashed.path, scale.weigh(trashed.path), "was removed")
    if {"checkpoints", "states"} & set(options.kinds):
        for run in list_runs(workspace):
            yield from find_checkpoint_garbage(run, options.keep_last, scale)
    if "prepared" in options.kinds:
        yield from find_prepared_garbage(workspace, scale, notes, shared=options.shared_prepared)
    if "features" in options.kinds:
        yield from find_feature_garbage(workspace, scale)
    if "leftovers" in options.kinds:
        yield from find_leftovers(workspace, scale, now)


def remove_garbage(
    workspace: Workspace, garbage: Iterable[Garbage], options: CleaningOptions, on_removed: RemovedCallback
) -> tuple[str, ...]:
    """Remove what was found with these options, as far as it can still go; a sentence for each that had to stay."""
    failures = []
    for parts in _group(garbage):
        try:
            _remove(workspace, parts, options)
        except LovtError as error:
            failures.append(str(error))
        except OSError as error:
            failures.append(f"cannot remove {parts[0].path}: {error.strerror or error}")
        for item in parts:
            if not item.path.exists():
                on_removed(item)
    return tuple(failures)


def _group(garbage: Iterable[Garbage]) -> Iterator[list[Garbage]]:
    """Checkpoints and states by run, everything else alone."""
    for is_of_run, items in groupby(garbage, lambda item: item.kind in ("checkpoints", "states")):
        if not is_of_run:
            yield from ([item] for item in items)
            continue
        by_run: dict[Path, list[Garbage]] = {}
        for item in items:
            by_run.setdefault(item.path.parent, []).append(item)
        yield from by_run.values()


def _remove(workspace: Workspace, parts: list[Garbage], options: CleaningOptions) -> None:
    path = parts[0].path
    match parts[0].kind:
        case "trash":
            delete_trashed(TrashedRun(path, 0.0))
        case "checkpoints" | "states":
            names = {item.path.name for item in parts}
            remove_checkpoints(RunDirectory(path.parent.parent), names, options.keep_last)
        case "prepared":
            remove_version(workspace, path)
        case "features":
            remove_features(path)
        case "leftovers":
            with suppress(FileNotFoundError):
                remove_leftover(workspace, path)
        case _ as unknown:
            assert_never(unknown)
