"""Which runs are needed by others that are queued or at work."""

from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from lovt_core.config.experiment import StoredExperiment
from lovt_core.errors import InputError, LovtError
from lovt_core.runs.control import read_control
from lovt_core.runs.directory import ID, RunDirectory, find_run, list_runs
from lovt_core.runs.state import RunState, read_state
from lovt_core.runs.terms import read_terms
from lovt_core.runs.workspace import Workspace


@dataclass(frozen=True)
class ActiveRun:
    """A run that is queued or at work."""

    run: RunDirectory
    state: RunState
    experiment: StoredExperiment


def list_active(workspace: Workspace) -> tuple[ActiveRun, ...]:
    """All runs that are queued, launched, running, or interrupted and about to be queued; unreadable ones are none."""
    active = []
    for run in list_runs(workspace):
        with suppress(LovtError, OSError):
            state = read_state(run)
            if state.is_active or state.lock_held or state.state == "interrupted":
                active.append(ActiveRun(run, state, run.experiment()))
    return tuple(active)


def find_encoder_run(workspace: Workspace, experiment: StoredExperiment) -> str | None:
    """Id of the run whose checkpoint an evaluation reads; None where it reads none."""
    if experiment.kind != "evaluate":
        return None
    source = experiment.encoder.source
    if ID.fullmatch(source):
        return source
    try:
        return find_run(workspace, source).id
    except InputError:
        return None


def find_needs(workspace: Workspace) -> Mapping[str, tuple[str, ...]]:
    """Id of a run -> sentences that say which active run reads its checkpoint or waits for its end."""
    needs: defaultdict[str, list[str]] = defaultdict(list)
    for active in list_active(workspace):
        who = f"{active.run.id} ({active.state.state})"
        if encoder := find_encoder_run(workspace, active.experiment):
            needs[encoder].append(f"{who} evaluates its checkpoint")
        if active.state.state == "queued":
            for awaited in read_terms(read_control(active.run.control)).after:
                needs[awaited].append(f"{who} waits for it")
    return {run_id: tuple(sentences) for run_id, sentences in needs.items()}
