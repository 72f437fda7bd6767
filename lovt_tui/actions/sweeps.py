"""What the dashboard does to sweeps, through the very functions of `lovt sweep`. Called in worker threads.

Each function takes the workspace and the name of a sweep, and says in a sentence what was done. Raises LovtError where
it cannot be done.
"""

import json
import re
from typing import TYPE_CHECKING, Literal

from lovt_core.errors import InputError
from lovt_tui.actions.export import check_new_file, read_format, read_path, save

if TYPE_CHECKING:
    from lovt_core.runs.workspace import Workspace
    from lovt_core.sweeps.folder import SweepFolder

TrialFormat = Literal["csv", "json", "md", "latex"]
FORMATS: dict[TrialFormat, tuple[str, str]] = {
    "csv": ("CSV, a line a trial", ".csv"),
    "json": ("JSON, all that is known", ".json"),
    "md": ("Markdown table", ".md"),
    "latex": ("LaTeX table", ".tex"),
}
"""Format of `lovt sweep export` -> what it is, suffix of the file."""
TRIAL_FILES: dict[str, TrialFormat] = {suffix: text_format for text_format, (_, suffix) in FORMATS.items()}
EXPERIMENT_FILES = {".yaml": "YAML", ".yml": "YAML"}
PAGE_FILES = {".html": "HTML", ".htm": "HTML"}
EXTENSION = re.compile(r"(trials|hours|jobs)=(\d+(?:\.\d+)?)")


def open_sweep(workspace: "Workspace", name: str) -> "SweepFolder":
    """The sweep of exactly that name; raises InputError when it was removed."""
    from lovt_core.sweeps.folder import SweepFolder

    folder = SweepFolder(workspace, name)
    if not folder.path.is_dir():
        raise InputError(f"the sweep {name} is gone: its folder {folder.path} was removed")
    return folder


def pause_sweep(workspace: "Workspace", name: str) -> str:
    """Begin no more trials."""
    from lovt_core.sweeps.requests import pause_sweep as pause

    pause(open_sweep(workspace, name))
    return f"{name} begins no more trials; those at work go on to their end. r resumes"


def resume_sweep(workspace: "Workspace", name: str) -> str:
    """Go on with a paused or stopped sweep; where only the coordinator has died, start another one."""
    from lovt_core.sweeps.folder import read_sweep_state
    from lovt_core.sweeps.requests import ensure_coordinator
    from lovt_core.sweeps.requests import resume_sweep as resume

    folder = open_sweep(workspace, name)
    if read_sweep_state(folder) == "interrupted":
        ensure_coordinator(folder)
        return f"the coordinator of {name} is started again"
    resume(folder)
    return f"{name} goes on"


def stop_sweep(workspace: "Workspace", name: str) -> str:
    """Ask all its runs to save and stop."""
    from lovt_core.sweeps.requests import stop_sweep as stop

    stop(open_sweep(workspace, name))
    return f"{name} stops: its runs finish their step and save. r goes on with the same trials"


def parse_extension(text: str) -> tuple[int | None, float | None, int | None]:
    """Trials, hours and jobs from `trials=40 hours=8 jobs=2`, in any order; raises InputError for anything else."""
    found: dict[str, float] = {}
    for word in text.replace(",", " ").split():
        match = EXTENSION.fullmatch(word)
        if match is None:
            raise InputError(f"'{word}' is not understood: write trials=40, hours=8 or jobs=2")
        key, value = match[1], float(match[2])
        if key != "hours" and not value.is_integer():
            raise InputError(f"{word}: a whole number is needed")
        if value <= 0:
            raise InputError(f"{word}: must be above 0")
        found[key] = value
    if not found:
        raise InputError("say what: trials=40 hours=8 jobs=2")
    trials, jobs = (int(found[key]) if key in found else None for key in ("trials", "jobs"))
    return trials, found.get("hours"), jobs


def check_extension(text: str, wanted: int) -> None:
    """Raises InputError where it is not understood, or asks for fewer than the `wanted` trials of now."""
    trials = parse_extension(text)[0]
    if trials is not None and trials < wanted:
        raise InputError(f"trials={trials}: it has {wanted} trials already: give more")


def extend_sweep(workspace: "Workspace", name: str, text: str) -> str:
    """More trials, hours, or trials at once; a finished sweep goes on."""
    from lovt_core.sweeps.requests import extend_sweep as extend

    folder = open_sweep(workspace, name)
    extend(folder, *parse_extension(text))
    config = folder.config()
    hours = f", {config.hours:g} hours" if config.hours else ""
    return f"{name}: {config.trials} trials{hours}" + (f", {config.jobs} at once" if config.jobs else "")


def rebuild_sweep(workspace: "Workspace", name: str) -> str:
    """Put a lost study together again from the run directories."""
    from lovt_core.sweeps.rebuilding import rebuild_sweep as rebuild

    count, num_open = rebuild(open_sweep(workspace, name))
    return f"{name} has {count} trials again, {num_open} of them open. r goes on with it"


def save_experiment(workspace: "Workspace", name: str, trial: int | None, path: str) -> str:
    """Write the experiment of a trial, by default of the best one, as a file that `lovt pretrain` takes."""
    from lovt_tui.cli.sweep.best import choose, write_experiment

    check_new_file(path, EXPERIMENT_FILES)
    folder = open_sweep(workspace, name)
    chosen = choose(folder, trial)
    if len(chosen) > 1:
        raise InputError("several trials are on the Pareto front: put the cursor on one of them")
    return save(read_path(path), write_experiment(folder, chosen[0], folder.read().base).encode())


def export_trials(workspace: "Workspace", name: str, path: str) -> str:
    """Write all trials with parameters, values, states, durations and run ids, in the format of the file's ending."""
    from lovt_core.sweeps.export import to_csv, to_json, to_latex, to_markdown

    check_new_file(path)
    text_format = read_format(path, TRIAL_FILES)
    folder = open_sweep(workspace, name)
    config, trials = folder.config(), folder.trials()
    if text_format == "json":
        text = json.dumps(to_json(trials, config), indent=1, ensure_ascii=False) + "\n"
    else:
        text = {"csv": to_csv, "md": to_markdown, "latex": to_latex}[text_format](trials, config)
    return save(read_path(path), text.encode())


def save_report(workspace: "Workspace", name: str, path: str) -> str:
    """Write facts, plots, importance and all trials into one HTML file."""
    from lovt_core.sweeps.report import write_report

    check_new_file(path, PAGE_FILES)
    file = read_path(path).absolute()
    write_report(open_sweep(workspace, name), file)
    return f"saved {file}"
