"""Curves of runs as figures: what is drawn, and the figure as pgfplots source, SVG or PDF."""

import io
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from lovt_core.errors import InputError
from lovt_core.results.latex_text import escape_latex
from lovt_core.runs.records import Curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes

XAxis = Literal["step", "epoch", "time"]

MAX_POINTS: Final = 400
"""Of a curve in pgfplots source: TeX's memory and patience are short."""
_COLOURS: Final = ("0072B2", "D55E00", "009E73", "CC79A7", "E69F00", "56B4E9", "000000")
"""Told apart without seeing red or green (Okabe and Ito)."""
_DASHES: Final = ("solid", "dashed", "dotted", "dashdotted")
"""Change where the colours begin again."""
_MATPLOTLIB_DASHES: Final = {"solid": "-", "dashed": "--", "dotted": ":", "dashdotted": "-."}
_TIME_UNITS: Final = (("days", 86_400.0), ("hours", 3600.0), ("minutes", 60.0))
_FEW_POINTS: Final = 40
"""Up to which points are marked."""


@dataclass(frozen=True)
class FigureCurve:
    """One run. A value that cannot be drawn is NaN and leaves a gap."""

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]


@dataclass(frozen=True)
class Figure:
    """All that is drawn."""

    x_label: str
    y_label: str
    is_log: bool
    curves: tuple[FigureCurve, ...]


def build_figure(curves: Mapping[str, Curve], x_axis: XAxis = "step", is_log: bool = False) -> Figure:
    """The figure of one metric of several runs, label -> curve.

    Time counts from each run's first point. What is not finite, and on a logarithmic axis what is not positive, leaves
    a gap. Raises InputError for a run of which nothing is left.
    """
    places = {label: _places(curve, x_axis) for label, curve in curves.items()}
    unit, seconds = _choose_unit([x for each in places.values() for x in each]) if x_axis == "time" else (x_axis, 1.0)
    drawn = tuple(
        FigureCurve(label, tuple(x / seconds for x in places[label]), tuple(_drawable(y, is_log) for y in curve.values))
        for label, curve in curves.items()
    )
    for curve in drawn:
        if all(map(math.isnan, curve.y)):
            what = "positive" if is_log else "finite"
            raise InputError(f"run {curve.label} has no {what} value to draw: choose another metric or run")
    metric = next(iter(curves.values())).metric if curves else ""
    return Figure(f"time ({unit})" if x_axis == "time" else unit, metric, is_log, drawn)


def to_pgfplots(figure: Figure) -> str:
    r"""ASCII source of a tikzpicture for a document that loads pgfplots; at most about `MAX_POINTS` points a curve."""
    colours = [rf"\definecolor{{lovt{number}}}{{HTML}}{{{colour}}}" for number, colour in enumerate(_COLOURS)]
    options = [
        f"xlabel={{{escape_latex(figure.x_label)}}}",
        f"ylabel={{{escape_latex(figure.y_label)}}}",
        *(_log_options(figure) if figure.is_log else []),
        "unbounded coords=jump",
        "width=0.9\\linewidth",
        "height=0.55\\linewidth",
        "grid=major",
        "grid style={gray!25}",
        "legend cell align=left",
        "legend style={font=\\footnotesize, draw=none, fill=none}",
    ]
    lines = ["% needs \\usepackage{pgfplots} \\pgfplotsset{compat=1.18}", r"\begin{tikzpicture}", *colours]
    lines += [r"\begin{axis}[", *(f"  {option}," for option in options), "]"]
    for number, curve in enumerate(figure.curves):
        lines += _pgfplots_curve(number, thin_curve(curve))
    return "\n".join([*lines, r"\end{axis}", r"\end{tikzpicture}"]) + "\n"


def draw(figure: Figure, file_format: Literal["svg", "pdf"]) -> bytes:
    """The figure as a file, the same bytes each time; raises InputError without matplotlib."""
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure as Canvas
    except ImportError as error:
        raise InputError(
            f"a {file_format.upper()} figure needs matplotlib, which is not installed: pip install 'lovt-tui[report]', "
            "or give --format pgfplots"
        ) from error
    with mpl.rc_context({"svg.hashsalt": "lovt", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}):
        canvas = Canvas(figsize=(6.0, 3.6), layout="constrained")
        _draw_axes(canvas.add_subplot(), figure)
        file = io.BytesIO()
        canvas.savefig(file, format=file_format, metadata={"Date" if file_format == "svg" else "CreationDate": None})
    return file.getvalue()


