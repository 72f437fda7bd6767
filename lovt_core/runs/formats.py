"""Formats of run directories: what an earlier one needs to be read as the current one. Nothing on the disk changes."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from lovt_core import __version__
from lovt_core.errors import RecordError

FORMAT: Final = 1
"""Raised when a reader of the old one would misread the new one."""

Content = Mapping[str, Any]


Upgrade = Callable[[Content], Content]
"""An `origin.json` of one format as the next one has it: plain values in, new ones out."""
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
        origin = upgrades[number](origin)
    return {**origin, "format": FORMAT}
