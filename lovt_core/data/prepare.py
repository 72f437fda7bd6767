"""Turn a download into prepared data: decoded once, in parallel, published whole or not at all."""

import functools
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from lovt_core.data.catalog import DataSet, find_data_set
from lovt_core.data.checksums import verify
from lovt_core.data.decoding import Recipe, decode_item
from lovt_core.data.describe import Origin, describe_version
from lovt_core.data.pool import map_in_order
from lovt_core.data.preparation_lock import preparation_lock
from lovt_core.data.prepared import PreparedData
from lovt_core.data.prepared_meta import FlowStep, Problem, load_meta
from lovt_core.data.sources.scan import scan_download
from lovt_core.data.version_writer import VersionWriter, replace_meta, write_meta
from lovt_core.data.versions import find_versions, make_current, version_folder
from lovt_core.errors import DataError, InputError, LovtError
from lovt_core.files import publish_folder
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


OnProgress = Callable[[Progress], None]


def prepare(name: str, source: Path, root: Path, options: PrepareOptions, on_progress: OnProgress) -> PreparedData:
    """Prepare the download at `source` under `root` and make it the current version of its size.

    A version with the same content is kept and becomes current again; other versions stay. Raises DataError for what is
    wrong with the download, InputError when the same data set is being prepared already, LovtError for a full disk.
    """
    data_set = find_data_set(name)
    size = data_set.default_size if options.size is None else options.size
    _check_options(size, options)
    origin = Origin(data_set, size, scan_download(data_set, source.resolve()))
    _refuse(data_set, origin.download.problems, options)
    with preparation_lock(root / name):
        folder = _find_same(origin, root, options) or _build(origin, root, options, on_progress)
        make_current(root, name, size, folder.name)
    return PreparedData(folder)


def _check_options(size: int, options: PrepareOptions) -> None:
    if size < MIN_SIZE:
        raise InputError(f"size {size} is too small: at least {MIN_SIZE} pixels are needed")
    if size > MAX_SIZE:
        raise InputError(f"size {size} is too large: at most {MAX_SIZE} pixels are kept")
    if options.workers is not None and options.workers < 1:
        raise InputError(f"{options.workers} workers cannot work: at least 1 is needed")


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
    with _building_folder(root / origin.data_set.name) as building:
        fingerprint = _write(origin, building, options, on_progress)
        target = version_folder(root, origin.data_set.name, origin.size, fingerprint)
        if target.exists():
            if not verify(target):
                replace_meta(building, target)  # its history is this download's: what it left out must be told
                return target
            shutil.rmtree(target)
        with publish_folder(target) as published:
            for file in building.iterdir():
                file.rename(published / file.name)
    return target


@contextmanager
def _building_folder(parent: Path) -> Iterator[Path]:
    try:
        with tempfile.TemporaryDirectory(prefix=".building.", suffix=".tmp", dir=parent) as folder:
            yield Path(folder)
    except OSError as error:
        raise LovtError(f"cannot write prepared data in {parent}: {error.strerror or error}") from error


def _write(origin: Origin, folder: Path, options: PrepareOptions, on_progress: OnProgress) -> str:
    """Decode everything into `folder`; returns the fingerprint."""
    data_set = origin.data_set
    recipe = Recipe(data_set, origin.download.root, origin.size)
    items = sorted(origin.download.items, key=lambda item: (item.patient, item.id))
    problems: list[Problem] = []
    results = map_in_order(functools.partial(decode_item, recipe), items, options.workers)
    with closing(results) as decoded, VersionWriter(folder, with_masks=data_set.kind == "localized") as writer:
        for done, result in enumerate(decoded, start=1):
            problems += result.problems
            if not result.problems:
                writer.add(result.item, result.images)
            on_progress(Progress(done, len(items), "image"))
        _refuse(data_set, problems, options)
        if writer.num_samples == 0:
            raise DataError(_explain_empty(data_set, origin.download.flow))
        fingerprint, sha256 = writer.finish(data_set.classes)
    write_meta(folder, describe_version(origin, writer, fingerprint, problems), sha256)
    return fingerprint


def _refuse(data_set: DataSet, problems: Sequence[Problem], options: PrepareOptions) -> None:
    if not problems or options.skip_bad:
        return
    lines = "".join(f"\n  {problem}" for problem in problems[:_SHOWN_PROBLEMS])
    more = f"\n  and {len(problems) - _SHOWN_PROBLEMS} more" if len(problems) > _SHOWN_PROBLEMS else ""
    raise DataError(
        f"{data_set.name}: {len(problems)} files or rows of the download cannot be used:{lines}{more}\n"
        "repair them, or leave them out with --skip-bad"
    )


def _explain_empty(data_set: DataSet, flow: Sequence[FlowStep]) -> str:
    steps = "; ".join(f"{step.kept} left after dropping {step.dropped}: {step.what}" for step in flow)
    return f"{data_set.name}: the download holds no sample that can be used ({steps})"
