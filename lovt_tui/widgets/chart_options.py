"""How curves are drawn: the choices people make with a key."""

from dataclasses import dataclass, replace
from typing import Literal

XAxis = Literal["step", "epoch", "time"]
X_AXES: tuple[XAxis, ...] = ("step", "epoch", "time")
BEST_MARK = "◆"
BROKEN_MARK = "×"
"""A value that is not finite."""
SMOOTHINGS = (1, 5, 10, 25, 50, 100, 250)


@dataclass(frozen=True)
class ChartOptions:
    """One for all charts of a screen."""

    x_axis: XAxis = "step"
    log_scale: bool = False
    smoothing: int = 1
    """Points averaged; 1 is none."""

    def with_next_axis(self) -> "ChartOptions":
        """Step, epoch, time, and round again."""
        return replace(self, x_axis=X_AXES[(X_AXES.index(self.x_axis) + 1) % len(X_AXES)])

    def with_smoothing(self, change: int) -> "ChartOptions":
        """Smoother (1), rougher (-1), or not at all (0)."""
        place = 0 if change == 0 else SMOOTHINGS.index(self.smoothing) + change
        return replace(self, smoothing=SMOOTHINGS[max(0, min(place, len(SMOOTHINGS) - 1))])
