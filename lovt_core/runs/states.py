"""The words for a run's state (state.py finds out which one is true); free of imports, for those who only list runs."""

from typing import Literal

State = Literal[
    "queued", "launched", "running", "finished", "failed", "stopped", "pruned", "interrupted", "cancelled", "lost"
]
ACTIVE: tuple[State, ...] = ("queued", "launched", "running")
RESUMABLE: tuple[State, ...] = ("stopped", "interrupted", "failed", "lost")
