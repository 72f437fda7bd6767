"""What must be in place before a run is queued: said at once, not from a failed run later."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lovt_core.config.experiment import EvaluateExperiment, PretrainExperiment
    from lovt_core.runs.workspace import Workspace

BUILT_IN_ENCODERS = ("random", "random-fitted", "imagenet")


def check_paired_data(workspace: "Workspace", experiment: "PretrainExperiment") -> None:
    """Raise DataError unless the data sets that a pre-training reads are prepared."""
    from lovt_core.data.prepared import open_prepared

    for name in (experiment.data.name, *experiment.data.exclude_overlap_with):
        open_prepared(workspace.prepared_root, name)


def check_tasks(workspace: "Workspace", experiment: "EvaluateExperiment") -> None:
    """Raise InputError for unknown tasks, DataError unless their data sets are prepared at the size asked for."""
    from lovt_core.data.prepared import open_prepared
    from lovt_core.tasks import find_task

    for task in [find_task(task_id) for task_id in experiment.tasks]:
        open_prepared(workspace.prepared_root, task.data, experiment.settings.image_size)


def resolve_encoder(workspace: "Workspace", source: str) -> str:
    """A built-in encoder as it is, a file as its whole path, anything else as a run's id; raises InputError."""
    from lovt_core.errors import InputError
    from lovt_core.runs.directory import find_run

    if source in BUILT_IN_ENCODERS:
        return source
    path = Path(source).expanduser()
    if path.is_file():
        return str(path.resolve())
    try:
        return find_run(workspace, source).id
    except InputError as error:
        raise InputError(
            f"'{source}' is no file and none of {', '.join(BUILT_IN_ENCODERS)}; as a run: {error}"
        ) from error
