"""Run directories as workers leave them, without a worker."""

import json
from collections.abc import Sequence
from pathlib import Path

from lovt_core.config.evaluation import EncoderSource, EvaluateExperiment
from lovt_core.config.experiment import PretrainExperiment, SelftestExperiment
from lovt_core.runs.control import append_control, record
from lovt_core.runs.directory import RunDirectory, create_run
from lovt_core.runs.lines import encode_line
from lovt_core.runs.terms import Terms
from lovt_core.runs.workspace import Workspace

CHECKPOINT_BYTES = 1000
STATE_BYTES = 3000


def make_run(
    workspace: Workspace,
    state: str = "finished",
    saved: Sequence[tuple[str, bool]] = (),
    experiment: object = None,
    **terms: object,
) -> RunDirectory:
    """A run in a state; `saved`: names of checkpoints in their order, and whether each was called best."""
    run = create_run(workspace, experiment or SelftestExperiment(), Terms(**terms))
    for name, _ in saved:
        put_checkpoint(run, name)
    if state == "queued":
        return run
    if state == "cancelled":
        append_control(run.control, record("cancel", 1, reason="user"))
        return run
    append_control(run.control, record("launch", 1, title="CPU"))
    events = [{"event": "started"}, *(describe_saved(name, is_best) for name, is_best in saved)]
    events += [{"event": state}] if state != "lost" else []
    run.events(1).write_bytes(b"".join(encode_line({"t": 1.0, **event}) for event in events))
    return run


def describe_saved(name: str, is_best: bool) -> dict:
    return {"event": "saved", "checkpoint": name, "step": 1, "is_last": True, "is_best": is_best}


def put_checkpoint(run: RunDirectory, name: str, describe: dict | None = None, with_state: bool = True) -> None:
    """Folders of a checkpoint, of known sizes."""
    weights = run.checkpoints / name
    weights.mkdir(parents=True)
    (weights / "model.safetensors").write_bytes(bytes(CHECKPOINT_BYTES))
    if describe is not None:
        (weights / "checkpoint.json").write_text(json.dumps({"content": {"describe": describe}}))
    if with_state:
        put_state(run, name)


def put_state(run: RunDirectory, name: str) -> None:
    state = run.checkpoints / f"{name}.state"
    state.mkdir(parents=True)
    (state / "optimiser.safetensors").write_bytes(bytes(STATE_BYTES))


def checkpoint_folders(run: RunDirectory) -> list[str]:
    return sorted(path.name for path in run.checkpoints.iterdir())


def pretraining(data: str = "covid-chestxray", **settings: object) -> PretrainExperiment:
    return PretrainExperiment(name="small", data={"name": data}, **settings)


def evaluation(source: str = "random", task: str = "covid-linear", **settings: object) -> EvaluateExperiment:
    return EvaluateExperiment(name="eval", encoder=EncoderSource(source=source), tasks=(task,), **settings)


def files_of(folder: Path) -> dict[str, bytes]:
    """Content of all files under a folder, without locks."""
    paths = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
