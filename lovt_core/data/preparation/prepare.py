"""Turn a download into prepared data: decoded once, in parallel, published whole or not at all."""

import shutil
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from lovt_core.config.split_names import AUTO
from lovt_core.data.catalog import find_data_set, scan_download
from lovt_core.data.checksums import verify
from lovt_core.data.data_set import DataSet
from lovt_core.data.preparation.describe import Origin, describe_version
from lovt_core.data.preparation.journal import Stash
from lovt_core.data.preparation.lock import preparation_lock
from lovt_core.data.preparation.unfinished import begin_building, decode_items, find_unfinished
from lovt_core.data.preparation.version_writer import VersionWriter, replace_meta, write_meta
from lovt_core.data.prepared import PreparedData, Sample
from lovt_core.data.prepared_meta import Problem, load_meta
from lovt_core.data.split_choice import find_lists, keep_choice
from lovt_core.data.split_lists import SplitLists
from lovt_core.data.splits import divide
from lovt_core.data.versions import find_versions, make_current, version_folder
from lovt_core.errors import DataError, InputError, LovtError
from lovt_core.files import move_folder
from lovt_core.values import Progress

MIN_SIZE, MAX_SIZE = 8, 4096
_SHOWN_PROBLEMS = 20


@dataclass(frozen=True)
class PrepareOptions:
    """What the user may choose."""

    size: int | None = None
    """Pixels; the data set's own size by default."""
    skip_bad: bool = False
    """Leave out what cannot be used, and list it, instead of refusing the download."""
    workers: int | None = None
    """Processes; all cores by default."""
    split: str | SplitLists | None = None
    """To use from now on; None leaves an earlier choice alone."""


OnProgress = Callable[[Progress], None]


def prepare(name: str, source: Path, root: Path, options: PrepareOptions, on_progress: OnProgress) -> PreparedData:
    """Prepare the download at `source` under `root` and make it the current version of its size.

    A version with the same content is kept and becomes current again; other versions stay. What an interrupted
    preparation or an earlier version of that size has decoded already is used again. Raises DataError for what is wrong
    with the download, all of it at once; InputError when the same data set is being prepared already; LovtError for a
    full disk.
    """
    data_set = find_data_set(name)
    size = data_set.default_size if options.size is None else options.size
    _check_options(size, options)
    origin = Origin(data_set, size, scan_download(data_set, source.resolve()))
    if not origin.download.items:
        _refuse(data_set, origin.download.problems, (), options)
        raise DataError(_explain_empty(origin))
    _check_split(origin, root, options)
    with preparation_lock(root / name):
        folder = _find_same(origin, root, options) or _build(origin, root, options, on_progress)
        make_current(root, name, size, folder.name)
        if options.split is not None:
            keep_choice(root / name, options.split)
    return PreparedData(folder)


def _check_options(size: int, options: PrepareOptions) -> None:
    if size < MIN_SIZE:
        raise InputError(f"size {size} is too small: at least {MIN_SIZE} pixels are needed")
    if size > MAX_SIZE:
        raise InputError(f"size {size} is too large: at most {MAX_SIZE} pixels are kept")
    if options.workers is not None and options.workers < 1:
        raise InputError(f"{options.workers} workers cannot work: at least 1 is needed")


def _check_split(origin: Origin, root: Path, options: PrepareOptions) -> None:
    """Refuse a split that does not fit the download before anything is decoded."""
    choice = options.split
    if choice is None or choice == AUTO:
        return
    name = origin.data_set.name
    if isinstance(choice, str) and choice.startswith("lists:"):
        choice = find_lists(root / name, choice.removeprefix("lists:"))
    items = origin.download.items
    divide(name, [Sample(item.id, item.patient, images=(), split=item.split) for item in items], choice)


def _find_same(origin: Origin, root: Path, options: PrepareOptions) -> Path | None:
    """A whole version made from the very same files, unless it left out what must not be left out now."""
    stamp = origin.stamp
    for folder in find_versions(root, origin.data_set.name):
        try:
            meta = load_meta(folder)
        except DataError:
            continue
        if meta.source_stamp == stamp and (options.skip_bad or not meta.skipped) and not verify(folder):
            return folder
    return None


