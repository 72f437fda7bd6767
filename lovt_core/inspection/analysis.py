"""The embeddings of a run in figures: published statistics, smoothness, and where they lie in a plane."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from torch import Tensor

from lovt_core.config.experiment import PretrainExperiment
from lovt_core.config.inspection import EmbeddingRequest, PlotMethod
from lovt_core.errors import DataError
from lovt_core.inspection.embedding_statistics import compute_published
from lovt_core.inspection.embeddings import Embeddings, compute_embeddings
from lovt_core.inspection.own_data import open_own_pairs, spread
from lovt_core.inspection.planes import Points, project
from lovt_core.inspection.smoothness import compute_smoothness
from lovt_core.inspection.trained_method import open_trained
from lovt_core.objectives.unit_length import scale_to_unit_length
from lovt_core.values import Alarm, Result, Value, Workplace

_SMALLEST = 4
_DRAWN = 1000
"""Points of one side in a picture."""


def analyse(experiment: PretrainExperiment, asked: EmbeddingRequest, place: Workplace) -> Iterator[Value]:
    """One Result of type `embeddings`; raises what `open_trained` and `open_own_pairs` do, DataError for too few pairs.

    `statistics` are by name as published, `smoothness` by embedding; `planes` holds for `global` and `local` the points
    of the image side and of the report side.
    """
    method = open_trained(asked, place)
    pairs = open_own_pairs(experiment.data, method.data, asked.part, place.prepared_root)
    rows = spread(pairs.rows, asked.samples)
    if len(rows) < _SMALLEST:
        raise DataError(
            f"the {asked.part} part of {pairs.prepared.name} has {len(rows)} pairs: statistics need {_SMALLEST} or more"
        )
    embeddings, grid = yield from compute_embeddings(method, pairs, rows)
    if not method.has_local_losses:
        yield Alarm("no local loss trained this run: its local projections (zl) are random")
    yield Result(
        {
            "type": "embeddings",
            "data": pairs.prepared.name,
            "data_fingerprint": pairs.prepared.fingerprint,
            "part": asked.part,
            "num_samples": len(embeddings.mask),
            "of": len(pairs.rows),
            "statistics": compute_published(embeddings),
            "smoothness": {name: compute_smoothness(getattr(embeddings, name), grid) for name in ("yl_a", "zl_a")},
            "plot": asked.plot,
            "planes": {} if asked.plot is None else _find_planes(embeddings, asked.plot),
        }
    )


def _find_planes(embeddings: Embeddings, method: PlotMethod) -> dict[str, Any]:
    """Global and local projections, scaled to unit length as every loss compares them."""
    sides = {
        "global": (embeddings.zg_a, embeddings.zg_b),
        "local": (embeddings.zl_a.flatten(0, 1), embeddings.zl_b[embeddings.mask]),
    }
    return {name: _find_plane(_thin(image), _thin(report), method) for name, (image, report) in sides.items()}


def _thin(points: Tensor) -> Points:
    rows = spread(range(len(points)), _DRAWN)
    thinned: Points = scale_to_unit_length(points[list(rows)]).double().numpy()
    return thinned


def _find_plane(image: Points, report: Points, method: PlotMethod) -> dict[str, Any]:
    plane = project(np.concatenate([image, report]), method)
    points = plane.points.round(6).tolist()
    return {"image": points[: len(image)], "report": points[len(image) :], "explained": list(plane.explained)}
