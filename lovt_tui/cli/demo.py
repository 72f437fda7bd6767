"""`lovt demo`: the whole road on synthetic films, in some minutes on two processor cores."""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from lovt_tui.cli.context import JsonOption, get_console, print_json

if TYPE_CHECKING:
    from lovt_core.config.experiment import Experiment
    from lovt_core.runs.directory import RunDirectory
    from lovt_core.runs.workspace import Workspace

FILM_SIZE: Final = 160
"""Pixels a side of the synthetic films, and of what is prepared from them."""
PAIRED: Final = "covid-chestxray"
LOCALIZED: Final = {"rsna": 1344, "covid-rural": 240, "siim": 160, "object-cxr": 400, "nih-cxr": 320}
"""Films of each localized set: the first hundredth of the training images of RSNA must fill a batch."""
ENCODERS: Final = (
    ("lovt", "LoVT (tiny)", ("linear", "decoders")),
    ("random", "random", ("linear", "decoders")),
    ("random-fitted", "random, fitted", ("linear",)),
)
"""What is evaluated, the name of its row, and which shipped experiments `tiny/NAME.yaml` judge it."""


def command(
    folder: Annotated[Path, typer.Argument(metavar="[FOLDER]", help="Where everything goes.")] = Path("lovt-demo"),
    pairs: Annotated[int, typer.Option(min=64, help="Image-report pairs to pre-train on.")] = 2800,
    films: Annotated[
        int | None, typer.Option(min=8, help="Films of each localized set, instead of enough for its tasks.")
    ] = None,
    task: Annotated[str, typer.Option("--task", "-t", help="Tasks to evaluate: ids, globs, suites.")] = "all",
    seed: Annotated[int, typer.Option(min=0, help="Seed of the films, the training and the evaluation.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Make synthetic X-rays with reports, pre-train a small LoVT, evaluate it and random encoders on all 18 tasks.

    At most ten minutes on two processor cores. Run again in the same folder, it goes on where it was interrupted.

    \b
    Example: lovt demo my-demo
    """
    from lovt_core.runs.workspace import find_workspace
    from lovt_core.tasks import expand_tasks

    wanted = expand_tasks([task])
    began = time.perf_counter()
    os.environ.pop("LOVT_PREPARED", None)  # synthetic data must not become the current version beside real data
    place = find_workspace(folder / "lovt-workspace")
    console = get_console(stderr=True)
    _make_data(place, folder, PAIRED, pairs, seed)
    for name, count in LOCALIZED.items():
        if any(each.data == name for each in wanted):
            _make_data(place, folder, name, films or count, seed)
    console.print("[bold]pre-training a small LoVT[/bold] (tiny/lovt.yaml)")
    trained = _run(place, _load("tiny/lovt.yaml", f"demo-lovt-{pairs}", [f"seed={seed}"]))
    for source, label, files in ENCODERS:
        for file in files:
            chosen = [each.id for each in wanted if (each.head == "linear") == (file == "linear")]
            if not chosen:
                continue
            console.print(f"[bold]evaluating {label}[/bold] on {len(chosen)} tasks (tiny/{file}.yaml)")
            encoder = trained.id if source == "lovt" else source
            overrides = [f"seed={seed}", f"encoder.source={encoder}", f"encoder.label={label}"]
            overrides.append(f"tasks=[{', '.join(chosen)}]")
            _run(place, _load(f"tiny/{file}.yaml", f"demo-{file}-{source}", overrides))
    _print_comparison(place, time.perf_counter() - began, as_json=as_json)


def _make_data(place: "Workspace", folder: Path, name: str, count: int, seed: int) -> None:
    """Write the synthetic download and prepare it, unless both are there."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    from lovt_core.data.preparation.prepare import PrepareOptions, prepare
    from lovt_core.data.synthetic.generate import Synthesis, synthesize

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    columns_of_time = (TimeRemainingColumn(), TimeElapsedColumn())
    source = folder / "downloads" / f"{name}-{count}-{seed}"
    with Progress(*columns, *columns_of_time, console=get_console(stderr=True)) as progress:
        if not source.exists():
            task = progress.add_task(f"making synthetic {name}", total=count)
            synthesis = Synthesis(name, count, FILM_SIZE, seed)
            synthesize(source, synthesis, lambda value: progress.update(task, completed=value.done))
        task = progress.add_task(f"preparing {name}", total=count)
        options = PrepareOptions(size=FILM_SIZE)
        prepare(name, source, place.prepared_root, options, lambda value: progress.update(task, completed=value.done))
        progress.update(task, completed=count)


def _load(file: str, name: str, overrides: list[str]) -> "Experiment":
    from lovt_core.config.loading import find_experiment_file, load_experiment

    return load_experiment(find_experiment_file(file), [f"name={name}", *overrides])


def _run(place: "Workspace", experiment: "Experiment") -> "RunDirectory":
    """Follow a run of this experiment to its end: the one that is finished or resumable already, else a new one."""
    from lovt_core.config.loading import dump_experiment
    from lovt_core.runs.directory import find_run
    from lovt_core.runs.queueing.requests import ensure_scheduler, queue_run, request_resume
    from lovt_tui.cli.context import open_index
    from lovt_tui.cli.follow import follow

    index = open_index(place)
    wanted = dump_experiment(experiment)
    for row in index.runs():
        run = find_run(place, row.id)
        if dump_experiment(run.experiment()) != wanted or row.state in ("cancelled", "pruned"):
            continue
        if row.state == "finished":
            get_console(stderr=True).print(f"done already: {run.id}", markup=False, soft_wrap=True)
            return run
        if row.is_resumable:
            request_resume(place, run)
        else:
            ensure_scheduler(place)
        break
    else:
        run = queue_run(place, experiment)
    index.close()
    code = follow(place, run, quiet=True)
    if code:
        raise typer.Exit(code)
    return run


def _print_comparison(place: "Workspace", seconds: float, *, as_json: bool) -> None:
    from lovt_core.results.cells import collect_cells
    from lovt_core.results.comparison import compare
    from lovt_core.results.export import to_json
    from lovt_core.results.rich_table import render_comparison
    from lovt_tui.cli.context import open_index

    index = open_index(place)
    comparison = compare(collect_cells(index.results()), (), index.runs())
    if as_json:
        print_json({"seconds": seconds, "workspace": place.path, "comparison": to_json(comparison)})
        return
    console = get_console()
    console.print()
    console.print(render_comparison(comparison))
    console.print(f"\nDone in {seconds / 60:.1f} minutes. Look at the runs and their curves:", highlight=False)
    console.print(f"  lovt-tui --workspace {place.path}", markup=False, soft_wrap=True)
