"""Formats of run directories: what an earlier one needs to be read as the current one. Nothing on the disk changes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lovt_core import __version__
from lovt_core.errors import RecordError

FORMAT: Final = 1
"""Raised when a reader of the old one would misread the new one."""

Content = Mapping[str, Any]


@dataclass(frozen=True)
class Upgrade:
    """What brings a directory of one format to the next; both get plain values and return new ones."""

    origin: Callable[[Content], Content]
    """Of `origin.json`."""
    experiment: Callable[[Content], Content]
    """Of `experiment.yaml`, before it is validated."""


UPGRADES: Final[Mapping[int, Upgrade]] = {}
"""Format -> what brings it to the next one."""


def find_format(origin: Content, path: Path) -> int:
    """The format that an origin states (none: the first one); `path` is its file.

    Raises RecordError where it is no number, or was written by a later version than this one.
    """
    found = origin.get("format", 1)
    if isinstance(found, bool) or not isinstance(found, int) or found < 1:
        raise RecordError(f"{path} has the format {found!r}: a whole number from 1 to {FORMAT} is expected")
    if found > FORMAT:
        writer = origin.get("version", "a later version")
        raise RecordError(
            f"{path} has format {found}, written by lovt {writer}: this is lovt {__version__}, which reads formats up "
            f"to {FORMAT}; update it"
        )
    return found


def upgrade_origin(origin: Content, path: Path, upgrades: Mapping[int, Upgrade] = UPGRADES) -> Content:
    """An origin in the current format; raises what `find_format` does."""
    for number in range(find_format(origin, path), FORMAT):
        origin = upgrades[number].origin(origin)
    return {**origin, "format": FORMAT}


def upgrade_experiment(experiment: Content, found: int, upgrades: Mapping[int, Upgrade] = UPGRADES) -> Content:
    """The content of an experiment file of format `found` as the current format has it."""
    for number in range(found, FORMAT):
        experiment = upgrades[number].experiment(experiment)
    return experiment
