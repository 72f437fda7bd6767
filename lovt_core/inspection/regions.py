"""Where on the image the sentences of a report look (paper section 3.2), and what the pooling looks at (3.1)."""

from collections.abc import Iterator
from typing import Any

import torch

from lovt_core.config.experiment import PretrainExperiment
from lovt_core.config.inspection import RegionsRequest
from lovt_core.data.prepared import Bytes
from lovt_core.errors import InputError
from lovt_core.inspection.own_data import open_own_pairs, spread
from lovt_core.inspection.trained_method import EncodedReport, TrainedMethod, open_trained
from lovt_core.models.cross_attention import Directions
from lovt_core.models.pooling import AttentionPool
from lovt_core.values import Progress, Result, Value, Workplace

_SENTENCES_TO_REGIONS = Directions(report_to_regions=False, image_to_sentences=True)


def find_regions(experiment: PretrainExperiment, asked: RegionsRequest, place: Workplace) -> Iterator[Value]:
    """Attention over regions of a few samples, one Result of type `regions` each.

    Raises what `open_trained` and `open_own_pairs` do, InputError for a method that attends to no regions.
    """
    method = open_trained(asked, place)
    if not method.has_local_losses and not isinstance(method.model.alignment.image_pool, AttentionPool):
        raise InputError(
            f"run {asked.run} has neither local losses nor an attention pool: it attends to no regions; "
            "`lovt ground` shows what its regions have in common with a phrase"
        )
    pairs = open_own_pairs(experiment.data, method.data, asked.part, place.prepared_root)
    rows = spread(pairs.rows, asked.samples)
    for number, row in enumerate(rows):
        yield Progress(number, len(rows), "sample", note="attention over regions")
        sample = pairs.prepared.samples[row]
        report = method.encode(sample.sentences)
        if not report.tokens:
            continue
        yield Result(
            {
                "type": "regions",
                "sample": sample.id,
                "part": asked.part,
                "data": pairs.prepared.name,
                "data_fingerprint": pairs.prepared.fingerprint,
                "image_row": pairs.image_row(row),
                "image_size": method.image_size,
                **attend(method, pairs.image(row), report),
            }
        )


@torch.inference_mode()
def attend(method: TrainedMethod, image: Bytes, report: EncodedReport) -> dict[str, Any]:
    """JSON values of one pair: `grid` [h, w], `sentences` that fit into the encoder, and attention, row by row.

    `sentence_attention` (S lists of R values that sum to 1) is the cross-attention's, None where no local loss trained
    it; `pooling_attention` (R) that of the image pool, None for other pools; `sentence_weights` (S) likewise.
    """
    regions, grid = method.regions([image])
    features = method.report_features([report.tokens])
    representations = method.represent(regions, features)
    count = features.sentences.shape[1]
    attention = None
    if method.has_local_losses:
        attended = method.model.alignment.cross_attention(
            representations.region_projections,
            representations.sentence_projections,
            features.mask,
            _SENTENCES_TO_REGIONS,
        )
        attention = attended.sentence_probabilities[0].float().tolist()
    pooling, weights = representations.region_weights, representations.sentence_weights
    return {
        "grid": list(grid),
        "sentences": list(report.sentences[:count]),
        "sentences_cut_off": len(report.sentences) - count,
        "sentence_attention": attention,
        "pooling_attention": None if pooling is None else pooling[0].float().tolist(),
        "sentence_weights": None if weights is None else weights[0].float().tolist(),
    }
