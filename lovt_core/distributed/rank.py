"""One process of a training that several share: `torchrun ... -m lovt_core.distributed.rank SCRATCH`."""

import os
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import torch

from lovt_core.distributed.channel import Reporting, leave_with_worker
from lovt_core.distributed.job import MEETING, Job, note_failure, read_job
from lovt_core.errors import InputError, LovtError
from lovt_core.training.ranks import joined
from lovt_core.training.sharing import Share
from lovt_core.values import EndReason, Value


def _never_stops() -> EndReason | None:
    return None


def execute(scratch: Path, rank: int) -> None:
    """Do this process's part of the job in `scratch`; the first one reports to the worker."""
    reporting = Reporting() if rank == 0 else None
    job = read_job(scratch, rank, _never_stops if reporting is None else reporting.ask_to_end)
    device = torch.device(job.place.device)
    if device.type == "cuda":
        torch.cuda.set_device(device)
    with joined(Share(rank, job.place.num_ranks), scratch / MEETING, device):
        for value in _start(job):
            if reporting is not None:
                reporting.send(value)


def _start(job: Job) -> Iterator[Value]:
    if job.experiment.kind == "pretrain":
        from lovt_core.pretrain import pretrain

        return pretrain(job.experiment, job.place)
    from lovt_core.selftest import selftest

    return selftest(job.experiment, job.place)


def main() -> int:
    """Command line of the process; its exit code."""
    scratch, rank = Path(sys.argv[1]), int(os.environ["RANK"])
    leave_with_worker()
    try:
        execute(scratch, rank)
    except Exception as error:
        note_failure(scratch, rank, error)
        is_users = isinstance(error, LovtError) and error.exit_code == InputError.exit_code
        sys.stderr.write(f"error: {error}\n" if is_users else traceback.format_exc())
        return 1
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # others may have left the process group already: nothing waits for them
