"""Which value of the validation a training is judged by, and which of its checkpoints is the one to use."""

from dataclasses import dataclass

from lovt_core.monitoring.collapse import Watched
from lovt_core.training.schedule import Mode


@dataclass(frozen=True)
class Monitored:
    """Plateau rule, early stopping and the choice of the `best` checkpoint go by it."""

    name: str = "loss"
    """Of a value of the validation, without `val/`."""
    mode: Mode = "min"
    uses_last: bool = False
    """The weights to use are the last ones, whatever the value: each validated checkpoint takes the place of `best`."""
    watched: tuple[Watched, ...] = ()
    """Values of the validation that must not vanish; there is an alarm when they do."""


VALIDATION_LOSS = Monitored()
