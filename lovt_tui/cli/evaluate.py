"""`lovt evaluate`: judge an encoder on localized tasks."""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lovt_tui.cli.context import DetachOption, JsonOption, SetOption, WorkspaceOption, get_workspace

if TYPE_CHECKING:
    from lovt_core.config.evaluation import EvaluateExperiment


def command(
    encoder: Annotated[
        str,
        typer.Argument(
            metavar="ENCODER",
            help="A pre-training run, random, random-fitted, imagenet, timm:<name>, or a file with weights.",
        ),
    ],
    tasks: Annotated[
        list[str] | None,
        typer.Option(
            "--task", "-t", help="Task ids, numbers, globs, suites (rsna, frozen ...), commas [default: all]."
        ),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Few epochs, one rate, one replicate: a smoke test.")] = False,
    experiment: Annotated[
        str | None, typer.Option("--experiment", "-e", help="Experiment file with settings other than the protocol's.")
    ] = None,
    backbone: Annotated[
        str | None, typer.Option(help="timm model of an encoder that is no run [default: resnet50].")
    ] = None,
    checkpoint: Annotated[str | None, typer.Option(help="best or last checkpoint of a run [default: best].")] = None,
    label: Annotated[str | None, typer.Option(help="Row name in the comparison.")] = None,
    overrides: SetOption = None,
    detach: DetachOption = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Evaluate one encoder on localized tasks: learning-rate search, five replicates, mean and 95 % interval.

    \b
    Example: lovt evaluate imagenet --backbone efficientnet_lite0 --task 'covid-*'
    """
    from lovt_core.config.loading import find_experiment_file
    from lovt_core.tasks import expand_tasks
    from lovt_tui.cli.follow import launch
    from lovt_tui.cli.readiness import check_device, check_disk, check_tasks, resolve_encoder

    place = get_workspace(workspace)
    source = resolve_encoder(place, encoder, checkpoint or "best")
    settings: dict[str, Any] = {
        "encoder.source": source,
        "encoder.backbone": backbone,
        "encoder.checkpoint": checkpoint,
        "encoder.label": label,
    }
    given = [f"{key}={_quote(value)}" for key, value in settings.items() if value is not None]
    if names := _split(tasks or []):
        given.append(f"tasks={_quote(names)}")
    if quick:
        given.append("settings.protocol=quick")
    file = find_experiment_file(experiment or "evaluation/localized.yaml")
    loaded = _load(file, source, [*given, *(overrides or [])])
    _check_options(source, backbone, checkpoint)
    check_disk(place, loaded)
    check_device(place, loaded)
    check_tasks(place, loaded)
    loaded = loaded.model_copy(update={"tasks": tuple(task.id for task in expand_tasks(loaded.tasks))})
    raise typer.Exit(launch(place, loaded, file, detach=detach, as_json=as_json))


def _split(tasks: list[str]) -> list[str]:
    """What stands between commas; raises InputError where options name nothing."""
    from lovt_core.errors import InputError

    names = [name.strip() for item in tasks for name in item.split(",") if name.strip()]
    if tasks and not names:
        raise InputError("--task is empty: name tasks, or leave it out for all 18")
    return names


def _check_options(source: str, backbone: str | None, checkpoint: str | None) -> None:
    """Raise InputError for an option that this encoder would not heed."""
    from lovt_core.errors import InputError
    from lovt_core.runs.directory import ID

    is_run = ID.fullmatch(source) is not None
    if is_run and backbone is not None:
        raise InputError(f"--backbone {backbone}: run {source} has an image encoder of its own: leave the option out")
    if not is_run and checkpoint is not None:
        raise InputError(f"--checkpoint {checkpoint}: only runs have checkpoints, not {source}: leave the option out")


def _load(file: Path, source: str, overrides: list[str]) -> "EvaluateExperiment":
    from lovt_core.config.loading import load_experiment, read_kind
    from lovt_core.errors import ConfigError

    if (kind := read_kind(file)) != "evaluate":
        raise ConfigError(f"{file}: kind: is '{kind}': `lovt evaluate` needs an experiment of kind evaluate")
    loaded = load_experiment(file, [f"name={_name(source)}", *overrides])
    assert loaded.kind == "evaluate"
    return loaded


def _quote(value: Any) -> str:
    """As YAML, whatever characters are in it: JSON is YAML."""
    return json.dumps(value, ensure_ascii=False)


def _name(source: str) -> str:
    """Name of the evaluation run: that of the run or file under evaluation, made fit for a file name."""
    from lovt_core.runs.directory import ID, RunDirectory

    stem = RunDirectory(Path(source)).name if ID.fullmatch(source) else Path(source).stem.lower()
    kept = re.sub(r"[^a-z0-9._-]", "-", stem).strip("._-")
    return f"eval-{kept}"[:64]
