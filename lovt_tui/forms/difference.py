"""What two documents differ in, as YAML: only the keys that differ, below the sections that they stand in."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from lovt_tui.forms.paths import MISSING

INDENT = "  "


@dataclass(frozen=True)
class DifferenceLine:
    """A line of YAML."""

    sign: Literal["-", "+", " "]
    """Taken away, new, or a section that has such lines."""
    text: str


def compare(before: Mapping[str, Any], after: Mapping[str, Any], depth: int = 0) -> Iterator[DifferenceLine]:
    """Lines in the order of the keys."""
    for key in (*before, *(key for key in after if key not in before)):
        old, new = before.get(key, MISSING), after.get(key, MISSING)
        if isinstance(old, Mapping) and isinstance(new, Mapping) and old and new:
            below = tuple(compare(old, new, depth + 1))
            if below:
                yield DifferenceLine(" ", f"{INDENT * depth}{key}:")
                yield from below
        elif not is_same(old, new):
            yield from (DifferenceLine("-", line) for line in _write(key, old, depth))
            yield from (DifferenceLine("+", line) for line in _write(key, new, depth))


def is_same(one: Any, other: Any) -> bool:
    """1 and true are equal to Python, and not to anybody else."""
    return one is other or (one == other and isinstance(one, bool) == isinstance(other, bool))


def _write(key: str, value: Any, depth: int) -> Iterator[str]:
    from lovt_core.config.yaml_text import write_mapping

    if value is not MISSING:
        for line in write_mapping({key: value}).splitlines():
            yield INDENT * depth + line
