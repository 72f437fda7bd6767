"""Which value of the validation a training is judged by, and which of its checkpoints is the one to use."""

from dataclasses import dataclass

from lovt_core.config.metrics import CHOICES, find_direction
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


def monitor(method: str, watched: tuple[Watched, ...]) -> Monitored:
    """What a training by that method is judged by (CHOICES), with the values that must not vanish."""
    choice = CHOICES[method]
    direction = find_direction(choice.metric)
    assert direction is not None
    return Monitored(choice.metric.removeprefix("val/"), direction, choice.uses_last, watched)
