"""`lovt results`: what is missing in the comparison."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from lovt_tui.cli.context import (
    DetachOption,
    JsonOption,
    WorkspaceOption,
    get_console,
    get_workspace,
    print_json,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lovt_core.results.gaps import EncoderGaps
    from lovt_core.runs.workspace import Workspace
    from lovt_tui.comparing.filling import FillPlan


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
    from lovt_tui.comparing.filling import FillPlan, find_workspace_gaps, plan_filling, queue_evaluations

    if (detach or dry_run) and not fill:
        raise InputError("--detach and --dry-run go with --fill: add it, or leave them out")
    if fill and as_json and not (detach or dry_run):
        raise InputError("--fill follows its runs, which is no JSON: add --detach or --dry-run, or leave --json out")
    place = get_workspace(workspace, reading=True)
    found = find_workspace_gaps(place, tasks or ["all"], labels or [])
    plan = plan_filling(place, found) if fill else FillPlan((), {})
    if not as_json:
        _print(found)
    queued = [] if dry_run else queue_evaluations(place, plan.evaluations)
    if as_json:
        print_json({**_as_json(found), "queued": queued, "left_out": plan.left_out})
        return
    _print_plan(plan, queued)
    if queued and not detach:
        raise typer.Exit(_follow(place, queued))


def _follow(place: "Workspace", run_ids: list[str]) -> int:
    """Follow one run after the other; the largest exit code."""
    from lovt_core.runs.directory import find_run
    from lovt_tui.cli.follow import follow

    return max(follow(place, find_run(place, run_id)) for run_id in run_ids)


def _print(found: "Sequence[EncoderGaps]") -> None:
    from rich.table import Table
    from rich.text import Text

    from lovt_tui.comparing.filling import describe_unprepared

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
    for line in describe_unprepared(found):
        console.print(line, markup=False, soft_wrap=True)


def _print_plan(plan: "FillPlan", queued: "Sequence[str]") -> None:
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
