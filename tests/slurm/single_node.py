"""A Slurm of one node on loopback, in a temporary folder, without systemd: `python -m tests.slurm.single_node`.

Installs Debian's slurm-wlm and munge where they are missing (root), starts munged, slurmctld and slurmd on free ports
under a folder of their own, runs the tests marked `slurm` against them and stops what it has started. Nothing outside
the folder is configured: everybody finds the cluster by `$SLURM_CONF` alone. `--keep` leaves it running until ctrl-c.
"""

import argparse
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch")
PACKAGES = ("slurm-wlm", "munge")
START_SECONDS = 60
STOP_SECONDS = 10
ROOT = Path(__file__).resolve().parents[2]
CONF = """\
ClusterName=loopback
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={daemon_port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CryptoType=crypto/munge
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=bf_interval=2,sched_interval=5,requeue_delay=1
SchedulerType=sched/backfill
PriorityType=priority/basic
ReturnToService=2
KillWait=20
PreemptType=preempt/partition_prio
PreemptMode=CANCEL
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
MailProg=/bin/true
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=1000 State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP PriorityTier=1 PreemptMode=CANCEL GraceTime=15
PartitionName=urgent Nodes={host} MaxTime=INFINITE State=UP PriorityTier=10 PreemptMode=OFF
"""


def find_missing() -> list[str]:
    """Programs that are not installed; Debian keeps daemons in folders that are not everybody's path."""
    return [name for name in PROGRAMS if find_program(name) is None]


def find_program(name: str) -> str | None:
    """Path of a program."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def install() -> None:
    """Install what is missing; ends the program with a sentence where that cannot be done."""
    missing = find_missing()
    if not missing:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        sys.exit(f"not installed: {', '.join(missing)}: as root on Debian, apt-get install {' '.join(PACKAGES)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-qq"], check=True, env=environment)
    subprocess.run(
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *PACKAGES], check=True, env=environment
    )


def free_port() -> int:
    """A TCP port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def single_node(folder: Path, cpus: int = 2) -> Iterator[Path]:
    """A running cluster; yields its slurm.conf. `folder` is empty; the daemons keep all that they write in it."""
    conf = write_conf(folder, cpus)
    daemons = [
        start(folder, "munged", *munge_options(folder)),
        start(folder, "slurmctld", "-D", "-f", str(conf), "-i"),
        start(folder, "slurmd", "-D", "-f", str(conf), "-N", socket.gethostname()),
    ]
    try:
        wait_until_idle(folder, conf)
        yield conf
    finally:
        end(conf, daemons)


def write_conf(folder: Path, cpus: int) -> Path:
    """The files that the daemons read."""
    for name in ("state", "spool"):
        (folder / name).mkdir()
    key = folder / "munge.key"
    key.write_bytes(secrets.token_bytes(128))
    key.chmod(0o400)
    conf = folder / "slurm.conf"
    ports = {"controller_port": free_port(), "daemon_port": free_port()}
    conf.write_text(CONF.format(host=socket.gethostname(), folder=folder, cpus=cpus, **ports))
    return conf


def munge_options(folder: Path) -> list[str]:
    """Options that keep munged in the folder."""
    names = {"key-file": "munge.key", "socket": "munge.socket", "pid-file": "munged.pid", "seed-file": "munged.seed"}
    return ["--foreground", "--force", *(f"--{option}={folder / name}" for option, name in names.items())]


def start(folder: Path, name: str, *options: str) -> "subprocess.Popen[bytes]":
    """Start a daemon in the foreground of its own session, its words in a file."""
    program = find_program(name)
    assert program is not None
    with (folder / f"{name}.out").open("wb") as out:
        return subprocess.Popen(
            [program, *options], stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        )


def wait_until_idle(folder: Path, conf: Path) -> None:
    """Until the node takes jobs; ends the program with the daemons' words if it does not."""
    deadline = time.monotonic() + START_SECONDS
    command = ["sinfo", "--noheader", "--format=%T"]
    while time.monotonic() < deadline:
        answer = subprocess.run(command, env={**os.environ, "SLURM_CONF": str(conf)}, capture_output=True, text=True)
        if "idle" in answer.stdout:
            return
        time.sleep(0.5)
    words = "\n".join(f"{path.name}:\n{path.read_text()[-1500:]}" for path in sorted(folder.glob("*.log")))
    sys.exit(f"the node is not idle after {START_SECONDS} s: {answer.stdout}{answer.stderr}\n{words}")


def end(conf: Path, daemons: list["subprocess.Popen[bytes]"]) -> None:
    """Cancel all jobs, then end the daemons, the first one last."""
    environment = {**os.environ, "SLURM_CONF": str(conf)}
    with suppress(subprocess.SubprocessError, OSError):
        subprocess.run(["scancel", "--signal=KILL", "--me"], env=environment, timeout=STOP_SECONDS, capture_output=True)
        subprocess.run(["scancel", "--me"], env=environment, timeout=STOP_SECONDS, capture_output=True)
        time.sleep(1)
    for daemon in reversed(daemons):
        daemon.send_signal(signal.SIGTERM)
        try:
            daemon.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()


def main() -> int:
    """Run the tests, or keep a cluster until ctrl-c; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", action="store_true", help="no tests: leave the cluster running until ctrl-c")
    parser.add_argument("arguments", nargs="*", help="for pytest, after --")
    options = parser.parse_args()
    install()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the daemons end too
    folder = Path(tempfile.mkdtemp(prefix="lovt-slurm-"))
    folder.chmod(0o755)  # munged demands that its socket can be reached
    try:
        with single_node(folder) as conf:
            if options.keep:
                sys.stdout.write(f"export SLURM_CONF={conf}\n")
                sys.stdout.flush()
                with suppress(KeyboardInterrupt):
                    signal.pause()
                return 0
            environment = {**os.environ, "SLURM_CONF": str(conf), "LOVT_TEST_SLURM": "1", "OMP_NUM_THREADS": "1"}
            command = [sys.executable, "-m", "pytest", "-m", "slurm", "-n", "0", "--durations=0"]
            command += options.arguments or ["tests/slurm"]
            return subprocess.run(command, env=environment, cwd=ROOT).returncode
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
