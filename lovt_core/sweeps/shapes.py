"""Shapes of plots in the units of an SVG picture, and where axes put them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from lovt_core.sweeps.parameter_axes import Axis, list_ticks

WIDTH: Final = 420
WIDE: Final = 860
HEIGHT: Final = 250
LEFT: Final = 70
RIGHT: Final = 14
TOP: Final = 10
BOTTOM: Final = 44
RUG: Final = 14
"""Between the plot and its lower edge, for trials that have no value."""
EDGE: Final = 6
"""Between text and the sides of a picture."""
CHARACTER: Final = 6.6
"""Width of most letters and digits."""
Tone = Literal["value", "best", "pruned", "failed", "running", "grid", "ink"]


@dataclass(frozen=True)
class Mark:
    """A trial: round with a value, a triangle when pruned, a cross when failed."""

    x: float
    y: float
    tone: Tone
    title: str


@dataclass(frozen=True)
class Path:
    """Straight lines from point to point."""

    points: str
    tone: Tone
    title: str = ""


@dataclass(frozen=True)
class Box:
    """A filled rectangle."""

    x: float
    y: float
    width: float
    height: float
    opacity: float
    title: str


@dataclass(frozen=True)
class Label:
    """Text at its base line."""

    x: float
    y: float
    text: str
    anchor: Literal["start", "middle", "end"] = "middle"
    is_faint: bool = True


@dataclass(frozen=True)
class Picture:
    """What is drawn, from the back to the front."""

    title: str
    note: str
    boxes: tuple[Box, ...] = ()
    paths: tuple[Path, ...] = ()
    marks: tuple[Mark, ...] = ()
    labels: tuple[Label, ...] = ()
    width: int = WIDTH
    height: float = HEIGHT


class Field:
    """Two axes and where their places lie in a picture."""

    def __init__(self, x: Axis, y: Axis, *, rug: int = 0) -> None:
        self.x = x
        self.y = y
        self._bottom = HEIGHT - BOTTOM - rug
        self.rug = HEIGHT - BOTTOM - 4

    def across(self, place: float) -> float:
        """From the left edge of the picture."""
        return round(LEFT + self.x.share(place) * (WIDTH - LEFT - RIGHT), 1)

    def up(self, place: float) -> float:
        """From its upper edge."""
        return round(self._bottom - self.y.share(place) * (self._bottom - TOP), 1)

    def grid(self) -> list[Path]:
        """A line at each tick."""
        right = WIDTH - RIGHT
        lines = [join([(LEFT, self.up(t.place)), (right, self.up(t.place))], "grid") for t in list_ticks(self.y, 5)]
        return [
            *lines,
            *(
                join([(self.across(t.place), TOP), (self.across(t.place), HEIGHT - BOTTOM)], "grid")
                for t in list_ticks(self.x, 6)
            ),
        ]

    def labels(self) -> list[Label]:
        """Of ticks, and the name of x."""
        below = HEIGHT - BOTTOM + 14
        return [
            *(Label(self.across(t.place), below, shorten(t.label, 12)) for t in list_ticks(self.x, 6)),
            *(Label(LEFT - 6, self.up(t.place) + 4, shorten(t.label, 10), "end") for t in list_ticks(self.y, 5)),
            Label((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, self.x.name, is_faint=False),
        ]


def name_axis(place: int, num_axes: int, gap: float, name: str) -> Label:
    """The name below an axis of parallel coordinates; those at the sides stay inside the picture."""
    x, room = LEFT + place * gap, gap
    anchor: Literal["start", "middle", "end"] = "middle"
    if gap / 2 > LEFT and place in (0, num_axes - 1):
        anchor = "start" if place == 0 else "end"
        x, room = (EDGE if place == 0 else WIDE - EDGE), LEFT - EDGE + gap / 2
    return Label(
        round(x, 1), HEIGHT - 10, shorten_start(name, max(4, int(room / CHARACTER) - 1)), anchor, is_faint=False
    )


def shorten_start(name: str, length: int) -> str:
    """The end of a long key says most."""
    return name if len(name) <= length else f"…{name[1 - length :]}"


def join(points: Iterable[tuple[float, float]], tone: Tone, title: str = "") -> Path:
    """A path through the points."""
    return Path(" ".join(f"{x:g},{y:g}" for x, y in points), tone, title)


def shorten(text: str, length: int) -> str:
    """The text, its end replaced by an ellipsis where it is too long."""
    return text if len(text) <= length else f"{text[: length - 1]}…"
