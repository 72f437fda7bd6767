"""The workspace: the folder that holds runs, prepared data, sweeps and this host's index."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from lovt_core.errors import InputError, RecordError
from lovt_core.runs.machine import machine_id

FOLDER_NAME = "lovt-workspace"
NETWORK_FILE_SYSTEMS = frozenset(
    ("nfs", "nfs4", "cifs", "smb3", "smbfs", "lustre", "gpfs", "beegfs", "ceph", "glusterfs", "afs", "9p")
)


@dataclass(frozen=True)
class Workspace:
    """Paths of a workspace; the folder exists."""

    path: Path

    @property
    def runs(self) -> Path:
        """Folder of run directories."""
        return self.path / "runs"

    @property
    def queue_lock(self) -> Path:
        """Held while a run is put in place or the scheduler decides to leave."""
        return self.path / "queue.lock"

    @property
    def queue(self) -> Path:
        """Order of queued runs, one line each time a run asks to be looked at."""
        return self.path / "queue.jsonl"

    @property
    def scheduler_lock(self) -> Path:
        """Held by the scheduler of this host for its whole life."""
        return self.path / f"scheduler-{_short_machine_id()}.lock"

    @property
    def scheduler_log(self) -> Path:
        """What the scheduler has to say."""
        return self.path / f"scheduler-{_short_machine_id()}.log"

    @property
    def waits(self) -> Path:
        """Why runs wait, as this host's scheduler has seen it last; a note, not a record."""
        return self.path / f"waiting-{_short_machine_id()}.json"

    @property
    def settings(self) -> Path:
        """How runs are started here (config/settings.py); need not exist."""
        return self.path / "settings.yaml"

    @property
    def index(self) -> Path:
        """SQLite index; in the local cache folder for a workspace that is on a network or cannot be written."""
        if is_on_network(self.path) or not os.access(self.path, os.W_OK):
            home = os.environ.get("XDG_CACHE_HOME")
            cache = Path(home) if home else Path.home() / ".cache"
            folder = cache / "lovt" / hashlib.sha256(str(self.path).encode()).hexdigest()[:16]
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            return folder / "index.db"
        return self.path / "index.db"

    @property
    def prepared_root(self) -> Path:
        """Folder of prepared data: `$LOVT_PREPARED`, else `data` in the workspace."""
        shared = os.environ.get("LOVT_PREPARED")
        return Path(shared).expanduser().resolve() if shared else self.path / "data"


def _short_machine_id() -> str:
    return machine_id()[:12]


def is_on_network(path: Path) -> bool:
    """Whether the file system of `path` is one on which SQLite's write-ahead log is not safe (/proc/mounts)."""
    try:
        mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    except OSError:
        return False
    text = str(path.resolve())
    best = max((m for m in mounts if _contains(m[1], text)), key=lambda m: len(m[1]), default=None)
    return best is not None and best[2] in NETWORK_FILE_SYSTEMS


def _contains(mount_point: str, path: str) -> bool:
    mount_point = mount_point.replace("\\040", " ")
    return mount_point == "/" or path == mount_point or path.startswith(mount_point + "/")


def find_workspace(explicit: Path | None = None) -> Workspace:
    """The workspace to use, made when missing: `explicit`, else `$LOVT_HOME`, else the nearest `lovt-workspace`
    upwards, else `./lovt-workspace`. Raises InputError when a file is in the way, RecordError when it cannot be made.
    """
    path = explicit or _from_environment() or _nearest() or Path.cwd() / FOLDER_NAME
    path = path.expanduser().resolve()
    if path.exists() and not path.is_dir():
        raise InputError(f"workspace {path} is a file: name a folder")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for folder in (path, path / "runs"):
            folder.mkdir(exist_ok=True, mode=0o700)
    except OSError as error:
        raise RecordError(f"cannot make the workspace {path}: {error.strerror}") from error
    return Workspace(path)


def _from_environment() -> Path | None:
    home = os.environ.get("LOVT_HOME")
    return Path(home) if home else None


def _nearest() -> Path | None:
    here = Path.cwd()
    for folder in (here, *here.parents):
        if folder.name == FOLDER_NAME and folder.is_dir():
            return folder
        if (folder / FOLDER_NAME).is_dir():
            return folder / FOLDER_NAME
    return None
