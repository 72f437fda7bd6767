"""The embeddings of a run in figures: published statistics, smoothness, and where they lie in a plane."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lovt_core.config.experiment import PretrainExperiment
from lovt_core.config.inspection import EmbeddingRequest, PlotMethod
from lovt_core.errors import DataError
from lovt_core.inspection.embeddings import PairBatch, embed_batches, encode_pairs
from lovt_core.inspection.own_data import choose_part, open_own_pairs, spread
from lovt_core.inspection.planes import Points, project
from lovt_core.inspection.smoothness import Smoothness
from lovt_core.inspection.trained_method import TrainedMethod, open_trained
from lovt_core.monitoring.statistics import EmbeddingStatistics
from lovt_core.objectives.unit_length import scale_to_unit_length
from lovt_core.values import Note, Progress, Result, Value, Workplace

_SMALLEST = 4
_DRAWN = 1000
"""Points of one side in a picture."""


def analyse(experiment: PretrainExperiment, asked: EmbeddingRequest, place: Workplace) -> Iterator[Value]:
    """One Result of type `embeddings`; raises what `open_trained` and `open_own_pairs` do, DataError for too few pairs.

    `statistics` are by name as published, `smoothness` by embedding; `planes` holds for `global` and `local` the points
    of the image side and of the report side.
    """
    method = open_trained(asked, place)
    part = asked.part or choose_part(experiment.data, method.data, place.prepared_root)
    own = open_own_pairs(experiment.data, method.data, part, place.prepared_root)
    pairs = encode_pairs(method, own, own.rows if asked.samples is None else spread(own.rows, asked.samples))
    if len(pairs) < _SMALLEST:
        raise DataError(
            f"the {part} part of {own.prepared.name} has {len(pairs)} pairs: statistics need {_SMALLEST} or more"
        )
    gathered = _Gathered(method, len(pairs))
    for batch in embed_batches(method, pairs):
        gathered.add(batch)
        yield Progress(gathered.num_pairs, len(pairs), "pair", note="embeddings")
    yield from _tell_untrained(experiment, method)
    if asked.part is None and part != "test":
        yield Note(f"{own.prepared.name} has no test part in this split: the {part} part is analysed")
    yield Result(
        {
            "type": "embeddings",
            "data": own.prepared.name,
            "data_fingerprint": own.prepared.fingerprint,
            "part": part,
            "num_samples": len(pairs),
            "of": len(own.rows),
            "statistics": gathered.statistics.compute(),
            "smoothness": {name: each.compute() for name, each in gathered.smoothness.items()},
            "plot": asked.plot,
            "planes": {} if asked.plot is None else gathered.find_planes(asked.plot),
        }
    )


def _tell_untrained(experiment: PretrainExperiment, method: TrainedMethod) -> Iterator[Note]:
    if not method.has_local_losses:
        yield Note("no local loss trained this run: its local projections (zl) are random")
    if experiment.method.name == "lovt" and experiment.method.objective.global_ is None:
        yield Note("no global loss trained this run: its global projections (zg) are random")


class _Gathered:
    """What is added up over the batches; of the embeddings themselves only what a picture shows is kept."""

    def __init__(self, method: TrainedMethod, num_pairs: int) -> None:
        self.statistics = EmbeddingStatistics(method.model.alignment.padding)
        self.smoothness = {"yl_a": Smoothness(), "zl_a": Smoothness()}
        self.num_pairs = 0
        self._has_local_losses = method.has_local_losses
        self._drawn = set(spread(range(num_pairs), _DRAWN))
        self._total = num_pairs
        self._global: list[tuple[Tensor, Tensor]] = []
        self._local: list[tuple[Tensor, Tensor]] = []

    def add(self, batch: PairBatch) -> None:
        found = batch.representations
        self.statistics.update(batch.as_published(has_local_losses=self._has_local_losses))
        self.smoothness["yl_a"].add(batch.regions, batch.grid)
        self.smoothness["zl_a"].add(found.region_projections, batch.grid)
        whole = set(spread(range(self._total), max(1, _DRAWN // batch.regions.shape[1])))
        for position in range(len(batch.regions)):
            number = self.num_pairs + position
            if number in self._drawn:
                self._global.append((found.image_projection[[position]], found.report_projection[[position]]))
            if number in whole:
                sentences = found.sentence_projections[position][batch.report.mask[position]]
                self._local.append((found.region_projections[position], sentences))
        self.num_pairs += len(batch.regions)

    def find_planes(self, method: PlotMethod) -> dict[str, Any]:
        """Global projections of pairs, and local ones of as many whole pairs as fit into a picture."""
        planes = {}
        for name, kept in (("global", self._global), ("local", self._local)):
            image, report = (_scale([pair[side] for pair in kept]) for side in range(2))
            plane = project(np.concatenate([image, report]), method)
            points = plane.points.round(6).tolist()
            split = len(image)
            planes[name] = {"image": points[:split], "report": points[split:], "explained": list(plane.explained)}
        return planes


def _scale(parts: list[Tensor]) -> Points:
    """Unit length, as every loss compares them."""
    scaled: Points = scale_to_unit_length(torch.cat(parts)).double().cpu().numpy()
    return scaled
