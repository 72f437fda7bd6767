"""`lovt pretrain`: start a pre-training and follow it."""

from typing import Annotated

import typer

from lovt_tui.cli.context import DetachOption, JsonOption, SetOption, WorkspaceOption, get_workspace
from lovt_tui.cli.terms import GpusOption, build_terms, check_shared_gpus


def command(
    experiment: Annotated[str, typer.Argument(metavar="FILE", help="Experiment file, or the name of a shipped one.")],
    overrides: SetOption = None,
    gpus: GpusOption = None,
    detach: DetachOption = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Pre-train an encoder as an experiment file says, and follow the run.

    ctrl-c asks the run to stop and save; closing the terminal leaves it at work.

    \b
    Example: lovt pretrain experiments/pretraining/covid-chestxray.yaml --set training.max_epochs=5
    Example: lovt pretrain pretraining/lovt-30.yaml --gpus 2
    """
    from lovt_core.config.loading import find_experiment_file, load_experiment
    from lovt_core.errors import ConfigError
    from lovt_tui.cli.follow import launch
    from lovt_tui.cli.readiness import check_device, check_disk, check_encoders, check_paired_data

    file = find_experiment_file(experiment)
    loaded = load_experiment(file, overrides or [])
    if loaded.kind == "evaluate":
        raise ConfigError(f"{file}: kind: is 'evaluate': start it with `lovt evaluate {experiment}`")
    place = get_workspace(workspace)
    check_shared_gpus(loaded, gpus)
    terms = build_terms(place, gpus=gpus)
    check_disk(place, loaded)
    check_device(place, loaded)
    if loaded.kind == "pretrain":
        check_paired_data(place, loaded, file)
        check_encoders(place, loaded)
    raise typer.Exit(launch(place, loaded, file, terms, detach=detach, as_json=as_json))
