"""`lovt launch`: queue runs, many at once, behind each other, on terms of their own."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lovt_tui.cli.context import JsonOption, SetOption, WorkspaceOption, get_workspace, print_json
from lovt_tui.cli.terms import (
    AfterOption,
    GpuMemoryOption,
    GpusOption,
    PriorityOption,
    RetryOnOption,
    RetryOption,
    SlurmOption,
    build_terms,
    check_shared_gpus,
)

if TYPE_CHECKING:
    from lovt_core.config.experiment import Experiment
    from lovt_core.runs.terms import Terms
    from lovt_core.runs.workspace import Workspace


@dataclass(frozen=True)
class _Planned:
    """One run to be queued."""

    experiment: "Experiment"
    file: Path
    terms: "Terms"
    behind: int | None
    """Position of the planned run that it waits for and, as an evaluation, evaluates."""


def command(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Experiment files, or names of shipped ones.")],
    overrides: SetOption = None,
    priority: PriorityOption = 0,
    gpus: GpusOption = None,
    gpu_memory: GpuMemoryOption = None,
    after: AfterOption = None,
    chain: Annotated[
        bool, typer.Option("--chain", help="Each file's run waits for the one before; evaluations evaluate that.")
    ] = False,
    repeat: Annotated[int, typer.Option("--repeat", min=1, max=1000, help="Runs of each file, seeds one apart.")] = 1,
    retry: RetryOption = None,
    retry_on: RetryOnOption = None,
    tags: Annotated[list[str] | None, typer.Option("--tag", metavar="TAG", help="Tag of the runs.")] = None,
    slurm: SlurmOption = None,
    snapshot: Annotated[bool, typer.Option("--snapshot", help="Run the code of now, whatever it is later.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, queue nothing.")] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Queue runs and return at once; prints their ids.

    \b
    Example: lovt launch pretraining/covid-chestxray.yaml --repeat 5 --tag tau --retry 2
    Example: lovt launch mine.yaml evaluation/localized.yaml --chain --slurm
    """
    from lovt_core.config.base import check_name

    for tag in tags or ():
        check_name(tag, "--tag")
    place = get_workspace(workspace)
    terms = build_terms(place, priority, gpus, gpu_memory, after, retry, retry_on, slurm)
    plan = list(_plan(_load(files, overrides or []), terms, repeat=repeat, chain=chain))
    for index, planned in enumerate(plan):
        _check(place, planned, plan[:index])
    if dry_run:
        _print([(f"({planned.experiment.name})", planned) for planned in plan], "would be queued", as_json=as_json)
        return
    ids = _queue(place, plan, tuple(tags or ()), snapshot=snapshot)
    _print(list(zip(ids, plan, strict=True)), "queued", as_json=as_json)


def _load(files: Sequence[str], overrides: Sequence[str]) -> "list[tuple[Path, Experiment]]":
    from lovt_core.config.loading import find_experiment_file, load_experiment

    paths = [find_experiment_file(file) for file in files]
    return [(path, load_experiment(path, list(overrides))) for path in paths]


def _plan(
    experiments: "Sequence[tuple[Path, Experiment]]", terms: "Terms", *, repeat: int, chain: bool
) -> Iterator[_Planned]:
    """Every run in the order in which it is queued: the files of a repetition one after the other."""
    import secrets

    groups = [secrets.token_hex(4) if repeat > 1 else None for _ in experiments]
    position = 0
    for repetition in range(repeat):
        for place, ((file, experiment), group) in enumerate(zip(experiments, groups, strict=True)):
            seeded = experiment.model_copy(update={"seed": experiment.seed + repetition})
            behind = position - 1 if chain and place else None
            own = replace(terms, group=group, after=() if behind is not None else terms.after)
            if behind is not None and experiment.kind == "evaluate" and (own.gpus or 0) > 1:
                own = replace(own, gpus=1)  # several are for the training that it waits for
            yield _Planned(seeded, file, own, behind)
            position += 1


def _check(workspace: "Workspace", planned: _Planned, before: Sequence[_Planned]) -> None:
    """Raise InputError for what can be known to fail."""
    from lovt_core.errors import InputError
    from lovt_tui.cli.readiness import check_ready, check_tasks

    experiment = planned.experiment
    check_shared_gpus(experiment, planned.terms.gpus)
    if planned.behind is None or experiment.kind != "evaluate":
        check_ready(workspace, experiment, planned.terms.after, planned.terms.launcher)
        return
    trained = before[planned.behind].experiment
    if trained.kind != "pretrain":
        raise InputError(
            f"--chain: {experiment.name} is to evaluate {trained.name}, which is no pre-training: change the order"
        )
    check_tasks(workspace, experiment)


def _queue(workspace: "Workspace", plan: Sequence[_Planned], tags: tuple[str, ...], *, snapshot: bool) -> list[str]:
    from lovt_core.config.loading import stamp_files
    from lovt_core.runs.directory import RunDirectory
    from lovt_core.runs.queueing.requests import label_run, queue_run
    from lovt_tui.cli.readiness import check_ready

    def label(run_id: str) -> None:
        if tags:
            label_run(RunDirectory(workspace.runs / run_id), "tags", list(tags))

    ids = {} if snapshot else _queue_arrays(workspace, plan)
    for run_id in ids.values():
        label(run_id)
    for position, planned in enumerate(plan):
        if position in ids:
            continue
        experiment, terms = planned.experiment, planned.terms
        if planned.behind is not None:
            terms = replace(terms, after=(ids[planned.behind],))
            if experiment.kind == "evaluate":
                encoder = experiment.encoder.model_copy(update={"source": ids[planned.behind]})
                experiment = experiment.model_copy(update={"encoder": encoder})
        ready = check_ready(workspace, experiment, terms.after, terms.launcher)
        ids[position] = queue_run(workspace, ready, terms, files=stamp_files(planned.file), snapshot=snapshot).id
        label(ids[position])
    return [ids[position] for position in range(len(plan))]


def _queue_arrays(workspace: "Workspace", plan: Sequence[_Planned]) -> dict[int, str]:
    """Queue the repetitions that wait for nothing, each group in one go; position in the plan -> run id."""
    from lovt_core.config.loading import stamp_files
    from lovt_core.config.settings import load_settings
    from lovt_core.runs.launchers.slurm import with_launcher
    from lovt_core.runs.queueing.requests import queue_repeats
    from lovt_core.runs.terms import SLURM
    from lovt_tui.cli.readiness import check_ready

    settings = load_settings(workspace.settings)
    groups: dict[str, list[int]] = {}
    for position, planned in enumerate(plan):
        terms = with_launcher(planned.terms, settings)
        if terms.launcher == SLURM and terms.group and planned.behind is None and not terms.after:
            groups.setdefault(terms.group, []).append(position)
    ids: dict[int, str] = {}
    for positions in groups.values():
        ready = [check_ready(workspace, plan[position].experiment, launcher=SLURM) for position in positions]
        first = plan[positions[0]]
        runs = queue_repeats(workspace, ready, first.terms, stamp_files(first.file))
        ids.update({position: run.id for position, run in zip(positions, runs, strict=True)})
    return ids


def _print(entries: "Sequence[tuple[str, _Planned]]", verb: str, *, as_json: bool) -> None:
    """Ids alone on stdout, for scripts; a plan as a list to read."""
    if as_json:
        print_json([_describe(run_id, planned, verb) for run_id, planned in entries])
        return
    for run_id, planned in entries:
        waits = "" if planned.behind is None else f"  behind {entries[planned.behind][0]}"
        text = f"{run_id}\n" if verb == "queued" else f"{verb}: {run_id} seed {planned.experiment.seed}{waits}\n"
        sys.stdout.write(text)


def _describe(run_id: str, planned: _Planned, verb: str) -> dict[str, Any]:
    experiment = planned.experiment
    facts = {"id": run_id, "name": experiment.name, "kind": experiment.kind, "seed": experiment.seed}
    return {**facts, "state": verb, "terms": planned.terms.to_json(), "behind": planned.behind}
