"""Random order or choice of a report's sentences, training only (PROTOCOL B.2, reference vectors section 14)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from lovt_core.config.data import ReportAugmentationConfig

T = TypeVar("T")


@dataclass(frozen=True)
class ReportDraw:
    """What is drawn for one report."""

    swaps: tuple[tuple[int, int], ...] = ()
    """Positions whose sentences change places, one swap after the other; the two may be the same."""
    chosen: int | None = None
    """Position after the swaps of the only sentence that is kept; None keeps all."""


def augment_report(sentences: Sequence[T], config: ReportAugmentationConfig, generator: np.random.Generator) -> list[T]:
    """The sentences of a report (text or encoded) as training sees them this time: swapped, then perhaps only one."""
    return apply_draw(sentences, draw_for_report(len(sentences), config, generator))


def draw_for_report(num_sentences: int, config: ReportAugmentationConfig, generator: np.random.Generator) -> ReportDraw:
    """A geometric number of swaps, P(K = k) = (1 - p) p^k, of uniform positions; for `one` a uniform choice."""
    if num_sentences == 0:
        return ReportDraw()
    num_swaps = int(generator.geometric(1 - config.swap_probability)) - 1
    positions = generator.integers(num_sentences, size=(num_swaps, 2)).tolist()
    chosen = int(generator.integers(num_sentences)) if config.sentences == "one" else None
    return ReportDraw(tuple((first, second) for first, second in positions), chosen)


def apply_draw(sentences: Sequence[T], draw: ReportDraw) -> list[T]:
    """The sentences after the drawn swaps and choice; the input stays as it is."""
    ordered = list(sentences)
    for first, second in draw.swaps:
        ordered[first], ordered[second] = ordered[second], ordered[first]
    return ordered if draw.chosen is None else [ordered[draw.chosen]]
