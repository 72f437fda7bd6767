"""The data sets as the screen shows them: what each is, which versions are prepared, what is being prepared."""

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lovt_tui.datasets.preparing import Preparation, preparation_files, read_preparation
from lovt_tui.pages.wishes import DataWish

if TYPE_CHECKING:
    from lovt_core.data.data_set import DataSet
    from lovt_core.data.inventory import Version
    from lovt_core.runs.workspace import Workspace


@dataclass(frozen=True)
class SetRow:
    """One data set."""

    data_set: "DataSet"
    tasks: tuple[int, ...]
    """Numbers of the tasks that are evaluated on it."""
    folder: Path
    """Where its versions lie; need not exist."""
    versions: "tuple[Version, ...]" = ()
    num_bytes: tuple[int, ...] = ()
    """Of each version on disk."""
    newer: frozenset[str] = frozenset()
    """Names of the versions that a newer program has prepared."""
    split: str | None = None
    """Stamp of the choice of a split."""
    preparation: Preparation | None = None
    """The last one that was started here."""
    problem: str = ""
    """Why its folder cannot be read."""

    @property
    def name(self) -> str:
        """Of the data set."""
        return self.data_set.name

    @property
    def readable(self) -> "tuple[Version, ...]":
        """Current versions that can be opened, that of the default size first."""
        found = [each for each in self.versions if each.is_current and each.meta is not None and not each.problem]
        return tuple(sorted(found, key=lambda each: (_size(each) != self.data_set.default_size, _size(each))))

    @property
    def is_preparing(self) -> bool:
        """Whether a preparation is at work."""
        return self.preparation is not None and self.preparation.is_working


@dataclass(frozen=True)
class DataPage:
    """What the screen shows."""

    wish: DataWish
    root: str = ""
    """Folder of prepared data."""
    rows: tuple[SetRow, ...] = ()
    problem: str = ""

    def find(self, name: str | None) -> SetRow | None:
        """The row of a data set."""
        return next((row for row in self.rows if row.name == name), None)


@dataclass
class _Known:
    """What was read of one data set, and the stamps of its files then."""

    stamp: object
    row: SetRow = field(repr=False)


class DataReader:
    """Reads again only what may have changed."""

    def __init__(self, workspace: "Workspace") -> None:
        self._workspace = workspace
        self._last = DataPage(DataWish())
        self._known: dict[str, _Known] = {}

    def read(self, wish: DataWish) -> DataPage:
        """The page of now; the very object of the last time where nothing has changed."""
        from lovt_core.data.catalog import DATA_SETS

        root = self._workspace.prepared_root
        rows = tuple(self._read_set(root, data_set) for data_set in DATA_SETS)
        page = DataPage(wish, str(root), rows, _find_problem(root))
        if page != self._last:
            self._last = page
        return self._last

    def _read_set(self, root: Path, data_set: "DataSet") -> SetRow:
        preparation = self._read_preparation(data_set.name)
        folder = root / data_set.name
        try:
            stamp: object = (_stamp_set(folder), preparation)
        except OSError as error:
            stamp = (str(error), preparation)
        known = self._known.get(data_set.name)
        if known is None or known.stamp != stamp:
            known = _Known(stamp, _read_row(root, data_set, preparation))
            self._known[data_set.name] = known
        return known.row

    def _read_preparation(self, name: str) -> Preparation | None:
        files = preparation_files(self._workspace, name)
        return read_preparation(files, time.time()) if files.record.exists() else None


def _read_row(root: Path, data_set: "DataSet", preparation: Preparation | None) -> SetRow:
    from lovt_core.data.inventory import list_versions
    from lovt_core.errors import LovtError
    from lovt_core.tasks import TASKS

    folder = root / data_set.name
    tasks = tuple(task.number for task in TASKS if task.data == data_set.name)
    try:
        stamp = _stamp_set(folder)
        versions = list_versions(root, data_set.name) if stamp else ()
        sizes = tuple(sum(file.stat().st_size for file in each.folder.iterdir()) for each in versions)
        newer = frozenset(each.folder.name for each in versions if each.meta is None and _is_newer(each.folder))
    except OSError as error:
        problem = f"cannot read {error.filename or folder}: {error.strerror}"
        return SetRow(data_set, tasks, folder, preparation=preparation, problem=problem)
    except (LovtError, ValueError) as error:
        return SetRow(data_set, tasks, folder, preparation=preparation, problem=str(error))
    return SetRow(data_set, tasks, folder, versions, sizes, newer, _stamp_split(folder), preparation)


def _stamp_set(folder: Path) -> tuple[object, ...]:
    """Changes whenever a version comes, goes or becomes current; empty where nothing is. Raises OSError."""
    from lovt_core.data.prepared_meta import META_FILE

    try:
        names = sorted(each.name for each in folder.iterdir() if not each.name.startswith("."))
    except FileNotFoundError:
        return ()
    stamps = []
    for name in names:
        path = folder / name
        stamps.append((name, _stamp(path), _stamp(path / META_FILE) if path.is_dir() else None))
    return tuple(stamps)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


def _stamp_split(folder: Path) -> str | None:
    from lovt_core.data.split_choice import CHOICE_FILE

    stamp = _stamp(folder / CHOICE_FILE)
    return None if stamp is None else str(stamp)


def _is_newer(folder: Path) -> bool:
    """Whether a version says that it has a format that only newer programs read."""
    from lovt_core.data.prepared_meta import FORMAT, META_FILE

    try:
        number = json.loads((folder / META_FILE).read_bytes())["format"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return isinstance(number, int) and number > FORMAT


def _find_problem(root: Path) -> str:
    try:
        next(iter(root.iterdir()), None)
    except FileNotFoundError:
        return ""
    except OSError as error:
        return f"cannot read the folder of prepared data {root}: {error.strerror}"
    return ""


def _size(version: "Version") -> int:
    return 0 if version.meta is None else version.meta.size
