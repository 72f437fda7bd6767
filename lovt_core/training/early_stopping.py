"""When to end a training early (vectors section 20, `early_stopping_*`)."""

import math
from dataclasses import dataclass, replace

from lovt_core.training.schedule import Mode


@dataclass(frozen=True)
class EarlyStopping:
    """Ends after `patience` values in a row that improve the best one by no more than `min_delta`."""

    patience: int
    min_delta: float = 1e-5
    mode: Mode = "min"
    best: float | None = None
    waited: int = 0

    @property
    def is_over(self) -> bool:
        """Whether the training should end now."""
        return self.waited >= self.patience

    def after(self, value: float) -> "EarlyStopping":
        """The rule after one more validation with the monitored `value`."""
        if self._improves(value):
            return replace(self, best=value, waited=0)
        return replace(self, waited=self.waited + 1)

    def _improves(self, value: float) -> bool:
        if math.isnan(value):
            return False
        if self.best is None:
            return True
        gain = self.best - value if self.mode == "min" else value - self.best
        return gain > self.min_delta
