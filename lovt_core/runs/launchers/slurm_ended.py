"""Writing down how a job of Slurm's has ended whose worker had no last word, before Slurm forgets it."""

from dataclasses import replace

from lovt_core.errors import LovtError
from lovt_core.runs.control import append_control, deciding, read_control, record
from lovt_core.runs.directory import RunDirectory
from lovt_core.runs.launchers.slurm import find_launch
from lovt_core.runs.launchers.slurm_endings import CANCELLED, describe_end, explain_end, name_end
from lovt_core.runs.launchers.slurm_jobs import ask_job
from lovt_core.runs.queueing.endings import read_last_lines
from lovt_core.runs.state import read_state


def record_job_end(run: RunDirectory, attempt: int) -> bool:
    """Append `exited n`, or `cancel 1` for a job cancelled before it began; False unless Slurm says that it is over.

    Slurm is asked first and the files are read after: they then say all they ever will.
    """
    launch = find_launch(read_control(run.control), attempt)
    if launch is None:
        return False
    job = str(launch.details["job"])
    try:
        end = ask_job(job, str(launch.details["name"]))
    except LovtError:
        return False
    if not end.has_ended:
        return False
    with deciding(run.path):
        state = read_state(run)
        if state.attempt == attempt and state.told_by_slurm:
            before_start = not run.events(attempt).exists()
            word = name_end(job, end.state, has_begun=not before_start)
            details = describe_end(job, replace(end, state=word))
            if before_start and attempt == 1 and word == CANCELLED:
                append_control(run.control, record("cancel", 1, reason=explain_end(details).sentence))
            else:
                log = read_last_lines(run.log)
                append_control(run.control, record("exited", attempt, **details, before_start=before_start, log=log))
    return True