def thin_curve(curve: FigureCurve, max_points: int = MAX_POINTS) -> FigureCurve:
    """At most about `max_points` points: first, lowest, highest and last of each stretch, and one point of each gap."""
    y = np.asarray(curve.y)
    if len(y) <= max_points:
        return curve
    kept: set[int] = set()
    for stretch in np.array_split(np.arange(len(y)), max(1, max_points // 4)):
        missing = stretch[np.isnan(y[stretch])]
        kept.update(missing[:1].tolist())
        if len(missing) < len(stretch):
            there = stretch[~np.isnan(y[stretch])]
            low, high = there[np.argmin(y[there])], there[np.argmax(y[there])]
            kept.update(map(int, (there[0], low, high, there[-1])))
    places = sorted(kept)
    return FigureCurve(
        curve.label, tuple(curve.x[place] for place in places), tuple(curve.y[place] for place in places)
    )


def _places(curve: Curve, x_axis: XAxis) -> tuple[float, ...]:
    match x_axis:
        case "step":
            return tuple(map(float, curve.steps))
        case "epoch":
            return tuple(curve.epochs)
        case "time":
            return tuple(time - curve.times[0] for time in curve.times)


def _choose_unit(seconds: list[float]) -> tuple[str, float]:
    longest = max(seconds, default=0.0)
    return next(((name, size) for name, size in _TIME_UNITS if longest >= 2 * size), ("seconds", 1.0))


def _drawable(value: float, is_log: bool) -> float:
    return value if math.isfinite(value) and (value > 0 or not is_log) else math.nan


def _style(number: int) -> tuple[int, str]:
    """Place of the colour, and the dashes."""
    rounds, colour = divmod(number, len(_COLOURS))
    return colour, _DASHES[rounds % len(_DASHES)]


def _log_options(figure: Figure) -> list[str]:
    """Ticks at round numbers where pgfplots would find none: within two powers of ten."""
    values = [y for curve in figure.curves for y in curve.y if not math.isnan(y)]
    low, high = math.log10(min(values)), math.log10(max(values))
    if high - low >= 2:
        return ["ymode=log"]
    powers = range(math.floor(low), math.ceil(high) + 1)
    ticks = ",".join(f"{factor * 10.0**power:g}" for power in powers for factor in (1, 2, 5))
    return ["ymode=log", f"ytick={{{ticks}}}", "log ticks with fixed point"]


def _pgfplots_curve(number: int, curve: FigureCurve) -> list[str]:
    colour, dashes = _style(number)
    mark = "mark=*, mark size=1pt, mark options={solid}" if len(curve.x) <= _FEW_POINTS else "mark=none"
    points = [f"({x:.7g},{y:.7g})" for x, y in zip(curve.x, curve.y, strict=True)]
    lines = [" ".join(points[start : start + 6]) for start in range(0, len(points), 6)]
    return [
        rf"\addplot[lovt{colour}, {dashes}, thick, {mark}] coordinates {{",
        *(f"  {line}" for line in lines),
        "};",
        rf"\addlegendentry{{{escape_latex(curve.label)}}}",
    ]


def _draw_axes(axes: "Axes", figure: Figure) -> None:
    for number, curve in enumerate(figure.curves):
        colour, dashes = _style(number)
        is_short = len(curve.x) <= _FEW_POINTS
        axes.plot(
            curve.x,
            curve.y,
            color=f"#{_COLOURS[colour]}",
            linestyle=_MATPLOTLIB_DASHES[dashes],
            linewidth=1.3,
            marker="o" if is_short else None,
            markersize=2.5,
        )
    if figure.is_log:
        axes.set_yscale("log")
    axes.set_xlabel(figure.x_label, parse_math=False)
    axes.set_ylabel(figure.y_label, parse_math=False)
    axes.grid(color="#dddddd", linewidth=0.6)
    # A space before the label: names that begin with an underscore would be left out.
    labels = [f" {curve.label}" for curve in figure.curves]
    legend = axes.legend(axes.lines, labels, frameon=False, fontsize=8)
    for text in legend.get_texts():
        text.set_parse_math(False)
