"""The localized tasks as data (PROTOCOL A.1). Adding a task is adding an entry here."""

from dataclasses import dataclass
from typing import Literal

from lovt_core.errors import InputError


@dataclass(frozen=True)
class Task:
    """One localized task: what is read, which head is trained, how it is judged."""

    id: str
    number: int
    """Column number in the paper's tables."""
    title: str
    data: str
    """Data set (`lovt data list`)."""
    head: Literal["linear"]
    encoder: Literal["frozen"]
    classes: tuple[str, ...]
    batch_size: int
    learning_rates: tuple[float, ...]
    max_epochs: int
    patience: int
    metric: Literal["dice"]


TASKS: tuple[Task, ...] = (
    Task(
        id="covid-linear",
        number=12,
        title="COVID Rural, linear, frozen",
        data="covid-rural",
        head="linear",
        encoder="frozen",
        classes=("lesion",),
        batch_size=8,
        learning_rates=(3e-2, 1e-2, 3e-3, 1e-3),
        max_epochs=100,
        patience=20,
        metric="dice",
    ),
)


def find_task(task_id: str) -> Task:
    """The task of that id; raises InputError naming the known ones."""
    for task in TASKS:
        if task.id == task_id:
            return task
    known = ", ".join(task.id for task in TASKS)
    raise InputError(f"unknown task '{task_id}': known tasks are {known}")
