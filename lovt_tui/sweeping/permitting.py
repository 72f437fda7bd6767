"""Which keys of the screen of sweeps have something to act on."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lovt_core.sweeps.trials import Trial
    from lovt_tui.sweeping.study import Study, SweepSummary

ALIVE = ("running", "starting")
STATES: dict[str, tuple[str, ...]] = {
    "pause": (*ALIVE, "interrupted"),
    "resume": ("paused", "stopped", "interrupted"),
    "stop": (*ALIVE, "interrupted", "paused"),
}
"""Action -> states of a sweep in which it makes sense."""
NOT_STATES: dict[str, tuple[str, ...]] = {"extend": ("damaged",), "rebuild": ("damaged", *ALIVE)}
"""Action -> states in which it makes none."""
VIEWS: dict[str, tuple[str, ...]] = {"parameter": ("slice", "contour"), "second": ("contour",)}
"""Action -> views that it changes."""


@dataclass(frozen=True)
class Seen:
    """What is under the cursor."""

    summary: "SweepSummary | None" = None
    study: "Study | None" = None
    """None while it is not read."""
    trial: "Trial | None" = None
    view: str | None = None


def is_allowed(action: str, seen: Seen) -> bool:
    """Whether an action of the screen makes sense; those that need nothing always do."""
    state = seen.summary.state if seen.summary is not None else ""
    if action in STATES:
        return state in STATES[action]
    if action in NOT_STATES:
        return state not in ("", *NOT_STATES[action])
    if action in VIEWS:
        return seen.view in VIEWS[action]
    match action:
        case "save_best" | "confirm":
            return seen.summary is not None and bool(seen.summary.best)
        case "export" | "report" | "view":
            return seen.study is not None
        case "objective":
            return seen.study is not None and len(seen.study.objectives) > 1
        case "sort" | "turn":
            return seen.study is not None and bool(seen.study.trials)
        case "detail":
            return seen.trial is not None
        case "copy_id":
            return seen.trial is not None and bool(seen.trial.runs)
        case _:
            return True
