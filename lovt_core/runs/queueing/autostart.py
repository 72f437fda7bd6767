"""Starting a workspace's scheduler at boot: a systemd user unit, or a crontab line where there is no systemd."""

import getpass
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from lovt_core.errors import LovtError
from lovt_core.files import write_text_atomic
from lovt_core.runs.directory import ENVIRONMENT
from lovt_core.runs.workspace import Workspace

KEPT = (*ENVIRONMENT, "XDG_STATE_HOME", "XDG_CACHE_HOME")


@dataclass(frozen=True)
class Unit:
    """A systemd user unit (systemd.service(5))."""

    path: Path
    text: str


def scheduler_command(workspace: Workspace) -> list[str]:
    """What starts the scheduler; it leaves at once where nothing is to be done, or another one lives."""
    return [sys.executable, "-m", "lovt_core.runs.queueing.scheduler", str(workspace.path)]


def describe_unit(workspace: Workspace) -> Unit:
    """The unit of this workspace, with the variables that its runs depend on."""
    digest = hashlib.sha256(str(workspace.path).encode()).hexdigest()[:8]
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    kept = "".join(f'Environment="{_escape(f"{name}={os.environ[name]}")}"\n' for name in KEPT if name in os.environ)
    command = " ".join(f'"{_escape(part)}"' for part in scheduler_command(workspace))
    text = (
        f"[Unit]\nDescription=lovt: runs queued in {_escape(str(workspace.path))}\n\n"
        f"[Service]\nType=exec\n{kept}ExecStart={command}\n"
        "KillMode=process\n"  # the workers are not the unit's: they outlive their scheduler
        "StandardError=append:" + _escape(str(workspace.scheduler_log)) + "\n\n[Install]\nWantedBy=default.target\n"
    )
    return Unit(home / "systemd" / "user" / f"lovt-{digest}.service", text)


def _escape(text: str) -> str:
    """Quotes, backslashes, `%` and `$` mean something in a unit file."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")


def crontab_line(workspace: Workspace) -> str:
    """The line to add with `crontab -e`; `%` ends a command there."""
    kept = [f"{name}={os.environ[name]}" for name in KEPT if name in os.environ]
    words = ["env", *kept, *scheduler_command(workspace)] if kept else scheduler_command(workspace)
    return "@reboot " + shlex.join(words).replace("%", "\\%")


def install_unit(workspace: Workspace) -> list[str]:
    """Write and enable the unit; what was done, and what is left to do, line by line."""
    if not _has_systemd():
        return ["no systemd user manager answers here; add this line with `crontab -e`:", crontab_line(workspace)]
    unit = describe_unit(workspace)
    unit.path.parent.mkdir(parents=True, exist_ok=True)
    write_text_atomic(unit.path, unit.text)
    _systemctl("daemon-reload")
    _systemctl("enable", unit.path.name)
    lines = [f"{unit.path} is enabled: queued runs start again after a reboot"]
    if not (Path("/var/lib/systemd/linger") / getpass.getuser()).exists():
        lines.append("they start when you log in; to start at boot: loginctl enable-linger")
    return lines


def remove_unit(workspace: Workspace) -> list[str]:
    """Disable and remove the unit."""
    unit = describe_unit(workspace)
    if not unit.path.exists():
        return [f"there is no {unit.path}"]
    if _has_systemd():
        _systemctl("disable", unit.path.name)
    unit.path.unlink()
    return [f"{unit.path} is removed"]


def _has_systemd() -> bool:
    """Whether a user manager answers."""
    if (program := shutil.which("systemctl")) is None:
        return False
    done = subprocess.run([program, "--user", "show-environment"], capture_output=True, check=False, timeout=10)
    return done.returncode == 0


def _systemctl(*arguments: str) -> None:
    program = shutil.which("systemctl") or "systemctl"
    done = subprocess.run([program, "--user", *arguments], capture_output=True, text=True, check=False, timeout=60)
    if done.returncode:
        raise LovtError(f"systemctl --user {' '.join(arguments)} failed: {done.stderr.strip() or done.returncode}")
