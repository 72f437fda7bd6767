"""What a layout is: two functions, named in the table of `generate.py`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lovt_core.data.synthetic.patients import Film

Row = Mapping[str, Any]
"""What the tables of a download need to know of one film; plain values, because it travels between processes."""


@dataclass(frozen=True)
class Layout:
    """How one data set's download is written."""

    write_film: Callable[[Path, Film], Row]
    """Write the files of one film below the root (in any order, from several processes)."""
    finish: Callable[[Path, Sequence[Row]], None]
    """Write what belongs to all films, given their rows in order."""
