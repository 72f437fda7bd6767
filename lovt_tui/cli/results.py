"""`lovt results`: what is missing in the comparison."""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lovt_tui.cli.context import (
    DetachOption,
    JsonOption,
    WorkspaceOption,
    get_console,
    get_workspace,
    open_index,
    print_json,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lovt_core.config.evaluation import EvaluateExperiment
    from lovt_core.results.gaps import EncoderGaps
    from lovt_core.runs.workspace import Workspace


@dataclass(frozen=True)
class _Plan:
    """What `--fill` queues."""

    evaluations: "tuple[EvaluateExperiment, ...]"
    left_out: dict[str, str]
    """Row -> why its encoder cannot be evaluated any more."""


app = typer.Typer(help="Results of evaluations.", no_args_is_help=True)


@app.callback()
def results() -> None:
    """Results of evaluations."""


@app.command(short_help="List missing scores, and run what would bring them.")
def gaps(
    tasks: Annotated[
        list[str] | None,
        typer.Option("--task", "-t", metavar="PATTERN", help="Task id, number, glob or suite [default: all]."),
    ] = None,
    labels: Annotated[
        list[str] | None, typer.Option("--label", "-l", help="Row of the comparison, or its beginning [default: all].")
    ] = None,
    fill: Annotated[bool, typer.Option("--fill", help="Queue what is not run or failed, one run an encoder.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="With --fill: say what would be queued.")] = False,
    detach: DetachOption = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the tasks on which evaluated encoders have no score under the settings and split of their newest evaluation.

    What is queued or running already is listed and not queued again; nor are tasks whose data is not prepared.

    \b
    Example: lovt results gaps --task frozen --fill
    """
    from lovt_core.errors import InputError

    if (detach or dry_run) and not fill:
        raise InputError("--detach and --dry-run go with --fill: add it, or leave them out")
    if fill and as_json and not (detach or dry_run):
        raise InputError("--fill follows its runs, which is no JSON: add --detach or --dry-run, or leave --json out")
    place = get_workspace(workspace, reading=True)
    found = _find(place, tasks or ["all"], labels or [])
    plan = _plan(place, found) if fill else _Plan((), {})
    if not as_json:
        _print(found)
    queued = [] if dry_run else _queue(place, plan.evaluations)
    if as_json:
        print_json({**_as_json(found), "queued": queued, "left_out": plan.left_out})
        return
    _print_plan(plan, queued)
    if queued and not detach:
        raise typer.Exit(_follow(place, queued))


def _find(place: "Workspace", tasks: list[str], labels: list[str]) -> "list[EncoderGaps]":
    from lovt_core.results.cells import collect_cells
    from lovt_core.results.gaps import find_gaps
    from lovt_core.results.pinning import find_label
    from lovt_core.tasks import expand_tasks

    @cache
    def is_prepared(data: str, size: int) -> bool:
        from lovt_core.data.prepared import open_prepared
        from lovt_core.errors import DataError

        try:
            open_prepared(place.prepared_root, data, size)
        except DataError:
            return False
        return True

    index = open_index(place)
    cells = collect_cells(index.results()).cells
    found = find_gaps(index.runs(), cells, expand_tasks(tasks), is_prepared)
    wanted = {find_label(label, [each.label for each in found]) for label in labels}
    return [each for each in found if not wanted or each.label in wanted]


def _plan(place: "Workspace", found: "Sequence[EncoderGaps]") -> _Plan:
    """Evaluations of the encoders that are still to be found."""
    from lovt_core.errors import InputError
    from lovt_tui.cli.readiness import resolve_encoder

    evaluations, left_out = [], {}
    for each in found:
        if (evaluation := each.evaluation) is not None:
            try:
                resolve_encoder(place, evaluation.encoder.source, evaluation.encoder.checkpoint)
            except InputError as error:
                left_out[each.label] = str(error)
            else:
                evaluations.append(evaluation)
    return _Plan(tuple(evaluations), left_out)


def _queue(place: "Workspace", evaluations: "Sequence[EvaluateExperiment]") -> list[str]:
    """Ids of the runs."""
    from lovt_core.runs.queueing.requests import queue_run

    return [queue_run(place, evaluation).id for evaluation in evaluations]


def _follow(place: "Workspace", run_ids: list[str]) -> int:
    """Follow one run after the other; the largest exit code."""
    from lovt_core.runs.directory import find_run
    from lovt_tui.cli.follow import follow

    return max(follow(place, find_run(place, run_id)) for run_id in run_ids)


def _print(found: "Sequence[EncoderGaps]") -> None:
    from rich.table import Table
    from rich.text import Text

    console = get_console()
    if not found:
        console.print("No evaluations. Try: lovt evaluate imagenet --task covid-linear", markup=False)
        return
    table = Table("encoder", "task", "state", box=None, pad_edge=False)
    for each in found:
        for gap in each.gaps:
            if gap.state != "not prepared":
                state = f"{gap.state}: {gap.run_id}" if gap.run_id else gap.state
                table.add_row(Text(each.label), gap.task.id, Text(state))
    console.print(table if table.rows else "No gaps: encoders with a score have one on every prepared task asked for.")
    for line in _describe_unprepared(found):
        console.print(line, markup=False, soft_wrap=True)


def _describe_unprepared(found: "Sequence[EncoderGaps]") -> list[str]:
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


def _print_plan(plan: _Plan, queued: "Sequence[str]") -> None:
    """What was queued, or without run ids would be; what cannot be on stderr."""
    verb = "queued" if queued else "would be queued"
    names = queued or [evaluation.name for evaluation in plan.evaluations]
    for name, evaluation in zip(names, plan.evaluations, strict=True):
        line = f"{verb}: {name}  ({', '.join(evaluation.tasks)})"
        get_console().print(line, markup=False, soft_wrap=True)
    for label, reason in plan.left_out.items():
        get_console(stderr=True).print(f"left out: {label}: {reason}", markup=False, soft_wrap=True)


def _as_json(found: "Sequence[EncoderGaps]") -> dict[str, Any]:
    return {
        "encoders": [
            {
                "label": each.label,
                "source": each.newest.encoder.source,
                "settings": each.newest.settings.model_dump(mode="json"),
                "split": each.newest.split,
                "gaps": [
                    {"task": gap.task.id, "data": gap.task.data, "state": gap.state, "run": gap.run_id}
                    for gap in each.gaps
                ],
                "to_run": [] if each.evaluation is None else each.evaluation.tasks,
            }
            for each in found
        ]
    }
