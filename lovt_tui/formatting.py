"""Text of states, numbers and times. Pure functions; what comes from files is made safe for a terminal here."""

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size

if TYPE_CHECKING:
    from lovt_core.runs.records import RunRow

SERIES = ("series-1", "series-2", "series-3", "series-4", "series-5", "series-6")
"""Tones that only tell one thing from another."""
TONES = ("dim", "strong", "accent", "good", "warning", "error", *SERIES)
"""What a colour says; the style sheet gives each one its look."""

COMPONENTS = {f"tone--{tone}" for tone in TONES}
"""Component classes of widgets that draw tones."""

ESCAPES = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|[@-Z\\-_])")
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")
TAB_SIZE = 4


@dataclass(frozen=True)
class Cell:
    """A piece of text and what its colour says."""

    text: str
    tone: str = ""


@dataclass(frozen=True)
class StateLook:
    """How a state is shown: the glyph and the word say it without colour."""

    glyph: str
    tone: str


STATE_LOOKS: dict[str, StateLook] = {
    "queued": StateLook("◐", "dim"),
    "launched": StateLook("◔", "accent"),
    "running": StateLook("●", "accent"),
    "finished": StateLook("✔", "good"),
    "failed": StateLook("✘", "error"),
    "stopped": StateLook("■", "warning"),
    "pruned": StateLook("▽", "dim"),
    "interrupted": StateLook("▲", "warning"),
    "cancelled": StateLook("○", "dim"),
    "lost": StateLook("?", "error"),
}


def clean(text: str) -> str:
    """One line that cannot steer the terminal: no escape sequences, no control or direction characters."""
    return CONTROLS.sub("", ESCAPES.sub("", text).replace("\n", " ").expandtabs(TAB_SIZE))


def fit(text: str, width: int, align: str = "left") -> str:
    """`text` in exactly `width` cells; what does not fit ends in an ellipsis."""
    length = cell_len(text)
    if length > width:
        return set_cell_size(text, width - 1) + "…" if width > 0 else ""
    return " " * (width - length) + text if align == "right" else text + " " * (width - length)


def fit_metric(name: str, width: int) -> str:
    """A metric's name in at most `width` cells, if need be without middle parts, or with the end of the last alone."""
    parts = name.split("/")
    first, last = parts[0], parts[-1]
    for shorter in (name, f"{first}/…/{last}", f"…/{last}"):
        if cell_len(shorter) <= width:
            return shorter
    return f"…{last[len(last) - max(0, width - 1) :]}"


def format_state(row: "RunRow") -> Cell:
    """Glyph and word of a run's state; `stopping` once a stop was asked for."""
    look = STATE_LOOKS[row.state]
    if row.stop_asked and row.is_active:
        return Cell(f"{look.glyph} stopping", "warning")
    return Cell(f"{look.glyph} {row.state}", look.tone)


def label_run(row: "RunRow") -> str:
    """Its name, and the seed of one that was queued together with its repetitions."""
    name = clean(row.name)
    return f"{name} · seed {row.seed}" if row.group and row.seed is not None else name


def format_number(value: float, digits: int = 4) -> str:
    """A metric in `digits` significant digits: `3.412`, `0.0312`, `1.2e-05`, `NaN`, `∞`."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    size = abs(value)
    if value != 0 and (size < 1e-3 or size >= 10**6):
        mantissa, exponent = f"{value:.{max(0, digits - 3)}e}".split("e")
        return f"{mantissa}e{int(exponent)}"
    whole = 1 if size < 1 else len(str(int(size)))
    return f"{value:.{max(0, digits - whole)}f}"


def format_score(mean: float, interval: float | None) -> str:
    """A mean and half its interval, which a single replicate does not have: `0.812 ± 0.011`."""
    return format_number(mean) + ("" if interval is None else f" ± {format_number(interval)}")


def format_duration(seconds: float) -> str:
    """At most six cells: `42s`, `3m07s`, `2h03m`, `4d06h`."""
    total = max(0, round(seconds))
    if total < 60:
        return f"{total}s"
    if total < 3600:
        return f"{total // 60}m{total % 60:02}s"
    if total < 86_400:
        return f"{total // 3600}h{total % 3600 // 60:02}m"
    return f"{total // 86_400}d{total % 86_400 // 3600:02}h"


def format_age(seconds: float) -> str:
    """At most four cells: `<1m`, `12m`, `3h`, `15d`."""
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{int(seconds // size)}{unit}"
    return "<1m"


def format_count(value: float) -> str:
    """Steps and other counts: `950`, `1.2k`, `12k`, `3M`."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.3g}"


def format_bytes(num_bytes: float) -> str:
    """Gigabytes without a unit below ten with one decimal: `0.8`, `61`."""
    gigabytes = num_bytes / 2**30
    return f"{gigabytes:.1f}" if gigabytes < 10 else f"{gigabytes:.0f}"


def format_space(num_bytes: float) -> str:
    """Space on a disk, at most seven cells: `900 B`, `12 kB`, `3.4 MB`, `61 GB`."""
    for size, unit in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if num_bytes >= 0.9995 * size:
            return f"{num_bytes / size:.3g} {unit}"
    return f"{num_bytes:.0f} B"


def format_progress(row: "RunRow", width: int) -> str:
    """How far a run is; one that finished early is as finished as any."""
    return format_bar(1, 1, width) if row.state == "finished" else format_bar(row.done, row.total, width)


def format_bar(done: int, total: int | None, width: int) -> str:
    """A bar and a percentage in `width` cells, empty when `total` is not known."""
    if not total:
        return ""
    share = min(1.0, max(0.0, done / total))
    percent = f"{math.floor(100 * share):3}%"
    length = max(0, width - len(percent) - 1)
    filled = math.floor(length * share)
    bar = f"{'█' * filled}{'░' * (length - filled)} " if length else ""
    return f"{bar}{percent}"


def abbreviate_home(path: Path) -> str:
    """A path with `~` for the home folder."""
    home = Path.home()
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) and path != home else str(path)


def plural(count: int, noun: str) -> str:
    """`1 run`, `3 runs`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