def _build(origin: Origin, root: Path, options: PrepareOptions, on_progress: OnProgress) -> Path:
    """Write a new version and publish it; where one with the same content is there and whole, only its meta is new."""
    folder = root / origin.data_set.name
    unfinished = find_unfinished(folder, origin.size)
    building = begin_building(folder, origin.size)
    with Stash((*unfinished, *_find_versions_of_size(root, origin))) as stash:
        fingerprint = _write(origin, building, stash, options, on_progress)
    target = version_folder(root, origin.data_set.name, origin.size, fingerprint)
    if target.exists() and not verify(target):
        replace_meta(building, target)  # its history is this download's: what it left out must be told
    else:
        if target.exists():
            shutil.rmtree(target)
        move_folder(building, target)
    for leftover in (*unfinished, building):
        shutil.rmtree(leftover, ignore_errors=True)
    return target


def _find_versions_of_size(root: Path, origin: Origin) -> list[Path]:
    return [path for path in find_versions(root, origin.data_set.name) if path.name.startswith(f"{origin.size}-")]


def _write(origin: Origin, folder: Path, stash: Stash, options: PrepareOptions, on_progress: OnProgress) -> str:
    """Decode everything into `folder`; returns the fingerprint."""
    data_set = origin.data_set
    items = sorted(origin.download.items, key=lambda item: (item.patient, item.id))
    problems: list[Problem] = []
    results = decode_items(origin, items, stash, options.workers)
    try:
        with closing(results) as decoded, VersionWriter(folder, with_masks=bool(origin.classes)) as writer:
            for done, (key, result) in enumerate(decoded, start=1):
                problems += result.problems
                if not result.problems:
                    writer.add(key, result)
                found = len(origin.download.problems) + len(problems)
                on_progress(Progress(done, len(items), "image", _note(writer.num_kept, found)))
            _refuse(data_set, origin.download.problems, problems, options)
            if writer.num_samples == 0:
                raise DataError(_explain_empty(origin))
            fingerprint, sha256 = writer.finish(origin.classes)
        write_meta(folder, describe_version(origin, writer, fingerprint, problems), sha256)
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)  # a full disk must not stay full
        raise LovtError(f"cannot write prepared data in {folder.parent}: {error.strerror or error}") from error
    return fingerprint


def _note(kept: int, problems: int) -> str:
    facts = (f"{kept} kept from before" if kept else "", f"problems so far: {problems}" if problems else "")
    return ", ".join(filter(None, facts))


def _refuse(data_set: DataSet, scanned: Sequence[Problem], decoded: Sequence[Problem], options: PrepareOptions) -> None:
    """Refuse a download for what its tables and names show, and for what only decoding finds: some of each."""
    count = len(scanned) + len(decoded)
    if not count or options.skip_bad:
        return
    lines = "".join(f"\n  {problem}" for kind in (scanned, decoded) for problem in kind[:_SHOWN_PROBLEMS])
    hidden = sum(max(0, len(kind) - _SHOWN_PROBLEMS) for kind in (scanned, decoded))
    more = f"\n  and {hidden} more (--skip-bad lists all that it leaves out)" if hidden else ""
    raise DataError(
        f"{data_set.name}: {count} files or rows of the download cannot be used:{lines}{more}\n"
        "repair them, or leave them out with --skip-bad"
    )


def _explain_empty(origin: Origin) -> str:
    """Where all samples went."""
    flow, problems = origin.download.flow, origin.download.problems
    told = (flow[0], *(step for step in flow[1:] if step.dropped))
    steps = "; ".join(f"{step.kept} left after dropping {step.dropped}: {step.what}" for step in told)
    first = f"; the first of {len(problems)} problems: {problems[0]}" if problems else ""
    return f"{origin.data_set.name}: the download holds no sample that can be used ({steps}{first})"
