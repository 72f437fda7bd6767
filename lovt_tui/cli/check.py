"""`lovt check`: two real steps of an experiment, without a run."""

from typing import Annotated

import typer

from lovt_tui.cli.context import (
    JsonOption,
    SetOption,
    WorkspaceOption,
    get_console,
    get_workspace,
    print_json,
)


def command(
    experiment: Annotated[str, typer.Argument(metavar="FILE", help="Experiment file, or the name of a shipped one.")],
    overrides: SetOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check that an experiment is valid, fits and runs: two real steps, seconds per step, peak memory.

    \b
    Example: lovt check experiments/pretraining/covid-chestxray.yaml
    """
    from lovt_core.config.loading import find_experiment_file, load_experiment
    from lovt_core.errors import ConfigError
    from lovt_core.runs.launchers.job import run_job
    from lovt_tui.cli.readiness import check_device, check_encoders, check_paired_data

    file = find_experiment_file(experiment)
    loaded = load_experiment(file, overrides or [])
    if loaded.kind != "pretrain":
        raise ConfigError(f"{file}: kind: is '{loaded.kind}': `lovt check` takes experiments of kind pretrain")
    place = get_workspace(workspace)
    check_device(place, loaded, launcher="local")
    check_paired_data(place, loaded, file)
    check_encoders(place, loaded, launcher="local")
    report: dict[str, object] = {}
    notes: list[str] = []
    console = get_console(stderr=True)
    with console.status("two real steps ..."):
        for line in run_job(place, "check", loaded):
            if line.get("event") == "result":
                report = line["data"]
            elif line.get("event") in ("alarm", "note"):
                notes.append(str(line["message"]))
    if as_json:
        print_json({"file": file, **report, "notes": notes})
        return
    for note in notes:
        console.print(f"note: {note}", markup=False, style="yellow", soft_wrap=True)
    for name, value in report.items():
        if name != "type":
            text = f"{value:.4g}" if isinstance(value, float) else value
            get_console().print(f"{name.replace('_', ' '):<24} {text}", markup=False, soft_wrap=True)
