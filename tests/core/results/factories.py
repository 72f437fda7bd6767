"""Stored cells, as an index returns them."""

from copy import deepcopy
from typing import Any

from lovt_core.config.evaluation import EncoderSource, EvaluateExperiment
from lovt_core.evaluation.protocol import build_protocol
from lovt_core.runs.records import RunRow, StoredResult
from lovt_core.runs.state import State
from lovt_core.tasks import find_task

CELL: dict[str, Any] = {
    "type": "cell",
    "task": "covid-linear",
    "encoder": {
        "source": "random",
        "label": "random",
        "fingerprint": "aaaaaaaabbbb",
        "backbone": "resnet50",
        "pretrained_on": [],
    },
    "protocol": {"name": "full", "fingerprint": "p0", "marks": []},
    "data": {
        "name": "covid-rural",
        "fingerprint": "d0",
        "split": "published",
        "split_fingerprint": "s0",
        "genuine": True,
    },
    "metric": "dice",
    "values": [0.3, 0.32, 0.31, 0.33, 0.34],
    "mean": 0.32,
    "ci95": 0.0196,
    "overlap": None,
    "duplicates": [],
}


def stored_cell(run: str, attempt: int = 1, **changes: Any) -> StoredResult:
    """A cell of a run; a dictionary among the changes is merged into the cell's."""
    data = deepcopy(CELL)
    for key, value in changes.items():
        data[key] = {**data[key], **value} if isinstance(value, dict) and data[key] else value
    return StoredResult(run_id=run, run_name="eval", attempt=attempt, data=data)


def encoder(label: str, fingerprint: str | None = None, **changes: Any) -> dict[str, Any]:
    """Identity of an encoder of that name."""
    return {"label": label, "source": label, "fingerprint": fingerprint or f"{label}-weights", **changes}


def evaluation(
    source: str = "random", tasks: tuple[str, ...] = ("covid-linear",), **changes: Any
) -> EvaluateExperiment:
    """Experiment of an evaluation; `settings` and `split` as changes, `label` and the like of the encoder too."""
    given = {key: changes.pop(key) for key in ("label", "backbone", "checkpoint") if key in changes}
    return EvaluateExperiment(name="eval", encoder=EncoderSource(source=source, **given), tasks=tasks, **changes)


def evaluation_run(run: str, state: State, experiment: EvaluateExperiment) -> RunRow:
    """A run of that experiment, as an index returns it; its id is a number, and the time of its creation."""
    return RunRow(
        id=run, name="eval", kind="evaluate", state=state, attempt=1, detail="", stop_asked=False,
        created=float(run), started=None, ended=None, updated=None, done=0,
        total=None, unit="", note="", epoch=0.0, seconds_left=None, host="", slot="", tags=(), latest={}, best={},
        experiment=experiment.model_dump(mode="json"), origin={},
    )  # fmt: skip


def scored_cell(run: str, task_id: str, experiment: EvaluateExperiment, **changes: Any) -> StoredResult:
    """The cell that a run of the experiment stores for a task: published split and full protocol unless changed."""
    protocol = build_protocol(find_task(task_id), experiment.settings).describe()
    source = experiment.encoder
    identity = {"source": source.source, "label": source.label or source.source, "backbone": source.backbone}
    identity["fingerprint"] = f"{source.source}-weights"
    return stored_cell(run, task=task_id, protocol=protocol, **{"encoder": identity, **changes})
