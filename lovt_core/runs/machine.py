"""Which machine and process this is, in terms that survive reboots and reused pids."""

import getpass
import os
import socket
from functools import cache
from pathlib import Path

import psutil


@cache
def machine_id() -> str:
    """Stable identity of this machine (`/etc/machine-id`; the host name where there is none)."""
    for path in (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id")):
        try:
            text = path.read_text().strip()
        except OSError:
            continue
        if text:
            return text
    return f"host-{socket.gethostname()}"


@cache
def boot_id() -> str:
    """Identity of this boot."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return f"boot-{int(psutil.boot_time())}"


def process_start_ticks(pid: int) -> int | None:
    """Start time of a process in clock ticks since boot (field 22 of proc(5) stat); None when there is no such one."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return int(stat.rpartition(")")[2].split()[19])


def host_facts() -> dict[str, str | int | None]:
    """What a `started` event says of the process that writes it."""
    pid = os.getpid()
    return {
        "host": socket.gethostname(),
        "user": getpass.getuser(),
        "machine": machine_id(),
        "boot": boot_id(),
        "pid": pid,
        "start_ticks": process_start_ticks(pid),
    }


def state_folder() -> Path:
    """Folder of this machine's slot locks, shared by all workspaces: `$XDG_STATE_HOME/lovt/<machine-id>`."""
    home = os.environ.get("XDG_STATE_HOME")
    base = Path(home) if home else Path.home() / ".local" / "state"
    folder = base / "lovt" / machine_id()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder
