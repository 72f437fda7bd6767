"""`lovt resume` and `lovt retry`: go on with runs that ended early."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from lovt_tui.cli.context import (
    DetachOption,
    JsonOption,
    RunArgument,
    WorkspaceOption,
    get_workspace,
    print_json,
)
from lovt_tui.cli.stop import RunsArgument
from lovt_tui.cli.terms import AfterOption, GpusOption, RetryOnOption, RetryOption, build_terms, check_shared_gpus

if TYPE_CHECKING:
    from lovt_core.runs.directory import RunDirectory

PATIENCE_SECONDS = 10.0
"""A worker that has said its last word needs a moment to leave."""


def command(
    run: RunArgument,
    epochs: Annotated[
        int | None, typer.Option("--epochs", min=1, help="Train on to this epoch; a finished run needs its keep_state.")
    ] = None,
    gpus: GpusOption = None,
    after: AfterOption = None,
    retry: RetryOption = None,
    retry_on: RetryOnOption = None,
    detach: DetachOption = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Go on with a stopped, interrupted, failed or lost run from its last checkpoint, and follow it.

    \b
    Example: lovt resume 20261124-101500-covid --epochs 60
    Example: lovt resume 20261124-101500-covid --gpus 2
    """
    from lovt_core.runs.directory import find_run
    from lovt_core.runs.queueing.requests import request_epochs, request_resume
    from lovt_tui.cli.follow import follow, print_queued

    place = get_workspace(workspace, reading=True)
    found = find_run(place, run)
    _check_gpus(found, gpus)
    terms = build_terms(place, gpus=gpus, after=after, retry=retry, retry_on=retry_on)
    _wait_for_worker(found)
    if epochs is not None:
        request_epochs(place, found, epochs, terms)
    else:
        request_resume(place, found, terms)
    if detach:
        print_queued(found, as_json=as_json)
        return
    raise typer.Exit(follow(place, found, as_json=as_json))


def _check_gpus(run: "RunDirectory", gpus: int | None) -> None:
    """Raise InputError where the run's experiment cannot be computed by so many GPUs together."""
    experiment = run.experiment()
    if experiment.kind != "imported":
        check_shared_gpus(experiment, gpus)


def retry_command(runs: RunsArgument, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Queue failed, lost, stopped, interrupted or cancelled runs again, each from its last checkpoint if it has one.

    \b
    Example: lovt retry 20261124-101500-covid-1a2b 20261124-101501-covid-3c4d
    """
    from lovt_core.runs.directory import find_run
    from lovt_core.runs.queueing.requests import request_retry

    place = get_workspace(workspace, reading=True)
    answers = []
    for run in [find_run(place, text) for text in runs]:
        _wait_for_worker(run)
        before = request_retry(place, run)
        answers.append({"id": run.id, "was": before.state, "attempt": before.attempt + 1})
        if not as_json:
            sys.stdout.write(f"{run.id} was {before.state} and is queued as attempt {before.attempt + 1}\n")
    if as_json:
        print_json(answers)


def _wait_for_worker(run: "RunDirectory") -> None:
    """Let the worker of a run that has just ended leave."""
    import time

    from lovt_core.runs.state import read_state

    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        state = read_state(run)
        if state.is_active or not state.lock_held:
            return
        time.sleep(0.1)
