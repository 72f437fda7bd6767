"""The 18 localized tasks as data (PROTOCOL A.1), and how several are named. Adding a task is adding an entry here."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final, Literal

from lovt_core.errors import InputError

Head = Literal["linear", "unet", "yolo"]
EncoderMode = Literal["frozen", "finetuned"]
MetricName = Literal["map", "froc", "dice", "average_dice"]


@dataclass(frozen=True)
class Task:
    """One localized task: what is read, which head is trained, how it is judged."""

    id: str
    number: int
    """Column number in the paper's tables."""
    title: str
    data: str
    """Data set (`lovt data list`)."""
    head: Head
    encoder: EncoderMode
    classes: tuple[str, ...]
    batch_size: int
    learning_rates: tuple[float, ...]
    """The grid; a single rate is not searched."""
    max_epochs: int
    patience: int
    """Epochs without a better validation metric after which a training ends."""
    metric: MetricName
    """Chooses learning rate and epoch, and is reported."""
    train_fraction: float = 1.0
    """Share of the training list that is used: its first images."""
    validation_fraction: float = 1.0
    """Likewise of the validation list."""
    warmup_steps: int = 0
    """Fine-tuned: first batches for which the encoder stays frozen and the rate is `WARMUP_RATE`."""

    @property
    def is_detection(self) -> bool:
        """Whether boxes are predicted rather than masks."""
        return self.head == "yolo"


WARMUP_RATE: Final = 1e-3
"""Learning rate of the warm-up of every fine-tuned task (PROTOCOL A.3)."""

METRIC_TITLES: Final[dict[MetricName, str]] = {
    "map": "mAP",
    "froc": "fROC",
    "dice": "Dice",
    "average_dice": "average Dice",
}

_NIH_CLASSES = (
    *("Atelectasis", "Cardiomegaly", "Effusion", "Infiltrate"),
    *("Mass", "Nodule", "Pneumonia", "Pneumothorax"),
)


def _rsna_yolo(number: int, encoder: EncoderMode, percent: int, rates: tuple[float, ...]) -> Task:
    batch_size, max_epochs, patience = {1: (8, 500, 20), 10: (64, 100, 10), 100: (64, 50, 10)}[percent]
    return Task(
        id=f"rsna-yolo-{encoder}-{percent}",
        number=number,
        title=f"RSNA pneumonia, YOLOv3, {_word(encoder)}, {percent} %",
        data="rsna",
        head="yolo",
        encoder=encoder,
        classes=("pneumonia",),
        batch_size=batch_size,
        learning_rates=rates,
        max_epochs=max_epochs,
        patience=patience,
        metric="map",
        train_fraction=percent / 100,
        validation_fraction=0.1,
        warmup_steps=100 if encoder == "finetuned" else 0,
    )


def _rsna_linear(number: int, percent: int, rates: tuple[float, ...]) -> Task:
    batch_size, max_epochs, patience = {1: (8, 500, 20), 10: (64, 100, 10), 100: (64, 50, 10)}[percent]
    return Task(
        id=f"rsna-linear-{percent}",
        number=number,
        title=f"RSNA pneumonia, linear, frozen, {percent} %",
        data="rsna",
        head="linear",
        encoder="frozen",
        classes=("pneumonia",),
        batch_size=batch_size,
        learning_rates=rates,
        max_epochs=max_epochs,
        patience=patience,
        metric="dice",
        train_fraction=percent / 100,
        validation_fraction=0.1,
    )


def _covid(number: int, head: Head, encoder: EncoderMode, rates: tuple[float, ...]) -> Task:
    return Task(
        id="covid-linear" if head == "linear" else f"covid-{head}-{encoder}",
        number=number,
        title=f"COVID Rural, {_HEAD_TITLES[head]}, {_word(encoder)}",
        data="covid-rural",
        head=head,
        encoder=encoder,
        classes=("lesion",),
        batch_size=8,
        learning_rates=rates,
        max_epochs=100,
        patience=20,
        metric="dice",
        warmup_steps=20 if encoder == "finetuned" else 0,
    )


def _siim(number: int, encoder: EncoderMode) -> Task:
    return Task(
        id=f"siim-unet-{encoder}",
        number=number,
        title=f"SIIM-ACR pneumothorax, U-Net, {_word(encoder)}",
        data="siim",
        head="unet",
        encoder=encoder,
        classes=("pneumothorax",),
        batch_size=64,
        learning_rates=(3e-5, 1e-5),
        max_epochs=50,
        patience=10,
        metric="dice",
        warmup_steps=100 if encoder == "finetuned" else 0,
    )


