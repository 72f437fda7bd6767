"""torchrun on this machine alone, for one training: `python -m lovt_core.distributed.agent SCRATCH NUM_RANKS`.

It starts the processes, marks their lines in the log, and ends all of them when one fails.
"""

import os
import sys
from pathlib import Path

import psutil
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.run import parse_args, run

from lovt_core.distributed.channel import leave_with_worker
from lovt_core.distributed.job import note_killed

RANK_MODULE = "lovt_core.distributed.rank"
LOOPBACK = "127.0.0.1"
SHUTDOWN_SECONDS = 1
"""After which torchrun kills the others when one has failed."""


def start_ranks(scratch: Path, num_ranks: int) -> None:
    """Run them to their end; raises ChildFailedError where one fails."""
    os.environ.update(choose_environment(num_ranks))
    options = [
        f"--nproc-per-node={num_ranks}",
        "--max-restarts=0",
        "--rdzv-backend=c10d",  # by a file: no port is opened
        f"--rdzv-endpoint={scratch / 'rendezvous'}",
        "--rdzv-conf=store_type=file",
        "--rdzv-id=training",
        f"--local-addr={LOOPBACK}",
        f"--log-dir={scratch / 'logs'}",
        "--tee=3",
    ]
    asked = parse_args([*options, "-m", RANK_MODULE, str(scratch)])  # type: ignore[no-untyped-call]
    run(asked)  # type: ignore[no-untyped-call]


def choose_environment(num_ranks: int) -> dict[str, str]:
    """Variables of torchrun and its processes; what is set already stays, except what keeps them to this machine."""
    defaults = {"OMP_NUM_THREADS": str(max(1, (os.cpu_count() or 1) // num_ranks))}
    if (loopback := find_loopback()) is not None:
        defaults |= {"GLOO_SOCKET_IFNAME": loopback, "NCCL_SOCKET_IFNAME": loopback}
    return {name: os.environ.get(name, value) for name, value in defaults.items()} | {
        "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1",
        "TORCH_ELASTIC_SHUTDOWN_TIMEOUT": str(SHUTDOWN_SECONDS),
        "TORCHELASTIC_LOG_LINE_PREFIX_TEMPLATE": "[process ${rank}] ",
    }


def find_loopback() -> str | None:
    """Name of the network interface that reaches this machine alone; None where there is none."""
    for name, addresses in psutil.net_if_addrs().items():
        if any(address.address == LOOPBACK for address in addresses):
            return name
    return None


def main() -> int:
    """Command line of the process; its exit code."""
    scratch, num_ranks = Path(sys.argv[1]), int(sys.argv[2])
    leave_with_worker()
    try:
        start_ranks(scratch, num_ranks)
    except ChildFailedError as error:
        for rank, failure in error.failures.items():
            if failure.exitcode < 0:
                note_killed(scratch, rank, failure.signal_name())
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
