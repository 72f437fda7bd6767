"""What a validation says of the embeddings of all its samples together.

Names are those of the metrics without `val/`; docs/monitoring.md says how to read them.
"""

from typing import Protocol, TypeVar

import torch
from torch import Tensor

from lovt_core.monitoring.embeddings import Grid, ImageEmbeddings, PairEmbeddings
from lovt_core.monitoring.retrieval import compute_hits, compute_local_ranks, compute_pair_ranks
from lovt_core.monitoring.smoothness import compute_smoothness
from lovt_core.monitoring.spread import LocalSpread, compute_spread

LIMIT = 4096
"""Batches are taken in until there are so many samples: what is kept and compared stays bounded."""
_TOP = (1, 5)
Seen = TypeVar("Seen", contravariant=True)


class Monitor(Protocol[Seen]):
    """Adds up the batches of one validation."""

    def update(self, embeddings: Seen) -> None:
        """One batch, computed in evaluation mode; it may be in any precision."""

    def compute(self) -> dict[str, float]:
        """Figures of all batches."""


class PairMonitor:
    """Of a paired method; what its losses do not compare, and so do not train, is left out."""

    def __init__(self) -> None:
        self._num_samples = 0
        self._features = _Features()
        self._pairs = _Pairs()
        self._regions = _Counterparts("region", "std_within_image")
        self._sentences = _Counterparts("sentence", "std_within_report")

    @torch.no_grad()
    def update(self, embeddings: PairEmbeddings) -> None:
        """One batch, with regions, their grid and what the losses compare."""
        if self._num_samples >= LIMIT:
            return
        batch = embeddings.scaled()
        self._num_samples += len(batch.sentence_mask)
        if batch.regions is not None and batch.grid is not None:
            self._features.update(batch.regions, batch.grid)
        if batch.image_projection is not None and batch.report_projection is not None:
            self._pairs.update(batch.image_projection, batch.report_projection)
        if batch.region_projections is not None and batch.attended_regions is not None:
            mask = torch.ones_like(batch.region_projections[:, :, 0], dtype=torch.bool)
            self._regions.update(batch.region_projections, batch.attended_regions, mask)
        if batch.sentence_projections is not None and batch.attended_sentences is not None:
            self._sentences.update(batch.sentence_projections, batch.attended_sentences, batch.sentence_mask)

    @torch.no_grad()
    def compute(self) -> dict[str, float]:
        """See docs/monitoring.md."""
        values = self._features.compute() | self._regions.compute() | self._sentences.compute()
        if self._pairs.num_samples > 1:
            images, reports = self._pairs.joined()
            values["alignment/pairs"] = _compute_alignment(images, reports)
            values |= _of_space("image", images) | _of_space("report", reports)
            values |= _compute_retrieval("image_to_report", compute_pair_ranks(images, reports))
            values |= _compute_retrieval("report_to_image", compute_pair_ranks(reports, images))
        return _to_floats(values)


class ImageMonitor:
    """Of a method on images alone."""

    def __init__(self) -> None:
        self._num_samples = 0
        self._features = _Features()
        self._views = _Pairs()
        self._cells: LocalSpread | None = None

    @torch.no_grad()
    def update(self, embeddings: ImageEmbeddings) -> None:
        """One batch."""
        if self._num_samples >= LIMIT:
            return
        batch = embeddings.scaled()
        self._num_samples += len(batch.regions)
        self._features.update(batch.regions, batch.grid)
        if batch.projections is not None:
            self._views.update(*batch.projections)
        if batch.cell_projections is not None:
            self._cells = self._cells or LocalSpread()
            self._cells.update(batch.cell_projections)

    @torch.no_grad()
    def compute(self) -> dict[str, float]:
        """See docs/monitoring.md."""
        values = self._features.compute()
        if self._cells is not None:
            values |= {f"regions/{name}": value for name, value in self._cells.compute("std_within_image").items()}
        if self._views.num_samples > 1:
            first, second = self._views.joined()
            values["alignment/views"] = _compute_alignment(first, second)
            values |= _of_space("image", first)
            values |= _compute_retrieval("view_to_view", compute_pair_ranks(first, second))
        return _to_floats(values)


class _Features:
    """Regions that the encoder hands on to the localized tasks."""

    def __init__(self) -> None:
        self._spread = LocalSpread()
        self._smoothness: list[Tensor] = []

    def update(self, regions: Tensor, grid: Grid) -> None:
        self._spread.update(regions)
        if regions.shape[1] > 1:
            self._smoothness.append(compute_smoothness(regions, grid))

    def compute(self) -> dict[str, Tensor]:
        values = {f"features/{name}": value for name, value in self._spread.compute("std_within_image").items()}
        if self._smoothness:
            values["features/smoothness"] = torch.cat(self._smoothness).mean()
        return values


class _Pairs:
    """Two embeddings of each sample."""

    def __init__(self) -> None:
        self._first: list[Tensor] = []
        self._second: list[Tensor] = []
        self.num_samples = 0

    def update(self, first: Tensor, second: Tensor) -> None:
        self._first.append(first)
        self._second.append(second)
        self.num_samples += len(first)

    def joined(self) -> tuple[Tensor, Tensor]:
        return torch.cat(self._first), torch.cat(self._second)


class _Counterparts:
    """Local projections and what the other side says of each."""

    def __init__(self, element: str, within: str) -> None:
        self._element, self._within = element, within
        self._spread: LocalSpread | None = None
        self._ranks: list[Tensor] = []
        self._squared: list[Tensor] = []

    def update(self, local: Tensor, attended: Tensor, mask: Tensor) -> None:
        self._spread = self._spread or LocalSpread()
        self._spread.update(local, mask)
        self._ranks.append(compute_local_ranks(local, attended, mask))
        self._squared.append((local - attended).square().sum(dim=2)[mask])

    def compute(self) -> dict[str, Tensor]:
        if self._spread is None:
            return {}
        group = f"{self._element}s"
        values = {f"{group}/{name}": value for name, value in self._spread.compute(self._within).items()}
        values[f"alignment/{group}"] = torch.cat(self._squared).mean()
        return values | _compute_retrieval(f"{self._element}_to_attended", torch.cat(self._ranks))


def _of_space(name: str, embeddings: Tensor) -> dict[str, Tensor]:
    return {f"{name}/{statistic}": value for statistic, value in compute_spread(embeddings).items()}


def _compute_alignment(first: Tensor, second: Tensor) -> Tensor:
    """Mean squared distance (Wang and Isola 2020)."""
    return (first - second).square().sum(dim=1).mean()


def _compute_retrieval(direction: str, ranks: Tensor) -> dict[str, Tensor]:
    if not len(ranks):
        return {}
    return {f"retrieval/top{k}_{direction}": compute_hits(ranks, k) for k in _TOP}


def _to_floats(values: dict[str, Tensor]) -> dict[str, float]:
    return dict(zip(values, torch.stack(list(values.values())).tolist(), strict=True))
