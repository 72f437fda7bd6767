"""What can go from a workspace without a loss, as values."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

GarbageKind = Literal["trash", "checkpoints", "states", "prepared", "features", "leftovers"]
"""Removed runs, superseded checkpoints, optimiser state of finished runs, superseded prepared versions, cached
features, and what killed commands have left half-written."""
GARBAGE_KINDS: Final[tuple[GarbageKind, ...]] = get_args(GarbageKind)


@dataclass(frozen=True)
class Garbage:
    """One file or folder that can go."""

    kind: GarbageKind
    path: Path
    num_bytes: int
    reason: str
    """Why it can go: the end of a sentence that begins with its name."""


@dataclass(frozen=True)
class CleaningOptions:
    """What is asked of a cleaning."""

    kinds: tuple[GarbageKind, ...] = GARBAGE_KINDS
    keep_last: int = 1
    """Newest checkpoints of each run that stay, besides every best one; at least 1."""
    shared_prepared: bool = False
    """Also superseded versions in a folder of prepared data that other workspaces may read."""


@dataclass(frozen=True)
class Findings:
    """What a look has found."""

    garbage: tuple[Garbage, ...]
    notes: tuple[str, ...] = ()
    """What stays although it looks superseded, and why."""

    @property
    def num_bytes(self) -> int:
        """Of all garbage."""
        return sum(item.num_bytes for item in self.garbage)