def _object_cxr(number: int, head: Head, encoder: EncoderMode, rates: tuple[float, ...]) -> Task:
    return Task(
        id="object-cxr-linear" if head == "linear" else f"object-cxr-{head}-{encoder}",
        number=number,
        title=f"Object-CXR, {_HEAD_TITLES[head]}, {_word(encoder)}",
        data="object-cxr",
        head=head,
        encoder=encoder,
        classes=("foreign object",),
        batch_size=64,
        learning_rates=rates,
        max_epochs=100,
        patience=10,
        metric="dice" if head == "linear" else "froc",
        warmup_steps=100 if encoder == "finetuned" else 0,
    )


_HEAD_TITLES: Final[dict[Head, str]] = {"linear": "linear", "unet": "U-Net", "yolo": "YOLOv3"}


def _word(encoder: EncoderMode) -> str:
    return {"frozen": "frozen", "finetuned": "fine-tuned"}[encoder]


TASKS: Final[tuple[Task, ...]] = (
    _rsna_yolo(1, "finetuned", 1, (3e-4, 1e-4)),
    _rsna_yolo(2, "finetuned", 10, (3e-4, 1e-3)),
    _rsna_yolo(3, "finetuned", 100, (3e-4, 1e-4)),
    _rsna_yolo(4, "frozen", 1, (1e-3, 3e-4)),
    _rsna_yolo(5, "frozen", 10, (1e-3,)),
    _rsna_yolo(6, "frozen", 100, (3e-4, 1e-3)),
    _rsna_linear(7, 1, (3e-2, 1e-2, 3e-3, 1e-4)),
    _rsna_linear(8, 10, (3e-2, 1e-2, 3e-3, 1e-3)),
    _rsna_linear(9, 100, (3e-2, 1e-2, 3e-3, 1e-3)),
    _covid(10, "unet", "finetuned", (1e-4, 3e-4)),
    _covid(11, "unet", "frozen", (1e-4, 3e-4, 1e-3)),
    _covid(12, "linear", "frozen", (3e-2, 1e-2, 3e-3, 1e-3)),
    _siim(13, "finetuned"),
    _siim(14, "frozen"),
    _object_cxr(15, "yolo", "finetuned", (1e-3, 3e-4)),
    _object_cxr(16, "yolo", "frozen", (1e-3, 3e-3)),
    _object_cxr(17, "linear", "frozen", (3e-1, 1e-1, 3e-2, 1e-2)),
    Task(
        id="nih-linear",
        number=18,
        title="NIH CXR, linear, frozen, eight classes",
        data="nih-cxr",
        head="linear",
        encoder="frozen",
        classes=_NIH_CLASSES,
        batch_size=64,
        learning_rates=(1e-1, 3e-2, 1e-2),
        max_epochs=100,
        patience=10,
        metric="average_dice",
    ),
)

SUITES: Final[dict[str, str]] = {
    "all": "*",
    "rsna": "rsna-*",
    "covid": "covid-*",
    "siim": "siim-*",
    "object-cxr": "object-cxr-*",
    "nih": "nih-*",
    "frozen": "*-frozen*,*-linear*",
    "finetuned": "*-finetuned*",
    "linear": "*-linear*",
    "unet": "*-unet-*",
    "yolo": "*-yolo-*",
    "paper-tuning": "rsna-yolo-frozen-10",
}
"""Name -> patterns. `paper-tuning` is the task on which the paper chose its settings (task 5)."""


def find_task(task_id: str) -> Task:
    """The task of that id; raises InputError naming a near one or all."""
    for task in TASKS:
        if task.id == task_id:
            return task
    raise InputError(f"unknown task '{task_id}': {_hint(task_id)}")


def expand_tasks(names: Iterable[str]) -> tuple[Task, ...]:
    """Tasks of ids, numbers of the paper's columns, globs and suites (commas within a name too), in the paper's order.

    Raises InputError for a name that matches no task.
    """
    wanted: set[str] = set()
    for name in (part.strip() for text in names for part in text.split(",")):
        if not name:
            continue
        patterns = SUITES.get(name, name).split(",")
        found = {
            task.id for task in TASKS for each in patterns if fnmatchcase(task.id, each) or str(task.number) == each
        }
        if not found:
            raise InputError(f"unknown task '{name}': {_hint(name)}")
        wanted |= found
    return tuple(task for task in TASKS if task.id in wanted)


def _hint(name: str) -> str:
    known = [task.id for task in TASKS]
    near = difflib.get_close_matches(name, [*known, *SUITES], n=1)
    if near:
        return f"did you mean '{near[0]}'?"
    return f"tasks are {', '.join(known)}; suites are {', '.join(SUITES)}; globs such as rsna-* work too"
