"""Which lines a chart has: the run itself, pinned and marked runs beside it, and runs of several seeds as one."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from lovt_tui.formatting import SERIES
from lovt_tui.listing.run_order import is_repetition
from lovt_tui.reading.snapshot import SHARES

if TYPE_CHECKING:
    from lovt_core.runs.records import Curve, RunRow
    from lovt_tui.reading.snapshot import RunDetail

MARKERS = "ABCDEFGHIJKLM"
"""Letters that stand at the ends of lines: they are told apart without colour."""
PIN_MARKER = "P"
MAX_BESIDE = 12
SeedMode = Literal["alone", "seeds", "mean"]
SEED_MODES: tuple[SeedMode, ...] = ("alone", "seeds", "mean")


@dataclass(frozen=True)
class Layer:
    """One line of a chart."""

    curves: "tuple[Curve, ...]"
    """One; several are drawn as their mean, with the band from the lowest to the highest."""
    tone: str = "accent"
    label: str = ""
    marker: str = ""
    """Drawn at the line's end, and before the label."""


@dataclass(frozen=True)
class Company:
    """The runs drawn beside a run."""

    pinned: str | None = None
    marked: tuple[str, ...] = ()
    seeds: tuple[str, ...] = ()
    """Runs of the same experiment with other seeds."""
    mode: SeedMode = "alone"

    @property
    def ids(self) -> tuple[str, ...]:
        """All whose curves are needed."""
        seeds = self.seeds if self.mode != "alone" else ()
        pinned = (self.pinned,) if self.pinned else ()
        return tuple(dict.fromkeys((*pinned, *self.marked, *seeds)))[:MAX_BESIDE]


def find_seeds(row: "RunRow", rows: "Sequence[RunRow]") -> tuple[str, ...]:
    """Ids of the other runs of the same experiment with another seed, newest first."""
    return tuple(other.id for other in rows if other.id != row.id and is_repetition(row, other))


def build_layers(detail: "RunDetail", company: Company, names: Mapping[str, str]) -> tuple[tuple[Layer, ...], ...]:
    """For each curve of a run its layers, the run's own first; `names` are labels of the runs beside."""
    tones = choose_tones([run_id for run_id in company.ids if run_id != company.pinned])
    charts: list[tuple[Layer, ...]] = []
    shares = [curve for curve in detail.curves if curve.metric.startswith(SHARES)]
    for curve in detail.curves:
        if curve.metric.startswith(SHARES):
            if curve is shares[0]:
                charts.append(tuple(_share_layer(each, place) for place, each in enumerate(shares)))
            continue
        beside = {run_id: each for run_id, curves in detail.beside for each in curves if each.metric == curve.metric}
        grouped = company.seeds if company.mode == "mean" else ()
        members = (curve, *(beside[run_id] for run_id in grouped if run_id in beside))
        others = [run_id for run_id in company.ids if run_id in beside and run_id not in grouped]
        markers = iter(MARKERS)
        layers = [Layer(members, label=f"mean of {len(members)} seeds" if len(members) > 1 else "")]
        for run_id in others:
            is_pin = run_id == company.pinned
            marker, tone = (PIN_MARKER, "dim") if is_pin else (next(markers), tones[run_id])
            layers.append(Layer((beside[run_id],), tone, names.get(run_id, run_id), marker))
        charts.append(tuple(layers))
    return tuple(charts)


def _share_layer(curve: "Curve", place: int) -> Layer:
    return Layer((curve,), SERIES[place % len(SERIES)], curve.metric.removeprefix(SHARES))


def is_stack(layers: Sequence[Layer]) -> bool:
    """Whether they are shares of a whole."""
    return bool(layers) and layers[0].curves[0].metric.startswith(SHARES)


def choose_tones(run_ids: Sequence[str]) -> dict[str, str]:
    """A tone for each run: always the same one, unless another run beside has it."""
    tones: dict[str, str] = {}
    for run_id in run_ids:
        first = zlib.crc32(run_id.encode()) % len(SERIES)
        free = [SERIES[(first + step) % len(SERIES)] for step in range(len(SERIES))]
        tones[run_id] = next((tone for tone in free if tone not in tones.values()), free[0])
    return tones
