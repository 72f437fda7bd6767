"""Whether what a form asks for can begin now, and how long it may take. Looks at the workspace; for worker threads."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lovt_core.config.sweep_file import Sweep
from lovt_core.errors import LovtError
from lovt_tui.formatting import format_count, format_duration, plural
from lovt_tui.forms.estimate import Estimate, estimate
from lovt_tui.forms.launching import RunLaunch
from lovt_tui.forms.views import View

if TYPE_CHECKING:
    from lovt_core.runs.records import RunRow
    from lovt_core.runs.workspace import Workspace

NO_ESTIMATE = "no past run to estimate from"


@dataclass(frozen=True)
class Verdict:
    """What stands above the form."""

    problem: str = ""
    """Lines saying what is wrong or missing; empty when it can begin."""
    summary: str = ""
    """What would begin."""
    estimate: str = ""


def judge_view(workspace: "Workspace", view: View, runs: Sequence["RunRow"]) -> Verdict:
    """The verdict on a view; the schema's problems come before what is missing on this machine."""
    from lovt_core.runs.machine import machine_id

    if view.problems or view.asked is None or view.launch is None:
        return Verdict("\n".join(problem.text for problem in view.problems))
    told = describe_estimate(estimate(view.asked, runs, machine_id()), view)
    try:
        check_asked(workspace, view)
    except (LovtError, OSError, ValueError) as error:
        return Verdict(str(error), estimate=told)
    return Verdict(summary=_summarize(view), estimate=told)


def check_asked(workspace: "Workspace", view: View) -> None:
    """Raise LovtError saying what its runs lack."""
    from lovt_tui.cli.readiness import check_disk, check_ready, check_tasks
    from lovt_tui.cli.terms import find_waited_for

    if isinstance(view.asked, Sweep):
        from lovt_core.sweeps.trial_runs import find_tasks

        check_ready(workspace, view.asked.base)
        check_disk(workspace, view.asked.base, count=view.asked.config.jobs or 1)
        if view.asked.evaluation is not None:
            check_tasks(workspace, view.asked.evaluation.model_copy(update={"tasks": find_tasks(view.asked)}))
        _check_free(workspace, view.asked.config.name)
    elif view.asked is not None:
        after = view.launch.after if isinstance(view.launch, RunLaunch) else ()
        check_ready(workspace, view.asked, waits_for=find_waited_for(workspace, after))


def _check_free(workspace: "Workspace", name: str) -> None:
    from lovt_core.errors import InputError
    from lovt_core.sweeps.folder import list_sweeps

    if any(folder.name == name for folder in list_sweeps(workspace)):
        raise InputError(f"name: there is a sweep {name} already: give another name, or go on with that one in Sweeps")


def _summarize(view: View) -> str:
    if isinstance(view.asked, Sweep):
        config = view.asked.config
        keys = plural(len(config.space), "parameter")
        return f"sweep {config.name} can start: {plural(config.trials, 'trial')} over {keys}"
    assert view.asked is not None
    repeats = view.launch.repeats if isinstance(view.launch, RunLaunch) else 1
    asked = f"{view.asked.kind} {view.asked.name}"
    if repeats == 1:
        return f"{asked} can be queued"
    return f"{asked} can be queued: {repeats} runs, seeds {view.asked.seed} to {view.asked.seed + repeats - 1}"


def describe_estimate(found: Estimate | None, view: View) -> str:
    """`about 41 samples/s · at most 2h03m · 11.2 GB of the GPU (by 3 past runs)`."""
    if found is None:
        return NO_ESTIMATE
    repeats = view.launch.repeats if isinstance(view.launch, RunLaunch) else 1
    parts = []
    if found.samples_per_second is not None:
        parts.append(f"{format_count(found.samples_per_second)} samples/s")
    if found.seconds is not None:
        each = " each" if repeats > 1 else ""
        parts.append(f"at most {format_duration(found.seconds)}{each}")
    if found.gpu_gb is not None:
        parts.append(f"{found.gpu_gb:.1f} GB of the GPU")
    if found.memory_gb is not None:
        parts.append(f"{found.memory_gb:.1f} GB of memory")
    return f"about {' · '.join(parts)} (by {plural(found.num_runs, 'past run')})" if parts else NO_ESTIMATE
