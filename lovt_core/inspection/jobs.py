"""The jobs that look at what a run has learnt, by name."""

from collections.abc import Iterator
from typing import Literal, assert_never

from lovt_core.config.experiment import PretrainExperiment
from lovt_core.config.inspection import EmbeddingRequest, GroundingRequest, PhraseRequest, RegionsRequest
from lovt_core.inspection.analysis import analyse
from lovt_core.inspection.grounding import ground_phrase
from lovt_core.inspection.grounding_evaluation import evaluate_grounding
from lovt_core.inspection.regions import find_regions
from lovt_core.values import Value, Workplace

Inspection = Literal["regions", "ground", "grounding", "analyse"]


def start_inspection(
    name: Inspection, experiment: PretrainExperiment, place: Workplace, request: str
) -> Iterator[Value]:
    """The generator of a job; `request` is the JSON of the request that it takes."""
    match name:
        case "regions":
            return find_regions(experiment, RegionsRequest.model_validate_json(request), place)
        case "ground":
            return ground_phrase(PhraseRequest.model_validate_json(request), place)
        case "grounding":
            return evaluate_grounding(GroundingRequest.model_validate_json(request), place)
        case "analyse":
            return analyse(experiment, EmbeddingRequest.model_validate_json(request), place)
        case _:
            assert_never(name)
