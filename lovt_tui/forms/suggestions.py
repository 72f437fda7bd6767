"""What a key could be set to, as far as this machine knows: data sets, encoders, tasks, runs. Looks at files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lovt_core.config.loading import shipped_experiments, shipped_folder
from lovt_core.data.catalog import DATA_SETS
from lovt_core.data.versions import load_current
from lovt_core.errors import DataError
from lovt_core.models.weights import list_weights
from lovt_core.tasks import SUITES, TASKS
from lovt_tui.forms.fields import Field
from lovt_tui.forms.offers import find_offer

if TYPE_CHECKING:
    from lovt_core.runs.records import RunRow
    from lovt_core.runs.workspace import Workspace

READY, NOT_READY = "✔", "✘"
MANY = 40
"""No more runs are offered, the newest first."""


@dataclass(frozen=True)
class Suggestion:
    """One of them."""

    value: str
    """As it would be typed."""
    note: str
    """What is known of it; a sign and words."""


PLAIN_ENCODERS = (
    Suggestion("last", "the newest pre-training here that has saved a checkpoint"),
    Suggestion("imagenet", "trained on ImageNet, from timm"),
    Suggestion("random", "untrained"),
    Suggestion("random-fitted", "untrained, batch-norm statistics fitted to the training images"),
    Suggestion("timm:resnet50.a1_in1k", "any model of timm by its name"),
)


def suggest(field: Field, workspace: "Workspace", runs: Sequence["RunRow"]) -> tuple[Suggestion, ...]:
    """Values for a key; empty where anything may be typed. `runs` are those of the workspace, newest first."""
    if field.choices:
        return tuple(Suggestion(choice, "default" if choice == str(field.default) else "") for choice in field.choices)
    match find_offer(field.path):
        case "paired data":
            return _data_sets(workspace)
        case "encoders":
            return (*PLAIN_ENCODERS, *_trained(runs))
        case "image weights":
            return (Suggestion("imagenet", "from timm"), Suggestion("random", "untrained"), *_weights("image"))
        case "report weights":
            tiny = Suggestion("tiny", "untrained, of the sizes under report_encoder.tiny")
            return (tiny, *_weights("report"), Suggestion("emilyalsentzer/Bio_ClinicalBERT", "model hub; the paper's"))
        case "tasks":
            return tuple(_tasks(workspace))
        case "splits":
            return _words("auto", "published", "download", "patient:0")
        case "devices":
            return _words("auto", "cpu", "cuda")
        case "pre-trainings":
            return _experiments(("pretraining", "tiny"))
        case "evaluations":
            return _experiments(("evaluation", "tiny"))
        case "metrics":
            return _words("val/loss")
        case "runs at work":
            return tuple(Suggestion(row.id, row.state) for row in runs if row.is_active)[:MANY]
        case None:
            return ()


def _words(*values: str) -> tuple[Suggestion, ...]:
    return tuple(Suggestion(value, "") for value in values)


def _data_sets(workspace: "Workspace") -> tuple[Suggestion, ...]:
    """Those with reports, prepared ones first."""
    found = [
        Suggestion(each.name, f"{_readiness(workspace, each.name)} · {each.title}")
        for each in DATA_SETS
        if each.kind == "paired"
    ]
    return tuple(sorted(found, key=lambda each: not each.note.startswith(READY)))


def _readiness(workspace: "Workspace", name: str) -> str:
    try:
        sizes = sorted(load_current(workspace.prepared_root, name))
    except DataError:
        return f"{NOT_READY} damaged"
    return f"{READY} prepared at {', '.join(map(str, sizes))}" if sizes else f"{NOT_READY} not prepared"


def _trained(runs: Sequence["RunRow"]) -> Iterator[Suggestion]:
    """Pre-trainings here that may have saved something."""
    trained = [row for row in runs if row.kind == "pretrain" and row.done and row.state not in ("queued", "cancelled")]
    for row in trained[:MANY]:
        backbone = row.experiment.get("method", {}).get("image_encoder", {}).get("backbone", "")
        yield Suggestion(row.id, " · ".join(filter(None, (row.state, str(backbone)))))


def _weights(kind: str) -> Iterator[Suggestion]:
    for each in list_weights():
        if each.kind == kind:
            sign = NOT_READY if each.state == "missing" else READY
            yield Suggestion(each.name, f"{sign} {each.state} · {each.title}")


def _tasks(workspace: "Workspace") -> Iterator[Suggestion]:
    known = {name: _readiness(workspace, name) for name in dict.fromkeys(task.data for task in TASKS)}
    for name, patterns in SUITES.items():
        yield Suggestion(name, "all 18 tasks" if patterns == "*" else f"tasks {patterns}")
    for task in TASKS:
        yield Suggestion(task.id, f"{known[task.data]} · {task.title}")


def _experiments(folders: tuple[str, ...]) -> tuple[Suggestion, ...]:
    names = [path.relative_to(shipped_folder()) for path in shipped_experiments()]
    return tuple(Suggestion(str(name), "shipped") for name in names if name.parts[0] in folders)
