"""What a worker would have written, without one."""

from lovt_core.runs.control import append_control, record
from lovt_core.runs.directory import RunDirectory
from lovt_core.runs.events import EventWriter, encode_value
from lovt_core.values import Metrics


def start(run: RunDirectory, attempt: int = 1) -> EventWriter:
    """Events of an attempt that has just begun; nobody holds its lock."""
    if attempt > 1:
        append_control(run.control, record("queued", attempt))
    append_control(run.control, record("launch", attempt))
    writer = EventWriter(run.events(attempt))
    writer.write("started", {"host": "here", "slot": "CPU"})
    return writer


def log(writer: EventWriter, step: int, **values: float) -> None:
    """A metric line of a training of a hundred steps; `train_loss` is `train/loss`."""
    named = {name.replace("_", "/", 1): value for name, value in values.items()}
    writer.write(*encode_value(Metrics(step, step / 10, named, 100)))
