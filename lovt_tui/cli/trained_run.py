"""Which run of LoVT a command looks into, and where its job computes."""

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from lovt_tui.cli.context import get_console

if TYPE_CHECKING:
    from lovt_core.config.experiment import PretrainExperiment
    from lovt_core.config.inspection import TrainedRun
    from lovt_core.runs.directory import RunDirectory
    from lovt_core.runs.workspace import Workspace

GLOBAL_NOTE = "no local loss trained this run's regions and sentences: the global projections are compared"
Which = Literal["best", "last"]
Part = Literal["training", "validation", "test"]
DeviceName = Literal["auto", "cpu", "cuda"]
CheckpointOption = Annotated[Which, typer.Option("--checkpoint", help="Checkpoint of the run: best or last.")]
PartOption = Annotated[Part, typer.Option("--split", help="Part of the split: training, validation or test.")]
DeviceOption = Annotated[
    DeviceName, typer.Option("--device", help="Where to compute: auto (a GPU where one is free), cpu or cuda.")
]


@dataclass(frozen=True)
class Job:
    """What is looked into, and where that is computed."""

    place: "Workspace"
    run: "RunDirectory"
    checkpoint: Which = "best"
    device: DeviceName = "auto"


def find_trained(place: "Workspace", name: str, checkpoint: Which) -> "RunDirectory":
    """The run of that name; `last` is the newest one of LoVT that has the checkpoint.

    Raises InputError for a run that was trained without reports, is no pre-training, or has no such checkpoint.
    """
    from lovt_core.errors import LovtError
    from lovt_core.runs.directory import find_run, list_runs

    if name == "last":
        for run in reversed(list_runs(place)):
            with suppress(LovtError):
                check_trained(run, checkpoint)
                return run
    run = find_run(place, name)
    check_trained(run, checkpoint)
    return run


def check_trained(run: "RunDirectory", checkpoint: Which) -> None:
    """Raise InputError unless it is a run of LoVT with that checkpoint."""
    from lovt_core.errors import InputError
    from lovt_core.runs.checkpoints import find_saved

    experiment = run.experiment()
    if experiment.kind != "pretrain":
        raise InputError(f"run {run.id} is a run of kind {experiment.kind}: name a pre-training by LoVT")
    if experiment.method.name != "lovt":
        raise InputError(
            f"run {run.id} was trained by {experiment.method.name}, which reads no reports: name a run of LoVT"
        )
    find_saved(run, checkpoint)


def do_job(job: Job, name: str, request: "TrainedRun") -> tuple[list[dict[str, Any]], list[str]]:
    """The results of a job about a run, and its notes; progress and notes go to stderr. Raises what the job does."""
    from lovt_core.runs.launchers.job import run_job

    results: list[dict[str, Any]] = []
    notes: list[str] = []
    with get_console(stderr=True).status("opening the checkpoint ...") as status:
        for line in run_job(job.place, name, _with_device(job), request):
            if line.get("event") == "result":
                results.append(line["data"])
            elif line.get("event") in ("alarm", "note"):
                notes.append(line["message"])
            elif line.get("event") == "progress" and line.get("total"):
                status.update(f"{line['note']}: {line['unit']} {line['done'] + 1} of {line['total']} ...")
    for note in notes:
        get_console(stderr=True).print(f"note: {note}", markup=False, style="yellow", soft_wrap=True)
    return results, notes


def _with_device(job: Job) -> "PretrainExperiment":
    from lovt_core.errors import InputError

    experiment = job.run.experiment()
    if experiment.kind != "pretrain":
        raise InputError(f"run {job.run.id} is no pre-training")
    training = experiment.training.model_copy(update={"device": job.device})
    return experiment.model_copy(update={"training": training})
