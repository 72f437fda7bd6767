"""Evaluations that bring the missing scores of the comparison: found, described, queued."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lovt_core.config.evaluation import EvaluateExperiment
    from lovt_core.results.gaps import EncoderGaps
    from lovt_core.runs.workspace import Workspace


@dataclass(frozen=True)
class FillPlan:
    """What is to be queued."""

    evaluations: "tuple[EvaluateExperiment, ...]"
    left_out: dict[str, str]
    """Row -> why its encoder cannot be evaluated any more."""


def find_workspace_gaps(
    workspace: "Workspace", tasks: Sequence[str], labels: Sequence[str] = ()
) -> "list[EncoderGaps]":
    """Missing scores of all rows, or of those that `labels` name or begin, on the tasks of the patterns.

    Raises InputError for an unknown task or row.
    """
    from lovt_core.results.cells import collect_cells
    from lovt_core.results.gaps import find_gaps
    from lovt_core.results.pinning import find_label
    from lovt_core.runs.indexing.index import reading
    from lovt_core.tasks import expand_tasks

    @cache
    def is_prepared(data: str, size: int) -> bool:
        from lovt_core.data.prepared import open_prepared
        from lovt_core.errors import DataError

        try:
            open_prepared(workspace.prepared_root, data, size)
        except DataError:
            return False
        return True

    results, runs = reading(workspace, lambda index: (index.results(), index.runs()))
    found = find_gaps(runs, collect_cells(results).cells, expand_tasks(tasks), is_prepared)
    wanted = {find_label(label, [each.label for each in found]) for label in labels}
    return [each for each in found if not wanted or each.label in wanted]


def plan_filling(workspace: "Workspace", found: "Sequence[EncoderGaps]") -> FillPlan:
    """Evaluations of the encoders that are still to be found."""
    from lovt_core.errors import InputError
    from lovt_tui.cli.readiness import resolve_encoder

    evaluations, left_out = [], {}
    for each in found:
        if (evaluation := each.evaluation) is not None:
            try:
                resolve_encoder(workspace, evaluation.encoder.source, evaluation.encoder.checkpoint)
            except InputError as error:
                left_out[each.label] = str(error)
            else:
                evaluations.append(evaluation)
    return FillPlan(tuple(evaluations), left_out)


def queue_evaluations(workspace: "Workspace", evaluations: "Sequence[EvaluateExperiment]") -> list[str]:
    """Queue them; ids of the runs."""
    from lovt_core.runs.queueing.requests import queue_run

    return [queue_run(workspace, evaluation).id for evaluation in evaluations]


def describe_unprepared(found: "Sequence[EncoderGaps]") -> list[str]:
    """One line for each data set that is not prepared at the size an encoder needs."""
    from lovt_core.data.catalog import find_data_set

    tasks: dict[tuple[str, int], dict[str, None]] = {}
    for each in found:
        for gap in each.gaps:
            if gap.state == "not prepared":
                tasks.setdefault((gap.task.data, each.newest.settings.image_size), {})[gap.task.id] = None
    lines = []
    for (data, size), ids in tasks.items():
        option = "" if size == find_data_set(data).default_size else f" --size {size}"
        lines.append(f"not prepared: lovt data prepare {data} --source DIR{option}  ({', '.join(ids)})")
    return lines
