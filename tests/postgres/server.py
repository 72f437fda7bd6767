"""A PostgreSQL on loopback, in a temporary folder: `python -m tests.postgres.server`.

Installs Debian's postgresql where it is missing (root), starts a server of its own on a free port of 127.0.0.1, runs
the tests marked `postgres` against it and stops it. Nothing of the system's own PostgreSQL is touched.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
USER = "postgres"


def find_programs() -> Path:
    """Folder of initdb and pg_ctl, installed if need be."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update"], check=True, env=environment)
        subprocess.run(["apt-get", "install", "--yes", "postgresql"], check=True, env=environment)
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent


class Server:
    """One server in a folder."""

    def __init__(self, programs: Path, folder: Path, port: int) -> None:
        self.programs = programs
        self.folder = folder
        self.port = port

    @property
    def url(self) -> str:
        """As Optuna wants it."""
        return f"postgresql+psycopg://{USER}@127.0.0.1:{self.port}/postgres"

    def create(self) -> None:
        """An empty cluster."""
        self._run([str(self.programs / "initdb"), "-D", str(self.folder / "data"), "-A", "trust", "-U", USER])

    def start(self) -> None:
        """Listen on loopback alone."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder}"
        self._control("start", "-o", options, "-l", str(self.folder / "log"))

    def stop(self) -> None:
        """End it at once, as a machine that goes down would."""
        self._control("stop", "-m", "immediate")

    def _control(self, *arguments: str) -> None:
        self._run([str(self.programs / "pg_ctl"), "-w", "-D", str(self.folder / "data"), *arguments])

    def _run(self, command: Sequence[str]) -> None:
        whole = ["runuser", "-u", USER, "--", *command] if os.geteuid() == 0 else list(command)
        subprocess.run(whole, check=True, stdout=subprocess.DEVNULL, cwd="/")


def find_port() -> int:
    """A port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> int:
    """Start, test, stop; pytest's exit code."""
    programs = find_programs()
    with tempfile.TemporaryDirectory(prefix="lovt-postgres-") as scratch:
        folder = Path(scratch)
        if os.geteuid() == 0:
            shutil.chown(folder, USER)
        server = Server(programs, folder, find_port())
        server.create()
        server.start()
        try:
            environment = {
                **os.environ,
                "OMP_NUM_THREADS": "1",
                "LOVT_POSTGRES": f"{programs}:{folder}:{server.port}",
            }
            command = [sys.executable, "-m", "pytest", "-s", "-n", "0", "-m", "postgres", "tests/postgres"]
            return subprocess.run(command, check=False, env=environment, cwd=ROOT).returncode
        finally:
            server.stop()


if __name__ == "__main__":
    sys.exit(main())
