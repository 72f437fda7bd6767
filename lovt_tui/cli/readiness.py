"""What must be in place before a run is queued: said at once, not from a failed run later."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lovt_core.config.evaluation import EvaluateExperiment
    from lovt_core.config.experiment import Experiment, PretrainExperiment
    from lovt_core.runs.directory import RunDirectory
    from lovt_core.runs.workspace import Workspace

BUILT_IN_ENCODERS = ("random", "random-fitted", "imagenet")


def check_ready(
    workspace: "Workspace", experiment: "Experiment", waits_for: "Sequence[str]" = (), launcher: str | None = None
) -> "Experiment":
    """The experiment with its encoder found; raises LovtError saying what is wrong or missing.

    An encoder that one of the runs it waits for is still to train need not be there yet. `launcher`: that of its terms.
    """
    check_disk(workspace, experiment)
    check_device(workspace, experiment, launcher)
    match experiment.kind:
        case "pretrain":
            check_paired_data(workspace, experiment)
            experiment = _with_whole_paths(experiment)
            check_encoders(workspace, experiment, launcher)
        case "evaluate":
            asked = experiment.encoder
            awaited = _find_awaited(workspace, asked.source, waits_for)
            source = awaited or resolve_encoder(workspace, asked.source, asked.checkpoint)
            check_tasks(workspace, experiment)
            return experiment.model_copy(update={"encoder": asked.model_copy(update={"source": source})})
    return experiment


def check_disk(workspace: "Workspace", experiment: "Experiment", count: int = 1) -> None:
    """Raise InputError with the figures where `count` runs of it would fill the disk, by the sizes of earlier ones."""
    from lovt_core.config.settings import load_settings
    from lovt_core.runs.indexing.index import reading
    from lovt_core.runs.space.room import check_room

    keep_free = int(load_settings(workspace.settings).keep_free_gb * 1e9)
    rows = reading(workspace, lambda index: index.runs())
    check_room(workspace, experiment, rows, keep_free, count=count)


def check_device(workspace: "Workspace", experiment: "Experiment", launcher: str | None = None) -> None:
    """Raise ConfigError where an experiment asks for a GPU that is not there; with Slurm the GPUs are elsewhere."""
    from lovt_core.config.experiment import asked_device
    from lovt_core.config.settings import load_settings
    from lovt_core.errors import ConfigError
    from lovt_core.runs.gpus import find_missing, read_gpus
    from lovt_core.runs.terms import SLURM

    device = asked_device(experiment)
    if not device.startswith("cuda") or (launcher or load_settings(workspace.settings).launcher) == SLURM:
        return
    if (missing := find_missing(device, read_gpus())) is not None:
        key = "device" if experiment.kind == "evaluate" else "training.device"
        raise ConfigError(f"{key}: {missing}")


def check_encoders(workspace: "Workspace", experiment: "PretrainExperiment", launcher: str | None = None) -> None:
    """Raise LovtError where encoders are known not to be on this machine; Slurm's nodes may have other files."""
    from lovt_core.config.settings import load_settings
    from lovt_core.models import presence
    from lovt_core.runs.terms import SLURM

    if (launcher or load_settings(workspace.settings).launcher) != SLURM:
        presence.check_encoders(experiment.method)


def _with_whole_paths(experiment: "PretrainExperiment") -> "PretrainExperiment":
    """With the paths of weights that are there from the current folder on written out, as typed into a form."""
    from lovt_core.config.weight_paths import write_out_paths

    document = experiment.model_dump(by_alias=True)
    write_out_paths(document, Path.cwd())
    return type(experiment).model_validate(document)


def _find_awaited(workspace: "Workspace", source: str, waits_for: "Sequence[str]") -> str | None:
    """Id of the run that `source` names, if it is one of those waited for."""
    from lovt_core.errors import InputError
    from lovt_core.runs.directory import find_run

    if not waits_for or source in BUILT_IN_ENCODERS:
        return None
    with suppress(InputError):
        run_id = find_run(workspace, source).id
        return run_id if run_id in waits_for else None
    return None


def check_paired_data(workspace: "Workspace", experiment: "PretrainExperiment", file: "Path | None" = None) -> None:
    """Raise DataError unless the data of a pre-training is prepared and has what is read, ConfigError if too little."""
    from lovt_core.data.training_data import open_training_data

    prefix = f"{file}: " if file else ""
    _check_name(f"{prefix}data.name", experiment.data.name)
    for name in experiment.data.exclude_overlap_with:
        _check_name(f"{prefix}data.exclude_overlap_with", name)
    open_training_data(experiment, workspace.prepared_root)


def _check_name(key: str, name: str) -> None:
    import difflib

    from lovt_core.data.catalog import DATA_SETS
    from lovt_core.errors import ConfigError

    known = [data_set.name for data_set in DATA_SETS]
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"known ones: {', '.join(known)}"
        raise ConfigError(f"{key}: unknown data set '{name}'; {hint}")


def check_tasks(workspace: "Workspace", experiment: "EvaluateExperiment") -> None:
    """Raise InputError for unknown tasks, DataError unless their data sets are prepared at the size asked for.

    Where only some are, the message says which tasks could run.
    """
    from lovt_core.data.prepared import open_prepared
    from lovt_core.errors import DataError
    from lovt_core.tasks import expand_tasks

    tasks = expand_tasks(experiment.tasks)
    problems: dict[str, str] = {}
    for name in dict.fromkeys(task.data for task in tasks):
        try:
            open_prepared(workspace.prepared_root, name, experiment.settings.image_size)
        except DataError as error:
            problems[name] = str(error)
    if not problems:
        return
    lines = list(problems.values())
    if ready := [task.id for task in tasks if task.data not in problems]:
        lines.append(f"ready are: --task {','.join(ready)}")
    raise DataError("\n".join(lines))


def resolve_encoder(workspace: "Workspace", source: str, checkpoint: str = "best") -> str:
    """A built-in encoder as it is, a file as its whole path, anything else as the id of a pre-training run.

    `last` is the newest pre-training that has the checkpoint. Raises InputError for an unknown run, and for one without
    such a checkpoint.
    """
    from lovt_core.errors import InputError
    from lovt_core.runs.checkpoints import find_saved
    from lovt_core.runs.directory import find_run

    if source in BUILT_IN_ENCODERS or source.startswith("timm:"):
        return source
    path = Path(source).expanduser()
    if path.is_file():
        return str(path.resolve())
    try:
        trained = _find_last_trained(workspace, checkpoint) if source == "last" else None
        run = trained or find_run(workspace, source)
    except InputError as error:
        raise InputError(
            f"'{source}' is no file and none of {', '.join(BUILT_IN_ENCODERS)}, timm:<name>; as a run: {error}"
        ) from error
    if not _is_pretraining(run):
        raise InputError(f"run {run.id} has trained no image encoder: name a pre-training run")
    find_saved(run, checkpoint)
    return run.id


def _find_last_trained(workspace: "Workspace", checkpoint: str) -> "RunDirectory | None":
    from lovt_core.errors import InputError
    from lovt_core.runs.checkpoints import find_saved
    from lovt_core.runs.directory import list_runs

    for run in reversed(list_runs(workspace)):
        if _is_pretraining(run):
            with suppress(InputError):
                find_saved(run, checkpoint)
                return run
    return None


def _is_pretraining(run: "RunDirectory") -> bool:
    from lovt_core.errors import RecordError

    try:
        return run.experiment().kind == "pretrain"
    except RecordError:
        return False
